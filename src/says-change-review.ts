/** What the review of a change without a ticket says on its pull request. */
import { findingText } from "./says-review.ts";
import { block, quoted, short, type FindingView } from "./says.ts";

const told = {
  pass: "nothing that must hold it back",
  fail: "something that must be mended",
  blocked: "no verdict",
} as const;

/** The body of the one review. */
export function changeReview(review: {
  readonly verdict: keyof typeof told;
  readonly head: string;
  readonly reviewer: string;
  readonly summary: string;
  readonly count: string;
  /** What rules found, and findings without a line. */
  readonly findings: readonly FindingView[];
  readonly gates: readonly string[];
}): string {
  const { verdict, head, reviewer, summary, count, findings, gates } = review;
  return [
    `**forgehand review: ${verdict}**, ${told[verdict]} at \`${short(head)}\` (${quoted(reviewer, 100)})`,
    "",
    ...(summary === "" ? [] : [block(summary), ""]),
    count,
    ...(gates.length === 0
      ? []
      : ["", "Found by rule, for a person to look at:", ...gates.map((gate) => `- ${quoted(gate, 300)}`)]),
    ...findings.flatMap((finding) => ["", placed(finding)]),
    "",
    "This review only comments; it neither approves nor holds anything back.",
  ].join("\n");
}

/** Findings that hang at no line of the pull request. */
export const listedFindings = (
  findings: readonly { readonly path: string; readonly line: number; readonly body: string }[],
): string => findings.map(({ path, line, body }) => `\`${quoted(path, 200)}:${line}\` ${body}`).join("\n\n");

const placed = (finding: FindingView): string =>
  finding.path === undefined
    ? findingText(finding)
    : `\`${quoted(finding.path, 200)}\` ${findingText(finding)}`;

/** In the place of what a review of an older head said. */
export const outdatedReview = (head: string): string =>
  `A newer head was reviewed since: \`${short(head)}\`. Comments of this older review may be settled.`;
