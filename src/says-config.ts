import { quoted } from "./says.ts";

/** What is wrong in a file of configuration. */
export interface FaultView {
  /** `owner/name` of another repository. */
  readonly repo?: string | undefined;
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}
export interface ConfigView {
  readonly repo: string;
  readonly faults: readonly FaultView[];
  /** What holds meanwhile. */
  readonly meanwhile: string;
  /** Where a line of this repository's own files is read. */
  lineUrl(path: string, line: number): string;
}
interface CheckSays {
  readonly conclusion: "success" | "failure";
  readonly title: string;
  readonly summary: string;
}

export const configCheckName = "forgehand / config";
/** Listed of one telling; the others are counted. */
const maxListed = 30;
const reference =
  "`forgehand config validate` says the same on your machine, and `forgehand config schema` gives editors the schema.";

const placeOf = ({ repo, path, line, column }: FaultView): string =>
  `${repo === undefined ? "" : `${repo}:`}${path}:${line}:${column}`;

function listed(faults: readonly FaultView[], link: (fault: FaultView) => string): string {
  const lines = faults.slice(0, maxListed).map((fault) => `- ${link(fault)}: ${quoted(fault.message, 500)}`);
  const more = faults.length - lines.length;
  return [...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join("\n");
}

const counted = (count: number): string => (count === 1 ? "1 thing is" : `${count} things are`);

/** The check on the head of the default branch, and on a pull request that changes the file. */
export function configCheck(faults: readonly FaultView[], meanwhile: string | undefined): CheckSays {
  if (faults.length === 0)
    return {
      conclusion: "success",
      title: "The configuration is right",
      summary: "Nothing is wrong with what this commit says about forgehand's work here.",
    };
  const plain = listed(faults, (fault) => `\`${placeOf(fault)}\``);
  return {
    conclusion: "failure",
    title: `${counted(faults.length)} wrong with the configuration`,
    summary: [
      plain,
      meanwhile ??
        "This is looked at only as a file: nothing of it counts before it is on the default branch.",
      reference,
    ].join("\n\n"),
  };
}

/** The remark on the line itself. */
export const faultTitle = "forgehand's configuration";

/** The issue that stands while something is wrong on the default branch. */
export function configNotice(view: ConfigView): { readonly title: string; readonly body: string } {
  const link = (fault: FaultView): string =>
    fault.repo === undefined
      ? `[${placeOf(fault)}](${view.lineUrl(fault.path, fault.line)})`
      : `\`${placeOf(fault)}\``;
  return {
    title: "Action required: correct forgehand's configuration",
    body: [
      `${counted(view.faults.length)} wrong with the configuration of forgehand in ${view.repo}:`,
      listed(view.faults, link),
      `Until it is corrected on the default branch, no new ticket starts here, and ${view.meanwhile}.`,
      `${reference} This issue follows the default branch, and closes by itself once the configuration is right.`,
    ].join("\n\n"),
  };
}

/** The last word below it. */
export const configRight = (head: string | undefined): string =>
  `The configuration is right again${head === undefined ? "" : ` as of ${head}`}: it is in force, and waiting tickets go on.`;
