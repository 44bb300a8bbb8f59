/** Tickets that are over and open, newest first: found by an index, or looked through a named number at a time. */
import type { State } from "../state-machine/ticket.ts";
import { all, one, type SqlValue, type Verb } from "../sql.ts";
import { searchable } from "./ticket-facts.ts";
import { storedOf, type Stored, type TicketRow } from "./tickets.ts";

export const outcomes = ["merged", "cancelled", "blocked", "open"] as const;
export type Outcome = (typeof outcomes)[number];
export const outcomeOf = (state: State): Outcome =>
  state === "Done"
    ? "merged"
    : state === "Cancelled"
      ? "cancelled"
      : state === "Blocked"
        ? "blocked"
        : "open";

/** Where a page begins: after this ticket. */
export interface HistoryKey {
  readonly since: number;
  readonly id: string;
}
export interface HistoryQuery {
  /** Numbers of the repositories that are seen; undefined: all. */
  readonly repos: readonly number[] | undefined;
  /** `owner/name`; any other spelling of capitals is the same. */
  readonly repository?: string | undefined;
  readonly runtime?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly label?: string | undefined;
  /** Milliseconds since 1970: it ended, or came to where it stands, from then on and before then. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** Each is part of its name or title. */
  readonly words: readonly string[];
  readonly after?: HistoryKey | undefined;
  readonly limit: number;
}
export interface HistoryFound {
  readonly tickets: readonly Stored[];
  /** Where the next page begins; undefined when there is none. */
  readonly next: HistoryKey | undefined;
  /** So many were looked through without filling the page: there may be more further back. */
  readonly lookedThrough: number | undefined;
}

/** A filter that fewer tickets than this pass leads to them; others are asked on a walk from the newest. */
const mostLed = 2_000;
/** Tickets that one page walks past at most. */
const mostWalked = 10_000;
/** Words a search may have. */
const mostWords = 8;
/** Shorter ones are not in the index. */
const indexed = 3;

interface Filter {
  /** Selects ids of tickets; undefined where no index leads to them. */
  readonly set: string | undefined;
  /** The same, asked of one ticket: of its row, or of `one.id`. */
  readonly holds: string;
  readonly args: readonly SqlValue[];
  readonly holdsArgs: readonly SqlValue[];
}

const same = (set: string | undefined, holds: string, ...args: readonly SqlValue[]): Filter => ({
  set,
  holds,
  args,
  holdsArgs: args,
});

function* filtersOf(query: HistoryQuery): Verb<readonly Filter[]> {
  const filters: Filter[] = [];
  if (query.repos !== undefined)
    filters.push(
      same(undefined, "one.repo in (select value from json_each(?))", JSON.stringify(query.repos)),
    );
  if (query.repository !== undefined) {
    const ids = yield* all<{ readonly id: number }>(
      "select id from repo where owner || '/' || name = ? collate nocase",
      query.repository,
    );
    const numbers = JSON.stringify(ids.map(({ id }) => id));
    const among = "in (select value from json_each(?))";
    filters.push(
      same(
        `select id from ticket indexed by ticket_number where repo ${among}`,
        `one.repo ${among}`,
        numbers,
      ),
    );
  }
  if (query.runtime !== undefined)
    filters.push(
      same(
        "select distinct ticket from agent_session where runtime = ?",
        "exists (select 1 from agent_session where runtime = ? and ticket = one.id)",
        query.runtime,
      ),
    );
  if (query.label !== undefined)
    filters.push(
      same(
        "select ticket from ticket_label where label = ? collate nocase",
        "exists (select 1 from ticket_label where label = ? collate nocase and ticket = one.id)",
        query.label,
      ),
    );
  filters.push(...wordFilters(query.words));
  if (query.outcome !== undefined && query.outcome !== "open")
    filters.push(same(undefined, "one.state = ?", stateOf[query.outcome]));
  if (query.outcome === "open")
    filters.push(same(undefined, "one.state not in ('Done', 'Cancelled', 'Blocked')"));
  return filters;
}
const stateOf = { merged: "Done", cancelled: "Cancelled", blocked: "Blocked" } as const;

