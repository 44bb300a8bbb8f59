import type { Tracked } from "./findings.ts";
import type { Finding } from "./verdict.ts";

/** Of what a command wrote, this much tells the builder what happened. */
const shownChars = 1_500;

export const placeOf = ({ path, line }: Finding): string =>
  `${path ?? "anywhere"}${line === undefined ? "" : `:${line}`}`;

/** What became of each finding so far, in words for an agent. */
export const historyLines = (
  tracked: readonly Tracked[],
  { ids = "hidden" }: { readonly ids?: "shown" | "hidden" } = {},
): readonly string[] =>
  tracked.map((one) => {
    const { finding, firstRound, lastRound, why } = one;
    const head = [stateOf(one), finding.grade, `rounds ${firstRound}-${lastRound}`].join(", ");
    const rest = [
      finding.body,
      ...(why === undefined ? [] : [`Last said of it: ${why}`]),
      ...(finding.evidence === undefined
        ? []
        : [
            `\`${finding.evidence.command}\` ended with ${finding.evidence.exit ?? "a signal"}: ${finding.evidence.output.slice(-shownChars)}`,
          ]),
    ];
    const id = ids === "shown" ? `${one.id} ` : "";
    return `- ${id}[${head}] ${placeOf(finding)}: ${finding.title}\n  ${rest.join("\n  ")}`;
  });

const stateOf = ({ is, isLate, returns }: Tracked): string =>
  [
    is,
    ...(isLate && is !== "late" && is !== "fixed" ? ["raised late"] : []),
    ...(returns > 1 ? [`came back ${returns} times`] : []),
  ].join(" ");
