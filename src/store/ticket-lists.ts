/** Tickets as lists tell them: counted, found by name, and those that a board has room for. */
import { all, one, type SqlValue, type Verb } from "../sql.ts";
import type { State, TicketId } from "../state-machine/ticket.ts";
import { storedOf, type AtHand, type Stored, type TicketRow } from "./tickets.ts";

type Repos = readonly number[] | undefined;
const of = (repos: Repos): string =>
  repos === undefined ? "" : "and repo in (select value from json_each(?))";
const given = (repos: Repos): readonly SqlValue[] => (repos === undefined ? [] : [JSON.stringify(repos)]);

/** How many tickets stand in each state, of these repositories or of all. */
export function* ticketsByState(repos?: readonly number[]): Verb<Readonly<Partial<Record<State, number>>>> {
  const rows = yield* all<{ state: State; n: number }>(
    `select state, count(*) as n from ticket where active is not null ${of(repos)} group by state
       union all
     select state, sum(n) from over_count where n > 0 ${of(repos)} group by state`,
    ...given(repos),
    ...given(repos),
  );
  return Object.fromEntries(rows.map((row) => [row.state, row.n]));
}

/** How many open tickets wait for a person, of these repositories or of all. */
export function* ticketsWaiting(repos?: readonly number[]): Verb<number> {
  const row = yield* one<{ readonly n: number }>(
    `select count(*) as n from ticket where active is not null and state in ('Blocked', 'In Review') ${of(repos)}`,
    ...given(repos),
  );
  return row?.n ?? 0;
}

/** Tickets that wait for a slot or are at work, those that have stood longest first; what waits for people is not read. */
export function* ticketsAtHand(wanted: readonly AtHand[]): Verb<readonly Stored[]> {
  const rows = yield* all<TicketRow>(
    "select * from ticket where active = 2 and state in (select value from json_each(?)) order by since, id",
    JSON.stringify(wanted),
  );
  return rows.map(storedOf);
}

/** Open tickets that stand on another, those that have stood longest in their state first. */
export function* stackedTickets(): Verb<readonly Stored[]> {
  const rows = yield* all<TicketRow>(
    `select * from ticket where active is not null and upon is not null order by since, id`,
  );
  return rows.map(storedOf);
}

/** The names of all open tickets: whoever asks something about each of them elsewhere needs no more. */
export function* openTicketNames(): Verb<
  readonly { readonly id: TicketId; readonly repo: number; readonly version: number }[]
> {
  return yield* all<{ id: TicketId; repo: number; version: number }>(
    "select id, repo, version from ticket where active is not null order by since, id",
  );
}

export interface BoardQuery {
  readonly states: readonly State[];
  /** Undefined: all there are. */
  readonly repos?: Repos;
  /** At most so many of each state, those that have stood in it longest. */
  readonly perState: number;
}
/** Open tickets that have begun. */
export function* boardTickets({ states, repos, perState }: BoardQuery): Verb<readonly Stored[]> {
  const rows = yield* all<TicketRow>(
    `select ticket.* from (
         select id, row_number() over (partition by state order by since, id) as place
           from ticket where active is not null and version > 0 and state in (select value from json_each(?)) ${of(repos)}
       ) as ranked join ticket on ticket.id = ranked.id where place <= ? order by ticket.since, ticket.id`,
    JSON.stringify(states),
    ...given(repos),
    perState,
  );
  return rows.map(storedOf);
}

/** Names that several tickets may have are told up to so many. */
const mostFound = 100;

/** Tickets for people: by id, by `owner/repo#42` or `workspace/ENG-42`, by `ENG-42`, `#42` or `42` where only one has it. */
export function* findTickets(text: string): Verb<readonly Stored[]> {
  const number = /^#?(\d+)$/.exec(text)?.[1];
  const linear = /^\w{1,20}-(\d{1,9})$/u.exec(text)?.[1];
  const rows =
    number === undefined
      ? yield* all<TicketRow>(
          `select * from ticket where id = ?
             union select * from ticket where ref = ? collate nocase
             union select * from ticket where number = ? and id like 'linear:%' and ref like '%/' || ?
             limit ${mostFound}`,
          text,
          text,
          Number(linear ?? -1),
          text,
        )
      : yield* all<TicketRow>(
          `select * from ticket where number = ? order by id limit ${mostFound}`,
          Number(number),
        );
  return rows.map(storedOf);
}
