/** What an operator asks for, on the command line or on a page: a row in the inbox, refused when the table has none for it. */
import { mayIn, type Commands, type OrderAnswer, type OrderName } from "../ports-dashboard.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Policy, TicketId } from "../state-machine/ticket.ts";
import { transition } from "../state-machine/transition.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { byOperator, lookFirst } from "./halt-marks.ts";

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
}

/** Takes orders of pages: only upon what their giver had before them. */
export function openOrders({ store, policyOf, now, newId, left }: OrdersOptions): Commands {
  return {
    give: async (viewer, { ticket, order, seen }) => {
      const by = viewer.who;
      const stored = await store.load(ticket);
      if (stored === undefined || !mayIn(viewer, stored.repo, "see")) return { is: "unknown" };
      if (!mayIn(viewer, stored.repo, "act")) return { is: "forbidden" };
      const { state } = stored.ticket;
      if (stored.version !== seen) return { is: "stale", state };
      const event = eventOf(order, stored, by);
      if (event === undefined) return { is: "impossible", state };
      const policy = await policyOf(stored);
      const answer = await leave(store, stored, policy, { event, actor: by, id: newId(), at: now() });
      if (answer.is === "taken") left();
      return answer;
    },
    halt: async (viewer, ticket, is) => {
      // Told from a label of the same person's, which is lifted by taking it off.
      const kind = viewer.rights === "operator" ? "operator" : "page";
      const by = viewer.who.includes(":") ? viewer.who : `${kind}:${viewer.who}`;
      const stored = await store.load(ticket);
      if (stored === undefined || !mayIn(viewer, stored.repo, "see")) return "unknown";
      if (!mayIn(viewer, stored.repo, "act")) return "forbidden";
      const isTheirs = (await store.haltersOf(ticket)).some(
        (one) =>
          one.by === "operator" &&
          // What whoever runs this has stopped, nobody lets go on for them.
          (viewer.rights === "operator" || !one.actor.startsWith("operator:")),
      );
      if (is === "lifted" && !isTheirs) return "nothing";
      await store.sayHalt(haltItem(ticket, is, { actor: by, id: newId(), at: now() }), { is, actor: by });
      left();
      return "said";
    },
    haltAll: async (viewer, is) => {
      if (viewer.rights !== "operator") return "forbidden";
      if (is === "raised") await store.raiseHalt(byOperator, viewer.who, now());
      else for (const { id } of [byOperator, lookFirst]) await store.liftHalt(id);
      left();
      return "said";
    },
  };
}
