import {
  newTicket,
  states,
  type Sha,
  type State,
  type Ticket,
  type TicketId,
} from "../state-machine/ticket.ts";
import { all, one, run, type Verb } from "../sql.ts";
import { recountedTicket } from "./costs.ts";
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
  upon: string | null;
  writes: number;
  answers: number;
}

export function storedOf(row: TicketRow): Stored {
  // Whether it is on its way its state says, what it stands on its body; those columns are there to be searched.
  const {
    id,
    version,
    body,
    since,
    updated_at,
    queued_at,
    active: _active,
    upon: _upon,
    priority,
    ...named
  } = row;
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

/** How many are over is kept, and not counted: most tickets are. */
export const countOver = (repo: number, state: State, by: 1 | -1): Verb<void> =>
  run(
    "insert into over_count (repo, state, n) values (?, ?, ?) on conflict (repo, state) do update set n = n + excluded.n",
    repo,
    state,
    by,
  );

export const openStates: readonly State[] = states.filter(
  (state) => state !== "Done" && state !== "Cancelled",
);
/** Of tickets that wait for a slot or are at work: a few beside those that wait for people. */
const atHand = ["Ready", "Rework", "Gate", "In Progress", "Adversarial Review"] as const satisfies State[];
export type AtHand = (typeof atHand)[number];
const parked: readonly State[] = ["Backlog", "Blocked"];
const standing = new Map<State, 0 | 1 | 2>([
  ...openStates.map((state) => [state, parked.includes(state) ? 0 : 1] as const),
  ...atHand.map((state) => [state, 2] as const),
]);
/** What the column `active` says of a ticket in this state: at hand, on its way, parked, or closed. It changes seldom. */
export const activeIn = (state: State): 0 | 1 | 2 | null => standing.get(state) ?? null;

export function* ticketsIn(wanted: readonly State[]): Verb<readonly Stored[]> {
  // Said again in the words of the index over open tickets, which knows no states.
  const kinds = new Set(wanted.map(activeIn));
  const open = kinds.has(null) ? "" : kinds.has(0) ? "active is not null and" : "active >= 1 and";
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

/** Whether what stands beside its body says something else than this ticket at this version does. */
export function* isAskew(ticket: Ticket, version: number): Verb<boolean> {
  const row = yield* one(
    `select 1 from ticket where id = ? and version = ?
       and not (state is ? and active is ? and head is ? and pull is ? and upon is ?)`,
    ticket.id,
    version,
    ticket.state,
    activeIn(ticket.state),
    ticket.head ?? null,
    ticket.pull ?? null,
    ticket.upon?.ticket ?? null,
  );
  return row !== undefined;
}

/** Every ticket something ever happened to. */
export function* ticketsWithLines(): Verb<readonly TicketId[]> {
  return (yield* all<{ id: string }>("select id from ticket where version > 0 order by id")).map(
    (row) => row.id,
  );
}
