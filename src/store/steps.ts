/** One event of one ticket, with everything that it changes, in one transaction. */
import { one, run, type SqlValue, type Statement, type Verb } from "../sql.ts";
import type { Effect } from "../state-machine/effect.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Policy, RunId, State, Ticket, TicketId } from "../state-machine/ticket.ts";
import { genesis, lineUnder, policyNumber } from "./ledger.ts";
import { sending, type OutboxEffect } from "./outbox.ts";
import { release, reserve, type Caps } from "./reservations.ts";
import { activeIn, countOver, ticketOf, type TicketRow } from "./tickets.ts";

/** How the engine's rows are written inside a ticket's transaction. */
export interface RunVerbs {
  start(spec: {
    readonly run: RunId;
    readonly workflow: string;
    readonly input: unknown;
    readonly at: number;
  }): Verb<void>;
  cancel(run: RunId, at: number): Verb<void>;
  /** Nothing of it works any more until it is resumed. */
  hold(run: RunId, at: number): Verb<unknown>;
  resume(run: RunId): Verb<unknown>;
}

/** For a store through which no ticket is moved. */
export const noRuns: RunVerbs = {
  start: () => run("select 1"),
  cancel: () => run("select 1"),
  hold: () => run("select 1"),
  resume: () => run("select 1"),
};

/** One event that a ticket is to take. */
export interface Order {
  readonly ticket: TicketId;
  readonly event: TicketEvent;
  /** Names this event for ever: taking it twice changes nothing. */
  readonly eventId: string;
  readonly actor: string;
  readonly permission?: string | undefined;
  readonly policy: Policy;
  /** What each run that this step starts or resumes may spend, unless a person allowed it another sum. */
  readonly caps: Caps;
  /** Longest a run may take in all, in milliseconds. */
  readonly runLimitMs: number;
  readonly now: number;
}
/** What becomes of a ticket by an event. */
export interface Decision {
  readonly after: Ticket;
  readonly effects: readonly Effect[];
  readonly row: string;
}
/** What a step begins with: the ticket, the ledger's newest line, and whether the ticket has taken the event already. */
interface Found extends Pick<TicketRow, "repo" | "version" | "body" | "since" | "queued_at"> {
  readonly seq: number | null;
  readonly hash: string | null;
  readonly taken: 0 | 1;
  /** The number of the order's policy, where the ledger has it already. */
  readonly policy: number | null;
  /** Effects of earlier steps still wait. */
  readonly waits: 0 | 1;
}
const findTicket = `select repo, version, body, since, queued_at, (select max(seq) from ledger) as seq,
    (select hash from ledger order by seq desc limit 1) as hash,
    exists (select 1 from ledger where ticket = ? and event_id = ?) as taken,
    (select id from policy where body = ?) as policy,
    exists (select 1 from outbox where outbox.ticket = ticket.id) as waits
  from ticket where id = ?`;

/**
 * One event, one transaction: the ticket is read and decided upon, and ticket, ledger line, outbox rows, the run's start
 * and stop and the budget go together or not at all. What it has taken before, and what no row takes, changes nothing.
 */
export function* commitStep<Decided extends Decision>(
  runs: RunVerbs,
  order: Order,
  decide: (before: Ticket) => Decided | undefined,
): Verb<{ readonly before: Ticket; readonly decided: Decided | undefined }> {
  const policy = JSON.stringify(order.policy);
  const stored = yield* one<Found>(findTicket, order.ticket, order.eventId, policy, order.ticket);
  if (stored === undefined) throw new Error(`${order.ticket} has no name yet`);
  const before = ticketOf(order.ticket, stored.body);
  const decided = decide(before);
  if (decided === undefined) return { before, decided };
  // Its delivery is a repeat.
  if (stored.taken === 1) return { before, decided: undefined };
  const { after, effects, row } = decided;
  yield saved(order, stored, before, after);
  if (before.state !== after.state) yield* countEnds(stored.repo, before.state, after.state);
  const newest = { seq: stored.seq ?? 0, hash: stored.hash ?? genesis };
  yield lineUnder(newest, {
    ticket: order.ticket,
    version: stored.version + 1,
    eventId: order.eventId,
    at: order.now,
    actor: order.actor,
    permission: order.permission,
    event: order.event,
    row,
    from: before.state,
    to: after.state,
    policy: { body: policy, number: stored.policy ?? (yield* policyNumber(policy)) },
  });
  // A run that is no longer the ticket's may spend nothing and has no deadline, however it came to its end.
  if (before.run !== undefined && before.run !== after.run) yield* release(before.run);
  const outgoing = yield* moveRuns(runs, order, { after, effects, repo: stored.repo });
  const cause = { eventId: order.eventId, line: newest.seq + 1, isFirst: stored.waits === 0 };
  yield* sending(cause, order.ticket, outgoing, order.now);
  return { before, decided };
}

