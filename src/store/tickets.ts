import type { Effect } from "../state-machine/effect.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import {
  newTicket,
  states,
  type Policy,
  type RunId,
  type Sha,
  type State,
  type Ticket,
  type TicketId,
} from "../state-machine/ticket.ts";
import { all, one, run, type SqlValue, type Verb } from "../sql.ts";
import { recountedTicket } from "./costs.ts";
import { release, reserve, type Caps } from "./reservations.ts";
import { append, genesis, policyNumber } from "./ledger.ts";
import { send, type OutboxEffect } from "./outbox.ts";
import { keepFacts } from "./ticket-facts.ts";

/** What the forge calls it; refreshed whenever facts are read. */
export interface Named {
  readonly repo: number;
  readonly number: number;
  readonly ref: string;
  readonly title: string;
  readonly url: string;
  readonly author: string;
  /** Fixed when the ticket is first seen, because titles change and branches must not. */
  readonly branch: string;
  /** 1 to 4, 1 before all others; undefined where none is set. */
  readonly priority?: number | undefined;
  /** Undefined: nobody read them now. */
  readonly labels?: readonly string[] | undefined;
}
export interface Stored extends Omit<Named, "labels"> {
  readonly ticket: Ticket;
  /** The number of ledger lines of this ticket. */
  readonly version: number;
  /** When it entered its state. */
  readonly since: number;
  readonly updatedAt: number;
  /** When it last began to wait for a slot. */
  readonly queuedAt: number | undefined;
  readonly writes: number;
  readonly answers: number;
}
export interface TicketRow {
  id: string;
  repo: number;
  number: number;
  ref: string;
  title: string;
  url: string;
  author: string;
  branch: string;
  priority: number | null;
  version: number;
  body: string;
  since: number;
  updated_at: number;
  queued_at: number | null;
  active: 0 | 1 | null;
  writes: number;
  answers: number;
}

export function storedOf(row: TicketRow): Stored {
  // Whether it is on its way its state says; the column is there to be searched.
  const { id, version, body, since, updated_at, queued_at, active: _active, priority, ...named } = row;
  return {
    ...named,
    ticket: ticketOf(id, body),
    version,
    since,
    updatedAt: updated_at,
    queuedAt: queued_at ?? undefined,
    priority: priority ?? undefined,
  };
}

/** JSON drops what is undefined; a new ticket puts it back. */
export const ticketOf = (id: TicketId, body: string): Ticket => ({
  ...newTicket(id),
  ...(JSON.parse(body) as Partial<Ticket>),
});

export function* load(id: TicketId): Verb<Stored | undefined> {
  const row = yield* one<TicketRow>("select * from ticket where id = ?", id);
  return row && storedOf(row);
}

/** Makes the ticket known, or refreshes its name; its state is none of this verb's business. */
export function* name(id: TicketId, named: Named, now: number): Verb<void> {
  const branch = yield* ownBranch(id, named.repo, named.branch);
  yield* keepFacts(id, named, () => writeName(id, { ...named, branch }, now));
}
function* writeName(id: TicketId, named: Named, now: number): Verb<void> {
  yield* run(
    `insert into ticket (id, repo, number, ref, title, url, author, branch, priority, version, state, body, since, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'Backlog', ?, ?, ?)
     on conflict (id) do update set ref = excluded.ref, title = excluded.title, url = excluded.url, author = excluded.author,
       priority = excluded.priority`,
    id,
    named.repo,
    named.number,
    named.ref,
    named.title,
    named.url,
    named.author,
    named.branch,
    named.priority ?? null,
    JSON.stringify(newTicket(id)),
    now,
    now,
  );
}

/**
 * A branch in this repository that no other ticket has. Those of two Linear workspaces may have one name, and only here,
 * where it is written, nobody else can take it in between.
 */
function* ownBranch(id: TicketId, repo: number, wanted: string): Verb<string> {
  if (!id.startsWith("linear:")) return wanted;
  const other = yield* one(
    "select 1 from ticket where repo = ? and branch = ? and id <> ?",
    repo,
    wanted,
    id,
  );
  return other === undefined ? wanted : `${wanted}-${id.slice(-6)}`;
}

/** Its issue says another repository now, and nothing was built yet. */
export function* moveToRepo(id: TicketId, repo: number): Verb<void> {
  const stored = yield* load(id);
  if (stored === undefined) return;
  if (stored.ticket.head !== undefined || stored.ticket.pull !== undefined) return;
  const branch = yield* ownBranch(id, repo, stored.branch);
  const { state } = stored.ticket;
  if (activeIn(state) === null) yield* countOver(stored.repo, state, -1);
  yield* recountedTicket(id, () =>
    run("update ticket set repo = ?, branch = ? where id = ?", repo, branch, id),
  );
  if (activeIn(state) === null) yield* countOver(repo, state, 1);
}

