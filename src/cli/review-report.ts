/** What a review found, as data and as text; the same for people, programs and the forge. */
import { parseDiff } from "../review/diff.ts";
import { fingerprint } from "../review/findings.ts";
import { gateHits, type GateRules } from "../review/needs-person.ts";
import { protectedReasons } from "../review/protected-paths.ts";
import { unreadReasons } from "../review/unread.ts";
import { exitCodes, type ExitCode } from "../problems.ts";
import type { ReviewedChange, ReviewedFinding } from "./review-change.ts";

export interface ReportedFinding {
  /** The same for the same complaint about the same file, whatever line it moved to. */
  readonly id: string;
  /** `reviewer`: an agent's opinion; `gate`: found by rule. */
  readonly source: "reviewer" | "gate";
  /** `review/correctness`, `gate/tampering` */
  readonly rule: string;
  readonly grade: "blocker" | "polish" | "future";
  readonly title: string;
  readonly body: string;
  readonly path: string | null;
  readonly line: number | null;
  /** The reviewers of a panel that named it. */
  readonly by: readonly string[];
}
export interface ReviewReport {
  readonly verdict: "pass" | "fail" | "blocked";
  /** What the process ends with for it. */
  readonly exit: ExitCode;
  readonly summary: string;
  readonly change: string;
  readonly base: string;
  readonly head: string;
  /** `owner/repo#7` */
  readonly pull: string | null;
  readonly families: { readonly builder: string; readonly reviewer: string };
  readonly models: readonly string[];
  readonly findings: readonly ReportedFinding[];
  readonly usd: number;
  /** The review on the pull request, where it was posted. */
  readonly posted: string | null;
}
export const failingOn = ["blocker", "gate", "never"] as const;
export type FailOn = (typeof failingOn)[number];

/** Everything that rules alone find in a change; none of it by itself fails one, and each takes a person's look. */
export async function gateFindings(diff: string, rules: GateRules): Promise<readonly ReportedFinding[]> {
  const files = parseDiff(diff);
  const hits = await gateHits(diff, rules);
  const reasons = [
    ...protectedReasons(files, rules.protectedPaths).map((reason) => [reason, "protected"] as const),
    ...unreadReasons(files).map((reason) => [reason, "unread"] as const),
  ];
  return [
    ...hits.map(({ rule, path, line, reason }) =>
      gateFinding(rule, { path: path === "" ? undefined : path, line, reason }),
    ),
    ...reasons.map(([text, rule]) => {
      const [, path, reason = text] = /^`([^`]+)` (.+)$/su.exec(text) ?? [];
      return gateFinding(rule, { path, line: undefined, reason });
    }),
  ];
}

function gateFinding(
  rule: string,
  at: { readonly path: string | undefined; readonly line: number | undefined; readonly reason: string },
): ReportedFinding {
  const { path, line, reason } = at;
  return {
    id: fingerprint({ path, kind: rule, title: reason }),
    source: "gate",
    rule: `gate/${rule}`,
    grade: "polish",
    title: reason,
    body: path === undefined ? reason : `\`${path}${line === undefined ? "" : `:${line}`}\`: ${reason}`,
    path: path ?? null,
    line: line ?? null,
    by: [],
  };
}

const ruleOf = (kind: string | undefined): string => {
  const plain = (kind ?? "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, "-")
    .replaceAll(/^-|-$/gu, "");
  return `review/${plain === "" ? "finding" : plain}`;
};

export const reported = (finding: ReviewedFinding): ReportedFinding => ({
  id: finding.id,
  source: "reviewer",
  rule: ruleOf(finding.kind),
  grade: finding.grade,
  title: finding.title,
  body: finding.body,
  path: finding.path ?? null,
  line: finding.line ?? null,
  by: finding.by ?? [],
});

/** Puts together what reviewers and rules said, and what the process ends with for it. */
export function reportOf(
  reviewed: ReviewedChange,
  about: Pick<ReviewReport, "change" | "base" | "head" | "pull">,
  { gates, failOn }: { readonly gates: readonly ReportedFinding[]; readonly failOn: FailOn },
): ReviewReport {
  const { verdict, summary, families, models, usd } = reviewed;
  return {
    verdict,
    exit: exitFor(verdict, gates.length, failOn),
    summary,
    ...about,
    families,
    models,
    findings: [...reviewed.findings.map(reported), ...gates],
    usd,
    posted: null,
  };
}

function exitFor(verdict: ReviewReport["verdict"], gates: number, failOn: FailOn): ExitCode {
  // Nobody judged it: that is never a pass, whatever may be let through.
  if (verdict === "blocked") return exitCodes.blocked;
  if (failOn === "never") return exitCodes.ok;
  return verdict === "fail" || (failOn === "gate" && gates > 0) ? exitCodes.failed : exitCodes.ok;
}

const verdicts = {
  pass: "PASS",
  fail: "FAIL",
  blocked: "BLOCKED, no verdict",
} as const;

/** For people, and for whoever reads a log. */
export function reportText(report: ReviewReport): string {
  const { verdict, change, summary, findings, families, models, usd } = report;
  const by = models.length === 0 ? "" : ` by ${models.join(", ")} (${families.reviewer})`;
  const cost = usd > 0 ? `, $${usd.toFixed(2)}` : "";
  return [
    `${verdicts[verdict]}: ${change}${by}${cost}`,
    ...(summary === "" ? [] : ["", summary]),
    ...findings.flatMap((one) => ["", ...findingLines(one)]),
    "",
    countLine(report),
    ...(report.posted === null ? [] : [`posted: ${report.posted}`]),
  ].join("\n");
}

function findingLines({
  grade,
  source,
  path,
  line,
  rule,
  title,
  body,
  by,
}: ReportedFinding): readonly string[] {
  const place = path === null ? "" : `${path}${line === null ? "" : `:${line}`}: `;
  const named = by.length === 0 ? "" : `, by ${by.join(" and ")}`;
  const mark = source === "gate" ? "gate" : grade;
  const text = body.trim() === "" || source === "gate" ? [] : body.trim().split("\n");
  return [`[${mark}] ${place}${title} (${rule}${named})`, ...text.map((words) => `    ${words}`)];
}

export function countLine({ findings }: Pick<ReviewReport, "findings">): string {
  const count = (fits: (one: ReportedFinding) => boolean): number => findings.filter(fits).length;
  const graded = (grade: string): number => count((one) => one.source === "reviewer" && one.grade === grade);
  const gates = count(({ source }) => source === "gate");
  const parts = [
    `${graded("blocker")} blocker`,
    `${graded("polish")} polish`,
    `${graded("future")} future`,
    ...(gates === 0 ? [] : [`${gates} by rule, for a person to look at`]),
  ];
  return parts.join(", ");
}