/** Long words together lead to tickets; each word is asked of a ticket by itself. */
function wordFilters(given: readonly string[]): readonly Filter[] {
  // A zero byte ends what a search is written in.
  const words = given.slice(0, mostWords).map((word) => searchable(word.replaceAll("\0", "")));
  const long = words.filter((word) => word.length >= indexed);
  const holds = (some: readonly string[]): string =>
    `exists (select 1 from ticket_text where ticket = one.id ${some.map(() => "and instr(text, ?) > 0").join(" ")})`;
  const short = words.filter((word) => word.length < indexed);
  return [
    ...(long.length === 0
      ? []
      : [
          {
            set: "select ticket from ticket_text where number in (select rowid from ticket_words where ticket_words match ?)",
            holds: holds(long),
            args: [long.map((word) => `"${word.replaceAll('"', '""')}"`).join(" ")],
            holdsArgs: long,
          },
        ]),
    ...(short.length === 0 ? [] : [same(undefined, holds(short), ...short)]),
  ];
}

/** One page. */
export function* history(query: HistoryQuery): Verb<HistoryFound> {
  const filters = yield* filtersOf(query);
  const leading = yield* leadingAmong(filters);
  const found = leading === undefined ? yield* walked(query, filters) : yield* led(query, leading, filters);
  const page = found.rows.slice(0, query.limit);
  const last = page.at(-1);
  const isMore = found.rows.length > query.limit;
  return {
    tickets: page.map(storedOf),
    next: isMore && last !== undefined ? { since: last.since, id: last.id } : found.cutAt,
    lookedThrough: !isMore && found.cutAt !== undefined ? mostWalked : undefined,
  };
}

interface Rows {
  readonly rows: readonly TicketRow[];
  /** Where the walk was ended by its limit. */
  readonly cutAt: HistoryKey | undefined;
}

/** The filter that the fewest tickets pass, if those are few. */
function* leadingAmong(filters: readonly Filter[]): Verb<Filter | undefined> {
  let least: { readonly filter: Filter; readonly n: number } | undefined;
  for (const filter of filters) {
    if (filter.set === undefined) continue;
    const row = yield* one<{ readonly n: number }>(
      `select count(*) as n from (${filter.set} limit ${mostLed})`,
      ...filter.args,
    );
    const n = row?.n ?? 0;
    if (n < mostLed && n < (least?.n ?? mostLed)) least = { filter, n };
  }
  return least?.filter;
}

const newest: HistoryKey = { since: Number.MAX_SAFE_INTEGER, id: "" };
const between = "(one.since, one.id) < (?, ?) and one.since >= ? and one.since < ?";
const betweenArgs = ({ after = newest, from = 0, until = Number.MAX_SAFE_INTEGER }: HistoryQuery) => [
  after.since,
  after.id,
  from,
  until,
];
const order = "order by one.since desc, one.id desc limit ?";
const holding = (filters: readonly Filter[]): string => filters.map(({ holds }) => ` and ${holds}`).join("");
const holdingArgs = (filters: readonly Filter[]): readonly SqlValue[] =>
  filters.flatMap(({ holdsArgs }) => holdsArgs);

function* led(query: HistoryQuery, leading: Filter, filters: readonly Filter[]): Verb<Rows> {
  const others = filters.filter((filter) => filter !== leading);
  const rows = yield* all<TicketRow>(
    `select * from ticket as one where id in (${leading.set}) and version > 0 and ${between}${holding(others)} ${order}`,
    ...leading.args,
    ...betweenArgs(query),
    ...holdingArgs(others),
    query.limit + 1,
  );
  return { rows, cutAt: undefined };
}

/** What is over lies in an index by its end; what is open is little, and looked through as a whole. */
function* walked(query: HistoryQuery, filters: readonly Filter[]): Verb<Rows> {
  const { outcome, limit } = query;
  const over =
    outcome === "open" || outcome === "blocked"
      ? { rows: [], cutAt: undefined }
      : yield* walkedOver(query, filters);
  const open =
    outcome === "merged" || outcome === "cancelled"
      ? []
      : yield* all<TicketRow>(
          `select * from ticket as one indexed by ticket_open where active is not null and version > 0 and ${between}${holding(filters)} ${order}`,
          ...betweenArgs(query),
          ...holdingArgs(filters),
          limit + 1,
        );
  const { cutAt } = over;
  const rows = [...over.rows, ...open]
    .filter((row) => cutAt === undefined || row.since > cutAt.since)
    .toSorted((a, b) => b.since - a.since || (a.id < b.id ? 1 : -1));
  // Before all of that instant, which come on the next page: the ticket itself may be none that is seen.
  return { rows, cutAt: cutAt && { since: cutAt.since + 1, id: "" } };
}

