/** The inbox as pages list it. */
import { all, change, one, type SqlValue, type Verb } from "../sql.ts";
import { noteDeed, type Deed } from "./deeds.ts";

export interface ListedItem {
  readonly seq: number;
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly action: string | null;
  readonly ticket: string | null;
  /** `owner/name` that its payload names, and the number of an issue or a pull request there. */
  readonly repo: string | null;
  readonly number: number | null;
  readonly receivedAt: number;
  readonly readAt: number | null;
  readonly state: string;
  readonly note: string | null;
  readonly attempts: number;
  readonly dueAt: number;
}
const listed = `seq, id, source, name, action, ticket,
  iif(source in ('github', 'local'), json_extract(body, '$.repository.full_name'), null) as repo,
  iif(source in ('github', 'local'), coalesce(json_extract(body, '$.issue.number'), json_extract(body, '$.pull_request.number')), null) as number,
  received_at as receivedAt, read_at as readAt, state, note, attempts, due_at as dueAt`;

export interface ItemFilter {
  readonly source?: string | undefined;
  readonly name?: string | undefined;
  readonly state?: string | undefined;
  readonly ticket?: string | undefined;
}
/** Before this number, of those down to that one. */
export interface Stretch {
  readonly before: number;
  readonly downTo: number;
  readonly limit: number;
}

/** Items in a stretch of numbers, newest first; what a filter leaves out is looked at too. */
export function* itemsIn(
  { before, downTo, limit }: Stretch,
  filter: ItemFilter,
): Verb<readonly ListedItem[]> {
  const wanted = Object.entries(filter).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const args: SqlValue[] = [before, downTo, ...wanted.map(([, value]) => value), limit];
  return yield* all<ListedItem>(
    `select ${listed} from inbox where seq < ? and seq >= ?${wanted.map(([key]) => ` and ${columns[key as keyof ItemFilter]} = ?`).join("")}
     order by seq desc limit ?`,
    ...args,
  );
}
const columns: Readonly<Record<keyof ItemFilter, string>> = {
  source: "source",
  name: "name",
  state: "state",
  ticket: "ticket",
};

/** Items that wait or were set aside: each of them has an index of its own, however long the inbox is. */
export function* itemsLeft(state: "new" | "parked", { before, limit }: Stretch): Verb<readonly ListedItem[]> {
  // Named, since nobody has counted for the planner: it would look through the whole inbox.
  const index =
    state === "new"
      ? "indexed by inbox_new where state = 'new'"
      : "indexed by inbox_troubled where state = 'parked' and lane is not null";
  return yield* all<ListedItem>(
    `select ${listed} from inbox ${index} and seq < ? order by seq desc limit ?`,
    before,
    limit,
  );
}

export function* newestItem(): Verb<number> {
  return (yield* one<{ seq: number | null }>("select max(seq) as seq from inbox"))?.seq ?? 0;
}

export interface ItemWithBody extends ListedItem {
  /** Its first characters. */
  readonly body: string;
  readonly length: number;
}
export function* itemWithBody(id: string, most: number): Verb<ItemWithBody | undefined> {
  return yield* one<ItemWithBody>(
    `select ${listed}, substr(body, 1, ?) as body, length(body) as length from inbox where id = ?`,
    most,
    id,
  );
}

/**
 * Has an item that was set aside read again, under its own id: what of it changed anything is known by that. It goes to
 * the end, for whoever reads files each number once.
 */
export function* rereadItem(id: string, deed: Deed): Verb<boolean> {
  const found = yield* change(
    `update inbox set seq = (select max(seq) from inbox) + 1, state = 'new', attempts = 0, due_at = 0, note = null, lane = null,
       read_at = null where id = ? and state = 'parked'`,
    id,
  );
  if (found > 0) yield* noteDeed(deed);
  return found > 0;
}
