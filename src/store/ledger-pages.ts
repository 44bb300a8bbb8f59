/** The ledger as pages list it: newest first, by stretches of its numbers, since only those have an index. */
import { all, one, type SqlValue, type Verb } from "../sql.ts";
import type { LineRow } from "./ledger.ts";

export interface ListedLine {
  readonly seq: number;
  readonly ticket: string;
  /** As people name the ticket; null where it is not stored. */
  readonly ref: string | null;
  readonly eventId: string;
  readonly at: number;
  readonly actor: string;
  readonly permission: string | null;
  readonly event: string;
  readonly row: string;
  readonly from: string;
  readonly to: string;
  readonly hash: string;
}
export interface LineFilter {
  readonly ticket?: string | undefined;
  readonly actor?: string | undefined;
  /** A row of the table, or the type of an event. */
  readonly what?: string | undefined;
  /** At this instant or later. */
  readonly since?: number | undefined;
}
export interface LineStretch {
  readonly before: number;
  readonly downTo: number;
  readonly limit: number;
  /** Numbers of the repositories that may be told of; undefined: all. */
  readonly repos: readonly number[] | undefined;
}

/** Lines of a stretch that the filter lets pass, newest first. */
export function* linesIn(
  { before, downTo, limit, repos }: LineStretch,
  { ticket, actor, what, since }: LineFilter,
): Verb<readonly ListedLine[]> {
  const args: SqlValue[] = [before, downTo];
  const also = (sql: string, ...values: SqlValue[]): string => {
    args.push(...values);
    return ` and ${sql}`;
  };
  const where = [
    ticket === undefined ? "" : also("ledger.ticket = ?", ticket),
    actor === undefined ? "" : also("actor = ?", actor),
    what === undefined ? "" : also("(row = ? or json_extract(event, '$.type') = ?)", what, what),
    since === undefined ? "" : also("at >= ?", since),
    repos === undefined ? "" : also("ticket.repo in (select value from json_each(?))", JSON.stringify(repos)),
  ].join("");
  args.push(limit);
  return yield* all<ListedLine>(
    `select ledger.seq, ledger.ticket, ticket.ref, event_id as eventId, at, actor, permission, json_extract(event, '$.type') as event, row,
       from_state as "from", to_state as "to", hash
     from ledger${ticket === undefined ? "" : " indexed by ledger_event"} left join ticket on ticket.id = ledger.ticket where ledger.seq < ? and ledger.seq >= ?${where}
     order by ledger.seq desc limit ?`,
    ...args,
  );
}

/** The newest line at or before this instant; 0 when there is none. Lines are written in the order of time. */
export function* lineAt(instant: number): Verb<number> {
  let low = 0;
  let high = (yield* one<{ seq: number | null }>("select max(seq) as seq from ledger"))?.seq ?? 0;
  // Halved each time: a ledger of a million lines takes twenty looks.
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const row = yield* one<{ at: number }>("select at from ledger where seq = ?", middle);
    if ((row?.at ?? 0) <= instant) low = middle;
    else high = middle - 1;
  }
  return low;
}

export interface WholeLine extends LineRow {
  readonly ref: string | null;
  readonly repo: number | null;
}
/** One line with everything that its hash binds. */
export function* wholeLine(seq: number): Verb<WholeLine | undefined> {
  return yield* one<WholeLine>(
    "select line.*, ticket.ref, ticket.repo from line left join ticket on ticket.id = line.ticket where line.seq = ?",
    seq,
  );
}
