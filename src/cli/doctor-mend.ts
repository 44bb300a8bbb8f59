import { exitCodes } from "../problems.ts";
import type { Finding, Group } from "./doctor-finding.ts";

/** `look`: nothing is changed; `tell`: nothing is changed, but what would be is told. */
export type MendHow = "look" | "tell" | "mend";

/** Does what the findings offer to do about themselves, one after the other, and says of each what came of it. */
export async function mended(groups: readonly Group[], how: MendHow): Promise<readonly Group[]> {
  if (how === "look") return groups;
  const after: Group[] = [];
  for (const { title, findings } of groups) {
    const found: Finding[] = [];
    for (const finding of findings) found.push(how === "tell" ? told(finding) : await mend(finding));
    after.push({ title, findings: found });
  }
  return after;
}

const told = (finding: Finding): Finding =>
  finding.mend === undefined
    ? finding
    : { ...finding, fix: `\`forgehand doctor --fix\` would ${finding.mend.deed}` };

/** What could not be mended stays what it was, with the reason and the line to type. */
async function mend(finding: Finding): Promise<Finding> {
  if (finding.mend === undefined) return finding;
  try {
    return { is: "ok", what: `${finding.what}: mended, ${await finding.mend.run()}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const what = `${finding.what}; it could not be mended: ${why}`;
    return { ...finding, is: "fail", what, exit: finding.exit ?? exitCodes.failed };
  }
}
