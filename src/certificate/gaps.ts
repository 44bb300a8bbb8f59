import type { Certificate, Gap } from "./schema.ts";

/** Conclusions that stand in nobody's way. */
const fine: ReadonlySet<string> = new Set(["success", "neutral", "skipped"]);

/** What the certificate does not prove, in the order of its fields. */
export function gapsOf(certificate: Omit<Certificate, "gaps">): Gap[] {
  const { spec, review, builders, consent, checks, merge } = certificate;
  const evidence = review?.evidence;
  const passed = review?.outcome === "passed";
  const workers = [...builders, ...(evidence?.reviewers ?? [])];
  const found: readonly (readonly [Gap, boolean])[] = [
    ["spec-not-released", spec === null],
    ["head-not-reviewed", review === null],
    ["review-not-passed", review !== null && !passed],
    ["review-overtaken", passed && !review.stands],
    ["review-without-evidence", passed && review.evidence === null],
    ["tree-not-recorded", evidence?.tree === null],
    ["model-not-observed", workers.some(({ seen }) => seen === "configured")],
    ["no-consent", consent === null],
    ["checks-not-green", checks.list.some(({ conclusion }) => !fine.has(conclusion))],
    ["checks-none", checks.list.length === 0],
    ["checks-seen-afterwards", checks.seen === "after"],
    ["checks-omitted", checks.omitted > 0],
    ["merged-by-a-person", merge.by.kind === "person"],
    ["merged-by-another", merge.by.kind === "bot" || merge.by.kind === "unknown"],
    ["merge-not-readable", merge.commit === null || merge.tree === null],
  ];
  return found.flatMap(([gap, is]) => (is ? [gap] : []));
}
