/** What a rule may be called; each has a paragraph in docs/review-gates.md. */
export type Rule =
  | "test-deleted"
  | "test-moved-away"
  | "test-removed"
  | "test-skipped"
  | "assertion-removed"
  | "assertion-weakened"
  | "assertion-unreached"
  | "expectation-changed"
  | "unit-mocked"
  | "tolerance-widened"
  | "retries-raised"
  | "threshold-lowered"
  | "snapshots-rewritten"
  | "ci-edited"
  | "config-weakened"
  | "script-weakened"
  | "checker-silenced"
  | "source-knows-tests"
  | "harness-bent"
  | "line-unreadable"
  | "diff-too-large"
  | "generated-edited"
  | "secret-added";

/** One sign that a change needs a person, and where it is. */
export interface Hit {
  readonly rule: Rule;
  readonly path: string;
  readonly line?: number;
  readonly reason: string;
}

/** The hit as one sentence for people. */
export const sayHit = ({ path, line, reason }: Hit): string =>
  path === "" ? reason : `\`${path}${line === undefined ? "" : `:${line}`}\`: ${reason}`;
