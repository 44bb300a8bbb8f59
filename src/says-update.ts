/** What is said on an issue that asks forgehand to update itself. */
import { clean } from "./untrusted.ts";

const format =
  "a line `version: 1.2.3` and a line `integrity: sha512-…`, as `npm view forgehand@1.2.3 version dist.integrity` prints them";

/** Why an operator's word was not enough, or was none. */
export const refusals = {
  "no operator": (login: string) =>
    `@${login} is not on this forgehand's list of operators (\`FORGEHAND_OPERATORS\`), and only they may release an update of it, whatever they may do in this repository`,
  "text changed": () => "the text was changed after the label was set; read it again and set the label anew",
  "text wrong": () => `the text must pin exactly one version by its hash: ${format}`,
} as const;
export const unsupervised =
  "it was not started as `forgehand up --supervised`, and only that can put another version in its place";

export const startedText = (version: string, by: string): string =>
  `Updating forgehand to **${version}**, as @${by} asked. It is fetched and compared with its hash first; then agents finish what they are at, and the new version must prove itself before it does anything. This issue is told how it ends.`;
export const refusedText = (why: string): string =>
  `forgehand does not update itself: ${why}. Nothing has changed.`;

export const doneText = ({ from, version }: { readonly from: string; readonly version: string }): string =>
  `forgehand was updated: **${from} → ${version}**. It serves, and is well.`;
export function failedText(end: {
  readonly from: string;
  readonly version: string;
  readonly why: string;
  readonly is: string;
  readonly restored: boolean;
}): string {
  const { from, version, why, is, restored } = end;
  const what =
    is === "refused"
      ? `forgehand ${version} was not taken; ${from} went on all the while.`
      : `forgehand ${version} did not prove itself and was rolled back; **${from}** serves again${restored ? ", on the copy of the database from before, which has looked at the forge anew" : ""}.`;
  return `${what}\n\n> ${clean(why).replaceAll(/\s+/gu, " ").slice(0, 1_000)}\n\nTake the label \`forgehand:self-update\` off, and set it again once that is mended.`;
}