/**
 * SQLite rewrites the index entries of every column that an update names, so each of these is named only where it
 * changes. All sixteen are written beforehand, so that no step puts its own together.
 */
const updates: readonly string[] = Array.from({ length: 16 }, (_, which) => {
  const named = ["active", "pull", "head", "upon"].filter(
    (_column, at) => Math.trunc(which / 2 ** at) % 2 === 1,
  );
  return `update ticket set version = ?, body = ?, updated_at = ?, state = ?, since = ?, queued_at = ?,
    writes = writes * ?, answers = answers * ?${named.map((column) => `, ${column} = ?`).join("")} where id = ?`;
});

function saved({ event, now }: Order, stored: Found, before: Ticket, after: Ticket): Statement {
  const stays = before.state === after.state;
  const isQueued = after.state === "Ready" || after.state === "Rework";
  // Counted anew by whoever lets it go on.
  const counted = event.type === "operator.retried" || event.type === "ready.granted" ? 0 : 1;
  const args: SqlValue[] = [
    stored.version + 1,
    JSON.stringify(after),
    now,
    after.state,
    stays ? stored.since : now,
    stays ? stored.queued_at : isQueued ? now : null,
    counted,
    counted,
  ];
  let which = 0;
  if (activeIn(before.state) !== activeIn(after.state)) {
    which += 1;
    args.push(activeIn(after.state));
  }
  if (before.pull !== after.pull) {
    which += 2;
    args.push(after.pull ?? null);
  }
  if (before.head !== after.head) {
    which += 4;
    args.push(after.head ?? null);
  }
  if (before.upon?.ticket !== after.upon?.ticket) {
    which += 8;
    args.push(after.upon?.ticket ?? null);
  }
  args.push(after.id);
  return { sql: updates[which] ?? "", args };
}

function* countEnds(repo: number, before: State, after: State): Verb<void> {
  if (activeIn(before) === null) yield* countOver(repo, before, -1);
  if (activeIn(after) === null) yield* countOver(repo, after, 1);
}
interface Moved {
  readonly after: Ticket;
  readonly effects: readonly Effect[];
  readonly repo: number;
}

/** Writes what the effects ask of the engine, and answers the others: they leave the house. */
function* moveRuns(
  runs: RunVerbs,
  order: Order,
  { after, effects, repo }: Moved,
): Verb<readonly OutboxEffect[]> {
  const outgoing: OutboxEffect[] = [];
  for (const effect of effects) {
    switch (effect.type) {
      case "run.start": {
        const input = { ticket: after.id, head: effect.head ?? null };
        yield* runs.start({ run: effect.run, workflow: effect.phase, input, at: order.now });
        yield* letSpend(effect.run, order, after, repo);
        break;
      }
      case "run.resume":
        yield* runs.resume(effect.run);
        yield* letSpend(effect.run, order, after, repo);
        break;
      case "run.hold":
        yield* runs.hold(effect.run, order.now);
        break;
      case "run.stop":
        yield* runs.cancel(effect.run, order.now);
        break;
      default:
        outgoing.push(effect);
    }
  }
  return outgoing;
}

/** The run's money and its deadline. */
function* letSpend(runId: RunId, order: Order, after: Ticket, repo: number): Verb<void> {
  const { caps, runLimitMs, now } = order;
  yield* reserve({
    run: runId,
    ticket: after.id,
    repo,
    allowedUsd: after.allowance,
    caps,
    at: now,
    dueAt: now + runLimitMs,
  });
}