/** A person gave it another place in the queue, or none. */
export function* setPriority(id: TicketId, priority: number | undefined): Verb<void> {
  yield* run("update ticket set priority = ? where id = ?", priority ?? null, id);
}

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
interface Found extends Pick<TicketRow, "repo" | "version" | "body"> {
  readonly seq: number | null;
  readonly hash: string | null;
  readonly taken: 0 | 1;
  /** The number of the order's policy, where the ledger has it already. */
  readonly policy: number | null;
}
const findTicket = `select repo, version, body, (select max(seq) from ledger) as seq,
    (select hash from ledger order by seq desc limit 1) as hash,
    exists (select 1 from ledger where ticket = ? and event_id = ?) as taken,
    (select id from policy where body = ?) as policy
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
  const version = stored.version + 1;
  yield* saveTicket(order, before, after, version);
  yield* countEnds(stored.repo, before.state, after.state);
  const newest = { seq: stored.seq ?? 0, hash: stored.hash ?? genesis };
  const line = yield* append(
    newest,
    {
      ticket: order.ticket,
      version,
      eventId: order.eventId,
      at: order.now,
      actor: order.actor,
      permission: order.permission,
      event: order.event,
      row,
      from: before.state,
      to: after.state,
      policy: order.policy,
    },
    stored.policy ?? (yield* policyNumber(policy)),
  );
  // A run that is no longer the ticket's may spend nothing and has no deadline, however it came to its end.
  if (before.run !== undefined && before.run !== after.run) yield* release(before.run);
  const outgoing = yield* moveRuns(runs, order, { after, effects, repo: stored.repo });
  yield* send({ eventId: order.eventId, line }, order.ticket, outgoing, order.now);
  return { before, decided };
}

/** Sets only what changed: SQLite rewrites the index entries of every column that an update names. */
function* saveTicket({ event, now }: Order, before: Ticket, after: Ticket, version: number): Verb<void> {
  const changes: [string, SqlValue][] = [
    ["version", version],
    ["body", JSON.stringify(after)],
    ["updated_at", now],
  ];
  if (before.state !== after.state) {
    const isQueued = after.state === "Ready" || after.state === "Rework";
    changes.push(["state", after.state], ["since", now], ["queued_at", isQueued ? now : null]);
    if (activeIn(before.state) !== activeIn(after.state)) changes.push(["active", activeIn(after.state)]);
  }
  if (before.pull !== after.pull) changes.push(["pull", after.pull ?? null]);
  if (before.head !== after.head) changes.push(["head", after.head ?? null]);
  if (event.type === "operator.retried" || event.type === "ready.granted")
    changes.push(["writes", 0], ["answers", 0]);
  const set = changes.map(([column]) => `${column} = ?`).join(", ");
  yield* run(`update ticket set ${set} where id = ?`, ...changes.map(([, value]) => value), after.id);
}

/** How many are over is kept, and not counted: most tickets are. */
function* countEnds(repo: number, before: State, after: State): Verb<void> {
  if (before === after) return;
  if (activeIn(before) === null) yield* countOver(repo, before, -1);
  if (activeIn(after) === null) yield* countOver(repo, after, 1);
}
const countOver = (repo: number, state: State, by: 1 | -1): Verb<void> =>
  run(
    "insert into over_count (repo, state, n) values (?, ?, ?) on conflict (repo, state) do update set n = n + excluded.n",
    repo,
    state,
    by,
  );

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

export const openStates: readonly State[] = states.filter(
  (state) => state !== "Done" && state !== "Cancelled",
);
/** What the column `active` says of a ticket in this state. */
const activeIn = (state: State): 0 | 1 | null =>
  !openStates.includes(state) ? null : state === "Backlog" || state === "Blocked" ? 0 : 1;

export function* ticketsIn(wanted: readonly State[]): Verb<readonly Stored[]> {
  // Said again in the words of the index over open tickets, which knows no states.
  const kinds = new Set(wanted.map(activeIn));
  const open = kinds.has(null) ? "" : kinds.has(0) ? "active is not null and" : "active = 1 and";
  const rows = yield* all<TicketRow>(
    `select * from ticket where ${open} state in (select value from json_each(?)) order by since, id`,
    JSON.stringify(wanted),
  );
  return rows.map(storedOf);
}

/** The ticket behind a pull request: by its number, else by the branch it comes from. */
export function* ticketOfPull(
  repo: number,
  pull: number,
  branch: string | undefined,
): Verb<TicketId | undefined> {
  const row = yield* one<{ id: string }>(
    "select id from ticket where repo = ? and (pull = ? or branch = ?) order by pull is null limit 1",
    repo,
    pull,
    branch ?? "",
  );
  return row?.id;
}
export function* ticketsOfHead(repo: number, head: Sha): Verb<readonly TicketId[]> {
  const rows = yield* all<{ id: string }>("select id from ticket where repo = ? and head = ?", repo, head);
  return rows.map((row) => row.id);
}

/** The text a person released, under its hash. */
export function* keepSpec(hash: string, title: string, body: string): Verb<void> {
  yield* run(
    "insert into spec (hash, title, body) values (?, ?, ?) on conflict (hash) do nothing",
    hash,
    title,
    body,
  );
}
export function* specOf(hash: string): Verb<{ readonly title: string; readonly body: string } | undefined> {
  return yield* one<{ title: string; body: string }>("select title, body from spec where hash = ?", hash);
}

/** Every ticket something ever happened to. */
export function* ticketsWithLines(): Verb<readonly TicketId[]> {
  return (yield* all<{ id: string }>("select id from ticket where version > 0 order by id")).map(
    (row) => row.id,
  );
}