function* walkedOver(query: HistoryQuery, filters: readonly Filter[]): Verb<Rows> {
  const { limit } = query;
  const walk = `select id, since, state, repo from ticket as one where active is null and ${between} ${order}`;
  const args = betweenArgs(query);
  const found = yield* all<TicketRow>(
    `select ticket.* from (select one.id from (${walk}) as one where true${holding(filters)} ${order}) as found
       join ticket on ticket.id = found.id order by ticket.since desc, ticket.id desc`,
    ...args,
    mostWalked,
    ...holdingArgs(filters),
    limit + 1,
  );
  if (filters.length === 0 || found.length > limit) return { rows: found, cutAt: undefined };
  const cutAt = yield* one<HistoryKey>(`${walk} offset ?`, ...args, 1, mostWalked - 1);
  return { rows: found, cutAt: cutAt && { since: cutAt.since, id: cutAt.id } };
}

/** What a page of the history tells of a ticket besides its row. */
export interface TicketPast {
  readonly ticket: string;
  /** When its first line was written. */
  readonly beganAt: number | null;
  /** JSON of its labels. */
  readonly labels: string;
  /** JSON of its sessions: of each its number, role, runtime, dollars, who named its price, and the run. */
  readonly sessions: string;
  /** Of its newest run that was summed up: a model's words before ours. */
  readonly summary: string | null;
  readonly summaryBy: string | null;
}
/** Summaries are looked for in so many of a ticket's newest runs. */
const runsBack = 4;

export function* historyOf(
  tickets: readonly { readonly id: string; readonly runs: number }[],
): Verb<readonly TicketPast[]> {
  const rows = yield* all<Omit<TicketPast, "summary" | "summaryBy">>(
    `select value as ticket,
         (select at from ledger where seq = (select min(seq) from ledger where ticket = value)) as beganAt,
         (select json_group_array(label) from ticket_label where ticket = value) as labels,
         (select json_group_array(json_array(id, role, runtime, usd, priced_by, run) order by id) from agent_session where ticket = value) as sessions
       from json_each(?)`,
    JSON.stringify(tickets.map(({ id }) => id)),
  );
  const runs = tickets.flatMap(({ id, runs: count }) =>
    Array.from({ length: Math.min(runsBack, count) }, (_, back) => `${id}/${count - back}`),
  );
  const summaries = yield* all<{ readonly run: string; readonly text: string; readonly by: string }>(
    `select summary.run, text, "by" from summary join run on run.id = summary.run and run.settled_at = summary.settled_at
       where summary.run in (select value from json_each(?)) order by "by" = 'forgehand', summary.settled_at desc`,
    JSON.stringify(runs),
  );
  const said = new Map<string, (typeof summaries)[number]>();
  for (const summary of summaries) {
    const ticket = summary.run.slice(0, summary.run.lastIndexOf("/"));
    if (!said.has(ticket)) said.set(ticket, summary);
  }
  return rows.map((row) => ({
    ...row,
    summary: said.get(row.ticket)?.text ?? null,
    summaryBy: said.get(row.ticket)?.by ?? null,
  }));
}

/** What there is to filter by; for those who see every repository. */
export interface HistoryNames {
  readonly repositories: readonly string[];
  readonly runtimes: readonly string[];
  readonly labels: readonly string[];
}
/** Each list is told up to so many. */
const mostNames = 200;
/** Every value of an indexed column, found by leaps: rows between them are not read. */
const leaps = (table: string, column: string): string =>
  `with recursive leap (value) as (
     select min(${column}) from ${table} union all
     select (select min(${column}) from ${table} where ${column} > leap.value) from leap where leap.value is not null
   ) select value from leap where value is not null limit ${mostNames}`;

export function* historyNames(): Verb<HistoryNames> {
  const valuesOf = function* (sql: string): Verb<readonly string[]> {
    return (yield* all<{ readonly value: string }>(sql)).map(({ value }) => value);
  };
  return {
    repositories: yield* valuesOf(
      `select owner || '/' || name as value from repo order by 1 limit ${mostNames}`,
    ),
    runtimes: yield* valuesOf(leaps("agent_session", "runtime")),
    labels: yield* valuesOf(leaps("ticket_label", "label collate nocase")),
  };
}
