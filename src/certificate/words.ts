import { isByGit } from "../review/pairing.ts";
import type { Worker } from "../state-machine/evidence.ts";
import type { Certificate, Gap } from "./schema.ts";

/** What a certificate leaves unproven, in sentences. */
export const gapWords: Readonly<Record<Gap, string>> = {
  "spec-not-released": "no release of the ticket's text was in force when it was merged",
  "head-not-reviewed": "this head was never reviewed",
  "review-not-passed": "the last review of this head did not pass it",
  "review-overtaken":
    "the review passed this head, but something since (an objection, a stop, red checks) took that back",
  "review-without-evidence": "what the verdict stands on was not recorded",
  "tree-not-recorded": "the files the reviewer had were not recorded",
  "model-not-observed":
    "a model was named by the operator's configuration alone; nobody saw which one worked",
  "no-consent": "nobody consented to the merge of this head: no approval of it, no auto-merge",
  "checks-not-green": "not every check was green",
  "checks-none": "the head had no checks, or the forge could not show them",
  "checks-seen-afterwards":
    "the checks were read after the merge; how they stood at that moment is not known",
  "checks-omitted": "it had more checks than are listed",
  "merged-by-a-person": "a person merged it on the forge, not forgehand",
  "merged-by-another": "it is not known to be forgehand that merged it",
  "merge-not-readable": "the forge could not show the merge commit",
};

/** A certificate in a few lines for people. Names come from anybody: whoever shows them makes them harmless. */
export function summaryLines(certificate: Certificate): readonly string[] {
  const { pull, head, spec, builders, review, consent, checks, merge, cost, gates } = certificate;
  const told = (who: {
    readonly by: string;
    readonly permission: string | null;
    readonly at: number;
  }): string =>
    `${who.by}${who.permission === null ? "" : ` (${who.permission})`}, ${new Date(who.at).toISOString()}`;
  const evidence = review?.evidence ?? undefined;
  const rows: readonly (readonly [string, string])[] = [
    ["pull request", pull === null ? "not known" : `#${pull.number} into ${pull.base}`],
    ["head", head],
    ["released", spec === null ? "not in force" : `${told(spec)}, line ${spec.line}, text ${spec.hash}`],
    ["built by", workers(builders)],
    [
      "reviewed",
      review === null
        ? `never${certificate.reviewedBefore === null ? "" : `; ${certificate.reviewedBefore} was`}`
        : `${review.outcome}, line ${review.line}${evidence === undefined ? "" : `, by ${workers(evidence.reviewers)}, verdict ${evidence.verdict}`}`,
    ],
    ...gates.map((reason) => ["needs a person", reason] as const),
    ["consent", consent === null ? "none" : `${consent.how} by ${told(consent)}, line ${consent.line}`],
    [
      "checks",
      checks.list.length === 0
        ? "none"
        : checks.list
            .map(({ name, conclusion, app }) => `${name} ${conclusion}${app === null ? "" : ` (${app})`}`)
            .join(", "),
    ],
    ["merged", `${merge.commit ?? "not known"}, ${merge.method}, by ${merge.by.login ?? "nobody known"}`],
    [
      "cost",
      `${cost.guessed ? "~" : ""}$${cost.usd.toFixed(2)}, ${cost.inputTokens + cost.outputTokens} tokens, ${cost.sessions} sessions`,
    ],
    ...certificate.gaps.map((gap) => ["does not prove", gapWords[gap]] as const),
  ];
  return rows.map(([name, text]) => `  ${name.padEnd(15)} ${text}`);
}

const workers = (list: readonly Worker[]): string =>
  list.length === 0
    ? "nobody known"
    : list
        .map((worker) => {
          if (isByGit(worker)) return "git alone, without a model";
          const { runtime, family, models, seen } = worker;
          return `${runtime} on ${models.join(" and ")} (${family}${seen === "observed" ? "" : ", as configured"})`;
        })
        .join(", ");
