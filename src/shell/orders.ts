/** What an operator asks for, on the command line or on a page: a row in the inbox, refused when the table has none for it. */
import {
  mayIn,
  type Commands,
  type OrderAnswer,
  type OrderName,
  type OrderSeen,
  type OrderWords,
  type PageOrder,
  type Viewer,
} from "../ports-dashboard.ts";
import type { HostOrders } from "./pages/orders.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Policy, TicketId } from "../state-machine/ticket.ts";
import { transition } from "../state-machine/transition.ts";
import type { Line } from "../store/ledger.ts";
import type { WaitingOrder } from "../store/page-orders.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { byOperator, lookFirst } from "./halt-marks.ts";
import { halterNamed, isOfOperator } from "./halts.ts";
import type { RunDesk } from "./pages/run-desk.ts";
import { runOrders } from "./pages/run-orders.ts";
import { openNewTickets, type TicketWriter } from "./pages/new-ticket.ts";
import { openOrdersOnce } from "./orders-once.ts";
import { textOf } from "./view.ts";

/** The event that an order is; undefined when it lacks what it needs: a head to approve, words, a sum. */
export function eventOf(
  order: Exclude<OrderName, "release">,
  { ticket: { head } }: Stored,
  by: string,
  { text = "", usd }: OrderWords = {},
): TicketEvent | undefined {
  const words = text.trim();
  switch (order) {
    case "approve":
      return head === undefined ? undefined : { type: "human.approved", head, by };
    case "reject":
      return words === "" ? undefined : { type: "human.objected", by, order: words };
    case "tell":
      return words === "" ? undefined : { type: "human.told", by, order: words };
    case "budget":
      return usd === undefined ? undefined : { type: "budget.raised", usd };
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
  /** Where runs are ordered about; nowhere where it is left out. */
  readonly runDesk?: RunDesk | undefined;
  /** Has what may have been missed looked for. */
  readonly refresh?: (() => "asked" | "underWay") | undefined;
  /** More than this is never allowed at once: it would wait for a day that never comes. Asked anew, as it may be raised. */
  readonly mostUsd?: (() => number) | undefined;
  /** Who writes tickets down where they are files of this host. */
  readonly writer?: TicketWriter | undefined;
  /** The events by which a ticket is released as its issue reads now; left out where that cannot be asked. */
  readonly releaseOf?:
    | ((stored: Stored) => Promise<{ readonly events: readonly TicketEvent[] } | { readonly why: string }>)
    | undefined;
}

/** Of what an agent is told on a page; more belongs into the issue. */
export const maxOrderText = 8_000;

/** Takes orders of pages and programs: only upon what their giver had before them. */
export const openOrders = (options: OrdersOptions): Omit<Commands, keyof HostOrders> => ({
  ...ordersOf(options),
  api: openOrdersOnce(options, (by) => ordersOf({ ...options, ...by })),
});

function ordersOf(options: OrdersOptions): Omit<Commands, "api" | keyof HostOrders> {
  const { store, now, newId, left, runDesk } = options;
  return {
    runs: runOrders({ store, now, desk: runDesk, left }),
    newTicket: options.writer && openNewTickets(store, options.writer, now),
    give: (viewer, order) => give(options, viewer, order),
    halt: async (viewer, ticket, is) => {
      // Told from a label of the same person's, which is lifted by taking it off.
      const named = halterNamed(viewer);
      const by = named.includes(":") ? named : `page:${named}`;
      const stored = await store.load(ticket);
      if (stored === undefined || !mayIn(viewer, stored.repo, "see")) return "unknown";
      if (!mayIn(viewer, stored.repo, "act")) return "forbidden";
      const isTheirs = (await store.haltersOf(ticket)).some(
        (one) =>
          one.by === "operator" &&
          // What whoever runs this has stopped, nobody lets go on for them.
          (viewer.rights === "operator" || !isOfOperator(one.actor)),
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

async function give(
  { store, policyOf, now, newId, left, ...options }: OrdersOptions,
  viewer: Viewer,
  asked: PageOrder,
): Promise<OrderAnswer> {
  const { ticket, order, seen } = asked;
  const by = viewer.who;
  const stored = await store.load(ticket);
  if (stored === undefined || !mayIn(viewer, stored.repo, "see")) return { is: "unknown" };
  if (!mayIn(viewer, stored.repo, "act")) return { is: "forbidden" };
  const { state } = stored.ticket;
  const unclear = whyUnclear(asked, options.mostUsd?.() ?? Infinity);
  if (unclear !== undefined) return { is: "unclear", why: unclear };
  if (stored.version !== seen) return await stale(store, stored, seen);
  const meant =
    order === "release"
      ? ((await options.releaseOf?.(stored)) ?? { why: "a ticket cannot be released from here" })
      : { events: [eventOf(order, stored, by, asked)].filter((event) => event !== undefined) };
  if ("why" in meant) return { is: "unclear", why: meant.why };
  const policy = await policyOf(stored);
  const last = meant.events.at(-1);
  const outcome = last && transition(stored.ticket, last, policy);
  if (outcome?.row === undefined) return { is: "impossible", state };
  const items = meant.events.map((event) => ({
    id: newId(),
    source: "operator" as const,
    name: event.type,
    ticket,
    body: JSON.stringify({ ...event, actor: by }),
    receivedAt: now(),
  }));
  const taken = await store.takeOrder(ticket, items, seen);
  if (taken.is === "stale") return await stale(store, (await store.load(ticket)) ?? stored, seen);
  // Pressed twice: it is what lies there already.
  const isRepeat = taken.is === "behind" && taken.order.body === items.at(-1)?.body;
  if (taken.is === "behind" && !isRepeat) return { is: "stale", state, last: orderSeen(taken.order) };
  left();
  return { is: "taken", to: outcome.ticket.state };
}

function whyUnclear({ order, text = "", usd }: PageOrder, mostUsd: number): string | undefined {
  if (order === "reject" && text.trim() === "")
    return "say what is to change; the next build reads your words";
  if (order === "tell" && text.trim() === "") return "say what the agent should know";
  if (text.length > maxOrderText)
    return `an agent is told at most ${maxOrderText} characters at once; say it in fewer words`;
  if (order !== "budget") return undefined;
  if (usd === undefined || !(usd > 0 && Number.isFinite(usd)))
    return "name a sum in dollars, such as 3 or 2.50";
  return usd > mostUsd ? `$${usd} is more than everything may cost a day ($${mostUsd})` : undefined;
}

/** What stands there instead, and who brought it there. */
async function stale(
  store: Pick<Store, "linesBefore">,
  { ticket }: Stored,
  seen: number,
): Promise<OrderAnswer> {
  const lines = await store.linesBefore(ticket.id, undefined, newsRead);
  const news = lines.filter(({ version }) => version > seen);
  const line = news.find(({ event }) => isOfPerson(event)) ?? news[0];
  return { is: "stale", state: ticket.state, last: line && lineSeen(line) };
}
/** Of what happened since somebody looked, so much is read to find who did it. */
const newsRead = 20;

const isOfPerson = ({ type }: TicketEvent): boolean =>
  /^(?:human|operator|budget\.raised|halt|approval|automerge|ready|ticket)/u.test(type);

const lineSeen = ({ actor, event, at }: Line): OrderSeen => ({ by: actor, what: textOf(event), at });

/** An order that lies in the inbox, in the words of its line to come. */
export function orderSeen({ body, receivedAt }: WaitingOrder): OrderSeen {
  const { actor, ...event } = JSON.parse(body) as TicketEvent & { readonly actor?: string };
  return { by: actor ?? "an operator", what: textOf(event), at: receivedAt };
}
