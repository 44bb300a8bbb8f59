/** What the page of one ticket reads: never more than a named number of rows, however much has happened. */
import type { EventType } from "../state-machine/event.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import { all, type Verb } from "../sql.ts";
import { lineOf, type Line, type LineRow } from "./ledger.ts";
import type { SentSummary } from "./outbox.ts";
import { storedOf, type Stored, type TicketRow } from "./tickets.ts";

/** The newest lines of a ticket that are older than this one, newest first. */
export function* linesBefore(
  ticket: TicketId,
  before: number | undefined,
  limit: number,
): Verb<readonly Line[]> {
  // The numbers first, from the index alone: a line's hash before is looked up for those that are shown.
  const rows = yield* all<LineRow>(
    `select * from line where seq in (select seq from ledger where ticket = ? and seq < ? order by seq desc limit ?)
       order by seq desc`,
    ticket,
    before ?? Number.MAX_SAFE_INTEGER,
    limit,
  );
  return rows.map(lineOf);
}

/** The newest lines of a ticket with events of these types, oldest first. */
export function* linesOfTypes(
  ticket: TicketId,
  types: readonly EventType[],
  limit: number,
): Verb<readonly Line[]> {
  const rows = yield* all<LineRow>(
    `select * from line where seq in (
         select seq from ledger where ticket = ? and json_extract(event, '$.type') in (select value from json_each(?))
           order by seq desc limit ?)
       order by seq`,
    ticket,
    JSON.stringify(types),
    limit,
  );
  return rows.map(lineOf);
}

/** The newest effects of a ticket, those that wait before those that are over; oldest first. */
export function* newestEffects(ticket: TicketId, limit: number): Verb<readonly SentSummary[]> {
  const waiting = yield* all<SentSummary>(
    `select seq, ticket, type, 'new' as state, attempts, note, due_at as dueAt from outbox
       where ticket = ? order by seq desc limit ?`,
    ticket,
    limit,
  );
  const ended = yield* all<SentSummary>(
    `select seq, ticket, type, state, attempts, note, 0 as dueAt from ended_effect
       where ticket = ? order by seq desc limit ?`,
    ticket,
    limit - waiting.length,
  );
  return [...waiting, ...ended].toReversed();
}

/** Where a page of waiting tickets ended. */
export interface After {
  readonly since: number;
  readonly id: string;
}

/** Blocked tickets and those in review, longest there first. */
export function* ticketsForPerson(
  repos: readonly number[] | undefined,
  after: After | undefined,
  limit: number,
): Verb<readonly Stored[]> {
  return yield* pageOf("active is not null and state in ('Blocked', 'In Review')", repos, after, limit);
}

/** Tickets in Backlog that a run has worked for, longest there first: the spec gate sent most of them back. */
export function* ticketsSentBack(
  repos: readonly number[] | undefined,
  after: After | undefined,
  limit: number,
): Verb<readonly Stored[]> {
  const begun = "active = 0 and state = 'Backlog' and version > 0 and json_extract(body, '$.runs') > 0";
  return yield* pageOf(begun, repos, after, limit);
}

function* pageOf(
  which: string,
  repos: readonly number[] | undefined,
  after: After | undefined,
  limit: number,
): Verb<readonly Stored[]> {
  const rows = yield* all<TicketRow>(
    `select * from ticket where ${which} ${repos === undefined ? "" : "and repo in (select value from json_each(?))"}
       and (since, id) > (?, ?) order by since, id limit ?`,
    ...(repos === undefined ? [] : [JSON.stringify(repos)]),
    after?.since ?? 0,
    after?.id ?? "",
    limit,
  );
  return rows.map(storedOf);
}

export interface CostOf {
  readonly ticket: string;
  readonly usd: number;
  /** 1: some of it at a price that nobody told. */
  readonly guess: 0 | 1;
}
/** What these tickets have cost so far; one that cost nothing is left out. */
export function* costsOf(tickets: readonly TicketId[]): Verb<readonly CostOf[]> {
  return yield* all<CostOf>(
    `select ticket, sum(usd) as usd, max(priced_by = 'guess') as guess from agent_session
       where ticket in (select value from json_each(?)) group by ticket`,
    JSON.stringify(tickets),
  );
}

/** The line that led each of these tickets where it is. */
export function* arrivalsOf(tickets: readonly TicketId[]): Verb<readonly Line[]> {
  const rows = yield* all<LineRow>(
    `select * from line where seq in (
       select max(seq) from ledger where ticket in (select value from json_each(?)) and from_state <> to_state group by ticket)`,
    JSON.stringify(tickets),
  );
  return rows.map(lineOf);
}
