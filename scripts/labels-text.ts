import { labelNames, labels, type Label } from "../bootstrap/labels.ts";
import { cell } from "./regions.ts";

const who: Readonly<Record<Label["setBy"] | Label["removedBy"], string>> = {
  triage: "triage",
  write: "write",
  forgehand: "forgehand itself",
  anyone: "whoever may edit labels",
};

/** Every label, for `docs/labels-and-commands.md`. */
export const labelsText = (): string =>
  [
    "| Label | What it does | Set by | Removed by |",
    "|---|---|---|---|",
    ...labelNames.map((name) => {
      const { description, setBy, removedBy }: Label = labels[name];
      return `| \`${name}\` | ${cell(description)} | ${who[setBy]} | ${who[removedBy]} |`;
    }),
  ].join("\n");
