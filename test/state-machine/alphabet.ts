import type { MergeFacts } from "../../src/state-machine/evidence.ts";
import type { HeadUpdate, TicketEvent } from "../../src/state-machine/event.ts";
import { newTicket, type Policy, type Ticket, type Upon } from "../../src/state-machine/ticket.ts";

/** Small limits reach every corner sooner; the rows compare, they do not count. */
export const policy: Policy = { maxAttempts: 2, maxCycles: 2, maxUnreviewed: 2, mergeAfterApproval: true };
export const first: Ticket = canonical(newTicket("t"));

/**
 * Names do not matter to the table, only whether they are equal. So the current head is always called `a`, any other
 * `b`, the current run `t/1`, as is one put aside, and a run that is over `t/0`.
 */
export function canonical(ticket: Ticket): Ticket {
  const named = (head: string | undefined): string | undefined =>
    head === undefined ? undefined : head === ticket.head ? "a" : "b";
  return {
    ...ticket,
    // Beyond its limit a counter is only ever set to zero.
    counters: { ...ticket.counters, unreviewed: Math.min(ticket.counters.unreviewed, policy.maxUnreviewed) },
    head: named(ticket.head),
    reviewed: named(ticket.reviewed),
    approved: named(ticket.approved),
    needsPerson: named(ticket.needsPerson),
    upon: ticket.upon === undefined ? undefined : upon,
    run: ticket.run === undefined ? undefined : "t/1",
    aside: ticket.aside === undefined ? undefined : "t/1",
    runs: 1,
  };
}

/** Another ticket: which one it is, the table does not ask. */
export const upon: Upon = { ticket: "u", ref: "acme/web#7", head: "u" };

export const keyOf = (ticket: Ticket): string => Object.values(ticket).map(wordOf).join("|");
const wordOf = (value: Ticket[keyof Ticket]): string => {
  if (typeof value !== "object") return String(value);
  return "head" in value ? value.head : `${value.attempts}${value.cycles}${value.unreviewed}`;
};

const heads = ["a", "b"] as const;
const why = "because";
const comment = { kind: "comment", id: 1, thread: 1 } as const;

function reports(run: string): readonly TicketEvent[] {
  return [
    { type: "deadline.passed", run, why },
    { type: "budget.spent", run, why },
    { type: "run.exhausted", run, why },
    { type: "gate.passed", run },
    { type: "gate.flagged", run, gaps: [{ about: "Where", missing: "the file" }], comment: why },
    { type: "build.gave-up", run, how: "failed", why },
    { type: "build.gave-up", run, how: "unfinished", why },
    { type: "build.gave-up", run, how: "unfinished", why, turns: 2 },
    { type: "agent.prodded", run, how: "nudged", why },
    ...heads.flatMap((head): readonly TicketEvent[] => [
      { type: "build.delivered", run, head, summary: why },
      { type: "build.delivered", run, head, summary: why, orders: "wait" },
      { type: "review.passed", run, head, summary: why, needsPerson: [] },
      { type: "review.passed", run, head, summary: why, needsPerson: [".github/x.yml"] },
      { type: "review.failed", run, head, summary: why },
      { type: "review.blocked", run, head, why },
    ]),
  ];
}

/** The table does not look into them. */
const facts: MergeFacts = {
  ref: "r",
  pull: null,
  commit: null,
  by: { login: null, kind: "unknown", permission: null },
  checks: { list: [], omitted: 0 },
  makers: [],
  cost: { usd: 0, guessed: false, inputTokens: 0, outputTokens: 0, sessions: 0 },
};

const aboutHeads = heads.flatMap((head): readonly TicketEvent[] => [
  { type: "human.approved", head, by: "ann" },
  { type: "approval.withdrawn", head, by: "ann" },
  { type: "pr.opened", pull: 1, head },
  { type: "merge.asked", head, base: "m", method: "squash", checks: { list: [], omitted: 0 } },
  { type: "pr.merged", head, merge: "m" },
  { type: "merge.certified", head, merge: "m", facts, certificate: "c" },
  { type: "head.moved", head },
  { type: "checks.started", head },
  { type: "checks.passed", head },
  { type: "checks.failed", head, why },
  { type: "checks.absent", head },
  { type: "ci.doubted", head, how: "rerun", checks: [{ name: "test", id: 1 }], why },
  { type: "ci.doubted", head, how: "base", checks: [{ name: "test" }], why },
  { type: "base.moved", head, why },
  { type: "merge.refused", head, how: "conflict", why },
  { type: "merge.refused", head, how: "checks", why },
  { type: "merge.refused", head, how: "policy", why },
]);

/** Everything that may happen, in every variety the table can tell apart. */
export const alphabet: readonly TicketEvent[] = [
  { type: "ready.granted", spec: "s" },
  { type: "ready.revoked" },
  { type: "spec.edited", spec: "s" },
  { type: "spec.edited", spec: "edited" },
  { type: "slot.granted" },
  { type: "slot.withheld", why: "acme/web#7 to be done" },
  ...reports("t/1"),
  ...aboutHeads,
  { type: "automerge.set", on: true },
  { type: "automerge.set", on: false },
  { type: "human.objected", by: "ann", order: why },
  { type: "human.told", by: "ann", order: why },
  { type: "order.withdrawn", by: "ann", objection: "o", left: "nothing" },
  { type: "order.withdrawn", by: "ann", objection: "o", left: "more" },
  { type: "human.asked", comment, ask: { about: "explain" } },
  { type: "ticket.cancelled", why },
  { type: "ticket.reopened" },
  { type: "tracker.contested", why, card: "put back" },
  { type: "tracker.contested", why, card: "left" },
  { type: "operator.retried" },
  { type: "operator.retried", orders: "wait" },
  { type: "operator.stopped" },
  { type: "operator.reset" },
  { type: "budget.raised", usd: 8 },
  { type: "budget.raised", usd: 8, orders: "wait" },
  { type: "effect.failed", effect: "pull.open", why },
  { type: "pr.closed" },
  { type: "pr.retargeted", base: "other" },
  { type: "halt.raised" },
  { type: "halt.lifted" },
  { type: "hold.set", on: true },
  { type: "hold.set", on: false },
  { type: "runtime.chosen", runtime: "contested" },
  { type: "runtime.chosen", runtime: undefined },
  ...reports("t/0"),
];

const update: HeadUpdate = {
  from: "o",
  oldBase: "m",
  base: "n",
  how: "merge",
  unchanged: true,
  gained: { count: 1, subjects: [] },
};

/** What has nothing to do with what a ticket stands on, and would only make many more tickets of each stacked one. */
const besides: ReadonlySet<TicketEvent["type"]> = new Set([
  "hold.set",
  "halt.raised",
  "halt.lifted",
  "runtime.chosen",
  "budget.spent",
  "budget.raised",
]);

/** What may happen to tickets that are stacked on others. */
export const stackedAlphabet: readonly TicketEvent[] = [
  ...alphabet.filter((event) => !besides.has(event.type) && !("run" in event && event.run === "t/0")),
  { type: "slot.granted", upon },
  ...heads.flatMap((head): readonly TicketEvent[] => [
    { type: "head.moved", head, update },
    { type: "head.moved", head, update: { ...update, upon } },
  ]),
];
