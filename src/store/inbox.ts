import { all, one, run, type SqlValue, type Verb } from "../sql.ts";

export type Source =
  | "github"
  | "linear"
  | "local"
  | "run"
  | "timer"
  | "operator"
  | "performer"
  | "reconcile"
  | "schedule";

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

/** `read` changed a ticket, `ignored` did not: the note says why. */
export function* markItem(
  seq: number,
  state: "read" | "ignored",
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

/** Sets an item aside that could not be read; its lane tells whose it would have been. */
export function* parkItem(seq: number, lane: string, note: string, now: number): Verb<void> {
  yield* run(
    "update inbox set state = 'parked', lane = ?, note = ?, read_at = ? where seq = ? and state = 'new'",
    lane,
    note,
    now,
    seq,
  );
}

/** Puts off an item whose reading met trouble. */
export function* deferItem(seq: number, dueAt: number, lane: string, note: string): Verb<void> {
  yield* run(
    "update inbox set attempts = attempts + 1, due_at = ?, lane = ?, note = ? where seq = ?",
    dueAt,
    lane,
    note,
    seq,
  );
}

export interface TroubledItem {
  readonly name: string;
  readonly state: "new" | "parked";
  readonly attempts: number;
  readonly note: string;
  readonly dueAt: number;
}
/** What of this lane waits because of trouble or was set aside, oldest first. */
export function* troubledItems(lane: string): Verb<readonly TroubledItem[]> {
  return yield* all<TroubledItem>(
    "select name, state, attempts, note, due_at as dueAt from inbox where lane = ? and state in ('new', 'parked') order by seq",
    lane,
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

/** Waiting, held up by trouble among those, and parked; for health. */
export function* inboxCounts(): Verb<{
  readonly waiting: number;
  readonly troubled: number;
  readonly parked: number;
}> {
  const row = yield* one<{ waiting: number; troubled: number; parked: number }>(
    `select (select count(*) from inbox where state = 'new') as waiting,
       (select count(*) from inbox where state = 'new' and attempts > 0) as troubled,
       (select count(*) from inbox where lane is not null and state = 'parked') as parked`,
  );
  return row ?? { waiting: 0, troubled: 0, parked: 0 };
}

/** Tickets that were granted a slot nobody has read yet. */
export function* grantedSlots(): Verb<ReadonlySet<string>> {
  const rows = yield* all<{ ticket: string }>(
    "select ticket from inbox where state = 'new' and source = 'schedule'",
  );
  return new Set(rows.map((row) => row.ticket));
}

/** Tickets that were asked a look at which nobody has begun or ended. */
export function* awaitedLooks(): Verb<ReadonlySet<string>> {
  const rows = yield* all<{ ticket: string }>(
    "select ticket from inbox where state = 'new' and source = 'reconcile'",
  );
  return new Set(rows.map((row) => row.ticket));
}
