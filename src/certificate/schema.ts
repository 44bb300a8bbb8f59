import { z } from "zod";
import { findingsSeenSchema, workerSchema } from "../review/evidence.ts";
import type { ChecksSeen, Cost, MergeFacts } from "../state-machine/evidence.ts";

/** Whoever changes what a field means, or takes one away, counts this up. */
export const certificateSchemaName = "forgehand/merge-certificate/1";

/** sha1, or sha256 in repositories that use it. */
const sha = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/u, "a commit or tree in hex");
const digest = z.string().regex(/^[0-9a-f]{64}$/u, "64 hex digits");
const count = z.int().nonnegative();
const line = z.int().positive();
/** Milliseconds since 1970. */
const instant = z.int().nonnegative();

const checkSeen = z.strictObject({ name: z.string(), conclusion: z.string(), app: z.string().nullable() });
const checksSeen = z.strictObject({
  list: z.array(checkSeen),
  omitted: count,
}) satisfies z.ZodType<ChecksSeen>;
const cost = z.strictObject({
  usd: z.number().nonnegative(),
  guessed: z.boolean(),
  inputTokens: count,
  outputTokens: count,
  sessions: count,
}) satisfies z.ZodType<Cost>;
const mergedBy = z.strictObject({
  login: z.string().nullable(),
  kind: z.enum(["forgehand", "person", "bot", "unknown"]),
  permission: z.string().nullable(),
});
const pull = z.strictObject({ number: z.int().positive(), url: z.string(), base: z.string() });

/** What is known of a merge only afterwards, as a line of the ledger tells it. */
export const mergeFactsSchema = z.strictObject({
  ref: z.string(),
  pull: pull.nullable(),
  commit: z.strictObject({ tree: sha, parents: z.array(sha) }).nullable(),
  by: mergedBy,
  checks: checksSeen,
  makers: z.array(workerSchema),
  cost,
}) satisfies z.ZodType<MergeFacts>;

/** What a certificate may leave unproven; the sentence to each is in `words.ts`. */
export const gaps = [
  "spec-not-released",
  "head-not-reviewed",
  "review-not-passed",
  "review-overtaken",
  "review-without-evidence",
  "tree-not-recorded",
  "model-not-observed",
  "no-consent",
  "checks-not-green",
  "checks-none",
  "checks-seen-afterwards",
  "checks-omitted",
  "merged-by-a-person",
  "merged-by-another",
  "merge-not-readable",
] as const;
export type Gap = (typeof gaps)[number];

/** How the merge commit came to be: as its parents tell, and of one with a single parent as we asked for it. */
export const methods = ["merge", "squash", "rebase", "fast-forward", "unknown"] as const;
export type Method = (typeof methods)[number];

/** Somebody whose word counted, and the ledger's line that holds it. */
const spoken = {
  by: z.string(),
  /** As the forge told it at that moment; null for an operator on the host. */
  permission: z.string().nullable(),
  at: instant,
  line,
};

export const certificateSchema = z.strictObject({
  schema: z.literal(certificateSchemaName),
  ticket: z.string(),
  /** `owner/name#42` */
  ref: z.string(),
  pull: pull.nullable(),
  /** What was merged. */
  head: sha,
  /** What a person released. */
  spec: z.strictObject({ hash: digest, ...spoken }).nullable(),
  builders: z.array(workerSchema),
  /** The last verdict on exactly this head. */
  review: z
    .strictObject({
      outcome: z.enum(["passed", "failed", "blocked"]),
      /** Nothing had taken it back when the head was merged. */
      stands: z.boolean(),
      at: instant,
      line,
      evidence: z
        .strictObject({
          base: sha,
          tree: sha.nullable(),
          reviewers: z.array(workerSchema),
          findings: findingsSeenSchema,
          summary: digest,
          rules: digest,
          verdict: digest,
        })
        .nullable(),
    })
    .nullable(),
  /** Where this head passed no review: the newest one before that did. */
  reviewedBefore: sha.nullable(),
  /** Why the deterministic gates wanted a person. */
  gates: z.array(z.string()),
  consent: z.strictObject({ how: z.enum(["approval", "auto-merge"]), head: sha, ...spoken }).nullable(),
  checks: z.strictObject({
    list: z.array(checkSeen),
    omitted: count,
    /** `before`: right before the forge was asked to merge. */
    seen: z.enum(["before", "after"]),
    line: line.nullable(),
  }),
  merge: z.strictObject({
    commit: sha.nullable(),
    tree: sha.nullable(),
    parents: z.array(sha).nullable(),
    method: z.enum(methods),
    by: mergedBy,
    at: instant,
  }),
  cost,
  /** What it does not prove. */
  gaps: z.array(z.enum(gaps)),
  /** The line that tells of the merge; all before it is bound by its hash. */
  ledger: z.strictObject({ line, hash: digest }),
});
export type Certificate = z.infer<typeof certificateSchema>;
