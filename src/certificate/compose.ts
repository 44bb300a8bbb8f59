/** The certificate of a merge is what the ledger's lines come to: whoever has the lines can make it again. */
import { canonical, digest } from "../review/canonical.ts";
import { verdictDigest } from "../review/evidence.ts";
import { redact } from "../secrets.ts";
import type { Digest, MergeFacts, ReviewEvidence } from "../state-machine/evidence.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import { learn } from "../state-machine/learn.ts";
import { newTicket, type Sha, type Ticket } from "../state-machine/ticket.ts";
import type { Line } from "../store/ledger.ts";
import { gapsOf } from "./gaps.ts";
import { certificateSchemaName, mergeFactsSchema, type Certificate, type Method } from "./schema.ts";

export interface Certified {
  readonly certificate: Certificate;
  readonly hash: Digest;
}

/** Reasons of the gates that are told; the verdict's hash is over all of them. */
const maxReasons = 50;
const maxReasonLength = 300;

/** Whether this line seals the certificate of that merge. */
export const isSealOf = (line: Line, merged: Line): boolean =>
  line.seq > merged.seq &&
  line.event.type === "merge.certified" &&
  merged.event.type === "pr.merged" &&
  line.event.merge === merged.event.merge &&
  line.event.head === merged.event.head;

/** The newest certified merge among a ticket's lines. */
export function newestSeal(
  lines: readonly Line[],
): { readonly merged: Line; readonly seal: Line } | undefined {
  const merged = lines.findLast(({ event }) => event.type === "pr.merged");
  const seal = merged && lines.find((line) => isSealOf(line, merged));
  return merged === undefined || seal === undefined ? undefined : { merged, seal };
}

/** The certificate that a seal is about. Throws where a line does not hold what its kind must. */
export function sealedCertificate(lines: readonly Line[], merged: Line, seal: Line): Certified {
  if (seal.event.type !== "merge.certified") throw new Error(`line ${seal.seq} seals nothing`);
  return certificateOf(lines, merged, mergeFactsSchema.parse(seal.event.facts));
}

/** Makes the certificate of a merge from its ticket's lines and what is known only afterwards. Pure. */
export function certificateOf(lines: readonly Line[], merged: Line, facts: MergeFacts): Certified {
  const { event } = merged;
  if (event.type !== "pr.merged") throw new Error(`line ${merged.seq} tells of no merge`);
  const before = lines.filter(({ seq }) => seq < merged.seq);
  const past: Past = { before, ticket: ticketAfter(before, merged.ticket), head: event.head };
  const review = reviewOf(past);
  const passed = review?.outcome === "passed";
  const evidence = passed ? evidenceAt(before, review.line) : undefined;
  const asked = facts.by.kind === "forgehand" ? askedIn(past) : undefined;
  const body: Omit<Certificate, "gaps"> = {
    schema: certificateSchemaName,
    ticket: merged.ticket,
    ref: facts.ref,
    pull: facts.pull,
    head: event.head,
    spec: specOf(past),
    builders: copied(evidence?.builders ?? facts.makers),
    review,
    reviewedBefore: passed ? null : lastReviewed(before),
    gates: passed ? gatesAt(before, review.line) : [],
    consent: consentOf(past),
    checks:
      asked === undefined
        ? { ...copied(facts.checks), seen: "after", line: null }
        : { ...copied(asked.event.checks), seen: "before", line: asked.seq },
    merge: {
      commit: event.merge === "" ? null : event.merge,
      tree: facts.commit?.tree ?? null,
      parents: facts.commit === null ? null : [...facts.commit.parents],
      method: methodOf(event, facts, asked?.event.method),
      by: facts.by,
      at: merged.at,
    },
    cost: facts.cost,
    ledger: { line: merged.seq, hash: merged.hash },
  };
  const certificate = { ...body, gaps: gapsOf(body) };
  return { certificate, hash: digest(certificate) };
}

/** The same as plain JSON of our own, which nobody else changes. */
const copied = <Value>(value: Value): Mutable<Value> => JSON.parse(canonical(value)) as Mutable<Value>;
type Mutable<Value> = Value extends readonly (infer One)[]
  ? Mutable<One>[]
  : Value extends object
    ? { -readonly [Key in keyof Value]: Mutable<Value[Key]> }
    : Value;

