import { z } from "zod";
import type { Digest, FindingsSeen, ReviewEvidence, Worker } from "../state-machine/evidence.ts";
import type { Sha } from "../state-machine/ticket.ts";
import { canonical, digest } from "./canonical.ts";
import type { Finding } from "./verdict.ts";

const sha = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/u, "a commit or tree in hex");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/u, "64 hex digits");
const count = z.int().nonnegative();

export const workerSchema = z.strictObject({
  runtime: z.string(),
  family: z.string(),
  models: z.array(z.string()),
  seen: z.enum(["observed", "configured"]),
}) satisfies z.ZodType<Worker>;
export const findingsSeenSchema = z.strictObject({
  blocker: count,
  polish: count,
  future: count,
  hash: sha256,
}) satisfies z.ZodType<FindingsSeen>;
export const evidenceSchema = z.strictObject({
  base: sha,
  tree: sha.nullable(),
  builders: z.array(workerSchema),
  reviewers: z.array(workerSchema),
  findings: findingsSeenSchema,
  rules: z.string(),
  verdict: sha256,
}) satisfies z.ZodType<ReviewEvidence>;

type Evidence = z.infer<typeof evidenceSchema>;

/** Everything a verdict is about. */
export interface Judged extends Omit<ReviewEvidence, "verdict"> {
  readonly head: Sha;
  readonly summary: string;
  readonly needsPerson: readonly string[];
}

/** The verdict by its content. Who judged is no part of it, so that two who say the same say the same. */
export const verdictDigest = (judged: Judged): Digest =>
  digest({
    schema: "forgehand/verdict/1",
    head: judged.head,
    base: judged.base,
    tree: judged.tree,
    summary: judged.summary,
    findings: judged.findings.hash,
    needsPerson: judged.needsPerson,
    rules: judged.rules,
  });

/** The findings by number and content. */
export function findingsSeen(findings: readonly Finding[]): FindingsSeen {
  const of = (grade: Finding["grade"]): number => findings.filter((one) => one.grade === grade).length;
  return { blocker: of("blocker"), polish: of("polish"), future: of("future"), hash: digest(findings) };
}

/** The record of a passing verdict. */
export function evidenceOf(
  seen: Pick<Judged, "head" | "summary" | "needsPerson" | "base" | "tree" | "builders" | "reviewers"> & {
    readonly findings: readonly Finding[];
    readonly rules: Readonly<Record<string, unknown>>;
  },
): Evidence {
  const { head, summary, needsPerson, base, tree, builders, reviewers } = seen;
  const findings = findingsSeen(seen.findings);
  const rules = canonical(seen.rules);
  const verdict = verdictDigest({
    head,
    summary,
    needsPerson,
    base,
    tree,
    builders,
    reviewers,
    findings,
    rules,
  });
  return {
    base,
    tree,
    builders: builders.map(copied),
    reviewers: reviewers.map(copied),
    findings,
    rules,
    verdict,
  };
}

const copied = (worker: Worker) => ({ ...worker, models: [...worker.models] });
