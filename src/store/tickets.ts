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
import { all, change, one, run, type SqlValue, type Verb } from "../sql.ts";
import { release, reserve, type Caps } from "./reservations.ts";
import { append, headFor } from "./ledger.ts";
import { send, type OutboxEffect } from "./outbox.ts";

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
}
export interface Stored extends Named {
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
interface TicketRow {
  id: string;
  repo: number;
  number: number;
  ref: string;
  title: string;
  url: string;
  author: string;
  branch: string;
  version: number;
  body: string;
  since: number;
  updated_at: number;
  queued_at: number | null;
  writes: number;
  answers: number;
}

function storedOf(row: TicketRow): Stored {
  const { id, version, body, since, updated_at, queued_at, ...named } = row;
  return {
    ...named,
    ticket: ticketOf(id, body),
    version,
    since,
    updatedAt: updated_at,
    queuedAt: queued_at ?? undefined,
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

/** What a decision needs, and no more: steps are the hot path. */
export function* loadState(
  id: TicketId,
): Verb<{ readonly ticket: Ticket; readonly version: number; readonly repo: number } | undefined> {
  const row = yield* one<Pick<TicketRow, "repo" | "version" | "body">>(
    "select repo, version, body from ticket where id = ?",
    id,
  );
  return row && { ticket: ticketOf(id, row.body), version: row.version, repo: row.repo };
}

/** Makes the ticket known, or refreshes its name; its state is none of this verb's business. */
export function* name(id: TicketId, named: Named, now: number): Verb<void> {
  yield* run(
    `insert into ticket (id, repo, number, ref, title, url, author, branch, version, state, body, since, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, 0, 'Backlog', ?, ?, ?)
     on conflict (id) do update set ref = excluded.ref, title = excluded.title, url = excluded.url, author = excluded.author`,
    id,
    named.repo,
    named.number,
    named.ref,
    named.title,
    named.url,
    named.author,
    named.branch,
    JSON.stringify(newTicket(id)),
    now,
    now,
  );
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

export interface Step {
  readonly eventId: string;
  /** The version that was decided upon; 0 for a ticket without lines. */
  readonly expected: number;
  readonly repo: number;
  readonly before: Ticket;
  readonly after: Ticket;
  readonly effects: readonly Effect[];
  readonly event: TicketEvent;
  readonly row: string;
  readonly actor: string;
  readonly permission?: string | undefined;
  readonly policy: Policy;
  /** What each run that this step starts or resumes may spend, unless a person allowed it another sum. */
  readonly caps: Caps;
  /** Longest a run may take in all, in milliseconds. */
  readonly runLimitMs: number;
  readonly now: number;
}

/**
 * One event, one transaction: the ticket's version is compared and set; ledger line, outbox rows, the run's start
 * and stop and the budget go with it or not at all. `moved` means somebody came between: decide again.
 */
export function* commitStep(runs: RunVerbs, step: Step): Verb<"saved" | "moved" | "repeat"> {
  const head = yield* headFor(step.after.id, step.eventId);
  if (head === undefined) return "repeat";
  const { before, after, now } = step;
  if (!(yield* saveTicket(step))) return "moved";
  const line = yield* append(head, {
    ticket: after.id,
    version: step.expected + 1,
    eventId: step.eventId,
    at: now,
    actor: step.actor,
    permission: step.permission,
    event: step.event,
    row: step.row,
    from: before.state,
    to: after.state,
    policy: step.policy,
  });
  const outgoing: OutboxEffect[] = [];
  for (const effect of step.effects) {
    switch (effect.type) {
      case "run.start": {
        const input = { ticket: after.id, head: effect.head ?? null };
        yield* runs.start({ run: effect.run, workflow: effect.phase, input, at: now });
        yield* letSpend(effect.run, step);
        break;
      }
      case "run.resume":
        yield* runs.resume(effect.run);
        yield* letSpend(effect.run, step);
        break;
      case "run.hold":
        yield* runs.hold(effect.run, now);
        yield* takeBack(effect.run);
        break;
      case "run.stop":
        yield* runs.cancel(effect.run, now);
        yield* takeBack(effect.run);
        break;
      default:
        outgoing.push(effect);
    }
  }
  yield* send({ eventId: step.eventId, line }, after.id, outgoing, now);
  return "saved";
}

/** Sets only what changed: SQLite rewrites the index entries of every column that an update names. */
function* saveTicket({ before, after, now, event, expected }: Step): Verb<boolean> {
  const changes: [string, SqlValue][] = [
    ["body", JSON.stringify(after)],
    ["updated_at", now],
  ];
  if (before.state !== after.state) {
    const isQueued = after.state === "Ready" || after.state === "Rework";
    changes.push(["state", after.state], ["since", now], ["queued_at", isQueued ? now : null]);
  }
  if (before.pull !== after.pull) changes.push(["pull", after.pull ?? null]);
  if (before.head !== after.head) changes.push(["head", after.head ?? null]);
  if (event.type === "operator.retried" || event.type === "ready.granted")
    changes.push(["writes", 0], ["answers", 0]);
  const set = changes.map(([column]) => `${column} = ?`).join(", ");
  const saved = yield* change(
    `update ticket set version = version + 1, ${set} where id = ? and version = ?`,
    ...changes.map(([, value]) => value),
    after.id,
    expected,
  );
  return saved === 1;
}

/** The run's money and its deadline. */
function* letSpend(runId: RunId, { after, now, repo, caps, runLimitMs }: Step): Verb<void> {
  yield* reserve({ run: runId, ticket: after.id, repo, allowedUsd: after.allowance, caps, at: now });
  yield* run(
    "insert into timer (id, ticket, name, body, due_at) values (?, ?, 'deadline', ?, ?) on conflict (id) do update set due_at = excluded.due_at",
    `deadline:${runId}`,
    after.id,
    JSON.stringify({ run: runId }),
    now + runLimitMs,
  );
}

function* takeBack(runId: RunId): Verb<void> {
  yield* release(runId);
  yield* run("delete from timer where id = ?", `deadline:${runId}`);
}

export function* ticketsIn(wanted: readonly State[]): Verb<readonly Stored[]> {
  // Said again in the words of the index over open tickets, which the planner cannot see through the list.
  const open = wanted.every((state) => openStates.includes(state))
    ? "state not in ('Done', 'Cancelled') and"
    : "";
  const rows = yield* all<TicketRow>(
    `select * from ticket where ${open} state in (select value from json_each(?)) order by since, id`,
    JSON.stringify(wanted),
  );
  return rows.map(storedOf);
}
export const openStates: readonly State[] = states.filter(
  (state) => state !== "Done" && state !== "Cancelled",
);

export function* ticketsByState(): Verb<Readonly<Partial<Record<State, number>>>> {
  const rows = yield* all<{ state: State; n: number }>(
    "select state, count(*) as n from ticket group by state",
  );
  return Object.fromEntries(rows.map((row) => [row.state, row.n]));
}

/** Tickets for people: by id, by `owner/repo#42`, by `#42` or `42` when only one repository has it. */
export function* findTickets(text: string): Verb<readonly Stored[]> {
  const number = /^#?(\d+)$/.exec(text)?.[1];
  const rows =
    number === undefined
      ? yield* all<TicketRow>("select * from ticket where id = ? or lower(ref) = lower(?)", text, text)
      : yield* all<TicketRow>("select * from ticket where number = ?", Number(number));
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
