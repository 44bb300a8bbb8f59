import { catalogue, exitCodes } from "../src/problems.ts";
import { exitCodesHelp } from "../src/cli/help-topics.ts";

const filled = (text: string): string => text.replaceAll(/\{(\w+)\}/gu, "‹$1›");

/** Every problem that has a code, for `docs/troubleshooting.md`; what is in ‹…› the message itself fills in. */
export const problemsText = (): string =>
  Object.entries(catalogue)
    .map(([code, entry]) =>
      [
        `### \`${code}\``,
        "",
        `> ${filled(entry.what)}`,
        "",
        filled(entry.why),
        "",
        `**Do:** ${filled(entry.do)} *(exit code ${exitCodes[entry.exit]})*`,
      ].join("\n"),
    )
    .join("\n\n");

/** The table of exit codes. */
export const exitCodesText = (): string =>
  [
    "| Code | Meaning |",
    "|---|---|",
    ...Object.entries(exitCodesHelp).map(([code, meaning]) => `| ${code} | ${meaning} |`),
  ].join("\n");
