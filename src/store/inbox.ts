import { all, one, run, type SqlValue, type Verb } from "../sql.ts";

export type Source = "github" | "run" | "timer" | "operator" | "performer" | "reconcile" | "schedule";

export interface NewItem {
  /** Names what happened for ever: a second item of this id changes nothing. */
  readonly id: string;
  readonly source: Source;
  readonly name: string;
  readonly action?: string | undefined;
  readonly ticket?: string | undefined;
  /** JSON text. */
  readonly body: string;
  readonly receivedAt: number;
}
export interface Item {
  readonly seq: number;
  readonly id: string;
  readonly source: Source;
  readonly name: string;
  readonly action: string | undefined;
  readonly ticket: string | undefined;
  readonly body: string;
  readonly receivedAt: number;
  readonly attempts: number;
  readonly dueAt: number;
}
interface ItemRow {
  seq: number;
  id: string;
  source: Source;
  name: string;
  action: string | null;
  ticket: string | null;
  body: string;
  received_at: number;
  attempts: number;
  due_at: number;
}

/** Puts one item in, once. */
export function* receive(item: NewItem): Verb<"stored" | "repeat"> {
  const row = yield* one<{ seq: number }>(
    "insert into inbox (id, source, name, action, ticket, body, received_at) values (?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing returning seq",
    item.id,
    item.source,
    item.name,
    item.action ?? null,
    item.ticket ?? null,
    item.body,
    item.receivedAt,
  );
  return row === undefined ? "repeat" : "stored";
}

/** Unread items after this one, oldest first. */
export function* unread(after: number, limit: number): Verb<readonly Item[]> {
  const rows = yield* all<ItemRow>(
    "select seq, id, source, name, action, ticket, body, received_at, attempts, due_at from inbox where state = 'new' and seq > ? order by seq limit ?",
    after,
    limit,
  );
  return rows.map(itemOf);
}

const itemOf = (row: ItemRow): Item => ({
  seq: row.seq,
  id: row.id,
  source: row.source,
  name: row.name,
  action: row.action ?? undefined,
  ticket: row.ticket ?? undefined,
  body: row.body,
  receivedAt: row.received_at,
  attempts: row.attempts,
  dueAt: row.due_at,
});

/** `read` changed a ticket, `ignored` did not, `parked` could not be read: the note says why. */
export function* markItem(
  seq: number,
  state: "read" | "ignored" | "parked",
  note: string | undefined,
  now: number,
): Verb<void> {
  yield* run(
    "update inbox set state = ?, note = ?, read_at = ? where seq = ? and state = 'new'",
    state,
    note ?? null,
    now,
    seq,
  );
}

/** Puts off an item whose reading met trouble. */
export function* deferItem(seq: number, dueAt: number, note: string): Verb<void> {
  yield* run(
    "update inbox set attempts = attempts + 1, due_at = ?, note = ? where seq = ?",
    dueAt,
    note,
    seq,
  );
}

/** Which of these ids are here. */
export function* knownItems(ids: readonly string[]): Verb<ReadonlySet<string>> {
  const rows = yield* all<{ id: string }>(
    "select id from inbox where id in (select value from json_each(?))",
    JSON.stringify(ids),
  );
  return new Set(rows.map((row) => row.id));
}

export interface ItemSummary {
  readonly seq: number;
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly state: string;
  readonly note: string | null;
  readonly receivedAt: number;
}
/** The newest items, for people; of one ticket if named. */
export function* recentItems(limit: number, ticket?: string): Verb<readonly ItemSummary[]> {
  const where = ticket === undefined ? "" : "where ticket = ?";
  const args: SqlValue[] = ticket === undefined ? [limit] : [ticket, limit];
  return yield* all<ItemSummary>(
    `select seq, id, source, name, state, note, received_at as receivedAt from inbox ${where} order by seq desc limit ?`,
    ...args,
  );
}

/** Waiting, parked and total; for health. */
export function* inboxCounts(): Verb<{ readonly waiting: number; readonly parked: number }> {
  const row = yield* one<{ waiting: number; parked: number }>(
    "select count(*) filter (where state = 'new') as waiting, count(*) filter (where state = 'parked') as parked from inbox where state in ('new', 'parked')",
  );
  return row ?? { waiting: 0, parked: 0 };
}

/** Tickets that were granted a slot nobody has read yet. */
export function* grantedSlots(): Verb<ReadonlySet<string>> {
  const rows = yield* all<{ ticket: string }>(
    "select ticket from inbox where state = 'new' and source = 'schedule'",
  );
  return new Set(rows.map((row) => row.ticket));
}