interface Past {
  readonly before: readonly Line[];
  /** As it was right before the merge. */
  readonly ticket: Ticket;
  readonly head: Sha;
}
type Told<Type extends TicketEvent["type"]> = Line & {
  readonly event: Extract<TicketEvent, { type: Type }>;
};
const tells =
  <Type extends TicketEvent["type"]>(type: Type) =>
  (line: Line): line is Told<Type> =>
    line.event.type === type;

/** What the lines teach, each led where it says: the table of the day may be another one. */
const ticketAfter = (lines: readonly Line[], id: string): Ticket =>
  lines.reduce((ticket, { event, to }) => learn(ticket, event, to), newTicket(id));

const spokenAt = ({ actor, permission, at, seq }: Line) => ({
  by: actor,
  permission: permission ?? null,
  at,
  line: seq,
});

function specOf({ before, ticket }: Past): Certificate["spec"] {
  const release = before
    .filter(tells("ready.granted"))
    .findLast(({ event, to }) => event.spec === ticket.spec && to === "Ready");
  return release === undefined ? null : { hash: release.event.spec, ...spokenAt(release) };
}

const outcomes = {
  "review.passed": "passed",
  "review.failed": "failed",
  "review.blocked": "blocked",
} as const;
const isVerdict = (type: string): type is keyof typeof outcomes => type in outcomes;

function reviewOf({ before, ticket, head }: Past): Certificate["review"] {
  const last = before.findLast(
    ({ event }) => isVerdict(event.type) && "head" in event && event.head === head,
  );
  if (last === undefined || !isVerdict(last.event.type)) return null;
  const outcome = outcomes[last.event.type];
  const evidence = outcome === "passed" ? evidenceAt(before, last.seq) : undefined;
  return {
    outcome,
    stands: outcome === "passed" && ticket.reviewed === head,
    at: last.at,
    line: last.seq,
    evidence:
      evidence === undefined || last.event.type !== "review.passed"
        ? null
        : {
            base: evidence.base,
            tree: evidence.tree,
            reviewers: copied(evidence.reviewers),
            findings: copied(evidence.findings),
            summary: digest(last.event.summary),
            rules: digest(evidence.rules),
            // Not as it was noted down, but as it comes out again.
            verdict: verdictDigest({ ...last.event, ...evidence }),
          },
  };
}

const passAt = (before: readonly Line[], seq: number): Told<"review.passed"> | undefined =>
  before.filter(tells("review.passed")).find((line) => line.seq === seq);
const evidenceAt = (before: readonly Line[], seq: number): ReviewEvidence | undefined =>
  passAt(before, seq)?.event.evidence;
const gatesAt = (before: readonly Line[], seq: number): string[] =>
  (passAt(before, seq)?.event.needsPerson ?? [])
    .slice(0, maxReasons)
    .map((reason) => redact(reason).slice(0, maxReasonLength));

const lastReviewed = (before: readonly Line[]): Sha | null =>
  before.findLast(tells("review.passed"))?.event.head ?? null;

/** What released it when it was merged: an approval of exactly this head, or the label for whatever head is reviewed. */
function consentOf({ before, ticket, head }: Past): Certificate["consent"] {
  const approval =
    ticket.approved === head
      ? before.filter(tells("human.approved")).findLast(({ event }) => event.head === head)
      : undefined;
  if (approval !== undefined) return { how: "approval", head, ...spokenAt(approval), by: approval.event.by };
  const label =
    ticket.autoMerge && ticket.needsPerson !== head
      ? before.filter(tells("automerge.set")).findLast(({ event }) => event.on)
      : undefined;
  return label === undefined ? null : { how: "auto-merge", head, ...spokenAt(label) };
}

/** How it stood when we asked for this merge; of one that was refused, nothing is known of the moment it came about. */
function askedIn({ before, head }: Past): Told<"merge.asked"> | undefined {
  const last = before.filter(tells("merge.asked")).findLast(({ event }) => event.head === head);
  const refused = before.findLast(tells("merge.refused"));
  return last !== undefined && last.seq > (refused?.seq ?? 0) ? last : undefined;
}

function methodOf(
  { head, merge }: Extract<TicketEvent, { type: "pr.merged" }>,
  { commit }: MergeFacts,
  asked: string | undefined,
): Method {
  if (merge === head) return "fast-forward";
  if (commit?.parents.length === 2) return commit.parents[1] === head ? "merge" : "unknown";
  return commit?.parents.length === 1 && (asked === "squash" || asked === "rebase") ? asked : "unknown";
}
