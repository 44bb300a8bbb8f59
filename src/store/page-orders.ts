import { all, one, type Verb } from "../sql.ts";
import { receive, type NewItem } from "./inbox.ts";

/** An operator's item that is not read yet. */
export interface WaitingOrder {
  readonly id: string;
  readonly name: string;
  /** JSON: the event, with its actor. */
  readonly body: string;
  readonly receivedAt: number;
}
/** What became of an order: `behind` another one that is not read yet. */
export type Taken =
  | { readonly is: "stored" }
  | { readonly is: "stale" }
  | { readonly is: "behind"; readonly order: WaitingOrder };

/** The newest order of this ticket that nobody has read. */
export function* orderWaiting(ticket: string): Verb<WaitingOrder | undefined> {
  return yield* one<WaitingOrder>(
    `select id, name, body, received_at as receivedAt from inbox
       where state = 'new' and source = 'operator' and ticket = ? order by seq desc limit 1`,
    ticket,
  );
}

/** Of these tickets; the newest of each stands last. */
export function* ordersWaiting(
  tickets: readonly string[],
): Verb<readonly (WaitingOrder & { readonly ticket: string })[]> {
  return yield* all<WaitingOrder & { readonly ticket: string }>(
    `select id, name, body, ticket, received_at as receivedAt from inbox
       where state = 'new' and source = 'operator' and ticket in (select value from json_each(?)) order by seq`,
    JSON.stringify(tickets),
  );
}

/** Puts an order in only upon what its giver had before them: of two at once, the second is told of the first. */
export function* takeOrder(ticket: string, items: readonly NewItem[], seen: number): Verb<Taken> {
  const now = yield* one<{ version: number }>("select version from ticket where id = ?", ticket);
  if (now?.version !== seen) return { is: "stale" };
  const order = yield* orderWaiting(ticket);
  if (order !== undefined) return { is: "behind", order };
  for (const item of items) yield* receive(item);
  return { is: "stored" };
}
