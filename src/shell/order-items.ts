/** What orders leave in the inbox, whoever gives them: on the command line, on a page, or through the API. */
import type { OrderAnswer, OrderName } from "../ports-dashboard.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Policy, TicketId } from "../state-machine/ticket.ts";
import { transition } from "../state-machine/transition.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";

/** The event that an order is; undefined when there is no head to approve. */
export function eventOf(order: OrderName, stored: Stored, by: string): TicketEvent | undefined {
  const { head } = stored.ticket;
  switch (order) {
    case "approve":
      return head === undefined ? undefined : { type: "human.approved", head, by };
    case "retry":
      return { type: "operator.retried" };
    case "stop":
      return { type: "operator.stopped" };
  }
}

export interface Left {
  readonly event: TicketEvent;
  readonly actor: string;
  /** Names the order for ever. */
  readonly id: string;
  readonly at: number;
}

/** Leaves it in the inbox, where the serving process finds it; `impossible` leaves nothing, so that nobody waits in vain. */
export async function leave(
  store: Pick<Store, "receive">,
  stored: Stored,
  policy: Policy,
  { event, actor, id, at }: Left,
): Promise<Extract<OrderAnswer, { readonly is: "taken" | "impossible" }>> {
  const outcome = transition(stored.ticket, event, policy);
  if (outcome.row === undefined) return { is: "impossible", state: stored.ticket.state };
  await store.receive({
    id,
    source: "operator",
    name: event.type,
    ticket: stored.ticket.id,
    body: JSON.stringify({ ...event, actor }),
    receivedAt: at,
  });
  return { is: "taken", to: outcome.ticket.state };
}

/** The row in the inbox by which an operator halts a ticket, or lifts that. */
export function haltItem(ticket: TicketId, is: "raised" | "lifted", { actor, id, at }: Omit<Left, "event">) {
  const name = `halt.${is}` as const;
  const body = JSON.stringify({ type: name, actor });
  return { id, source: "operator", name, ticket, body, receivedAt: at } as const;
}

export interface OrdersOptions {
  readonly store: Store;
  readonly policyOf: (stored: Stored) => Promise<Policy>;
  readonly now: () => number;
  readonly newId: () => string;
  /** Called once something lies in the inbox. */
  readonly left: () => void;
  /** Has what may have been missed looked for. */
  readonly refresh?: (() => "asked" | "underWay") | undefined;
}
