/** A report as SARIF 2.1.0, for code scanning and editors. */
import type { ReportedFinding, ReviewReport } from "./review-report.ts";

const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const levels = { blocker: "error", polish: "warning", future: "note" } as const;
const help: Readonly<Record<string, string>> = {
  "gate/unread": "Nobody who reads the diff has read all of this file.",
  "gate/protected": "A path, link, submodule or binary that takes a person's own look.",
};
/** What a rule is about is the last part of its name. */
const wordsOf = (rule: string): string =>
  help[rule] ??
  (rule.startsWith("gate/")
    ? `Found by rule (${rule.slice(5)}); a person must look at this change.`
    : `A reviewer's finding of the kind "${rule.split("/")[1] ?? rule}".`);

/** One run of one tool. A review that is blocked is a run that did not succeed, and says why. */
export function sarifOf(report: ReviewReport, version: string): object {
  const rules = [...new Set(report.findings.map(({ rule }) => rule))];
  return {
    $schema: schema,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "forgehand",
            semanticVersion: version,
            rules: rules.map((id) => ({
              id,
              shortDescription: { text: wordsOf(id) },
              properties: { tags: [id.startsWith("gate/") ? "gate" : "review"] },
            })),
          },
        },
        automationDetails: { id: "forgehand/review/" },
        originalUriBaseIds: { SRCROOT: { description: { text: "The root of the repository." } } },
        invocations: [invocationOf(report)],
        properties: { verdict: report.verdict, base: report.base, head: report.head, models: report.models },
        columnKind: "utf16CodeUnits",
        results: report.findings.map((finding) => resultOf(finding, rules)),
      },
    ],
  };
}

function invocationOf({ verdict, summary, exit }: ReviewReport): object {
  const isBlocked = verdict === "blocked";
  const notes = [{ level: "error", message: { text: summary === "" ? "no verdict" : summary } }];
  return {
    executionSuccessful: !isBlocked,
    exitCode: exit,
    ...(isBlocked ? { toolExecutionNotifications: notes } : {}),
  };
}

function resultOf(finding: ReportedFinding, rules: readonly string[]): object {
  const { id, source, rule, grade, title, body, path, line, by } = finding;
  const text = body === "" || source === "gate" ? title : `${title}\n\n${body}`;
  return {
    ruleId: rule,
    ruleIndex: rules.indexOf(rule),
    level: levels[grade],
    message: { text },
    // Code scanning refuses a file in which a result has no place at all.
    locations: [{ physicalLocation: path === null ? placeOf(wholeChange, 1) : placeOf(path, line) }],
    partialFingerprints: { "forgehandFinding/v1": id },
    properties: { source, grade, ...(by.length === 0 ? {} : { by }) },
  };
}

/** Stands where a path would for what is said of the change as a whole. */
const wholeChange = "the-whole-change";

/** A place without a line is the whole file. */
const placeOf = (path: string, line: number | null): object => ({
  artifactLocation: { uri: path.split("/").map(encodeURIComponent).join("/"), uriBaseId: "SRCROOT" },
  ...(line === null ? {} : { region: { startLine: line } }),
});
