/** Orders that programs give: each once, under a key of their own, however often it is sent. */
import { hash } from "node:crypto";
import { mayIn, type Viewer } from "../ports-dashboard.ts";
import type { ApiCommands, ApiOrder, OrderReply } from "../ports-dashboard-api.ts";
import type { NewItem } from "../store/inbox.ts";
import type { KeptAnswer, Leaving } from "../store/kept-answers.ts";
import type { Stored } from "../store/tickets.ts";
import { eventOf, haltItem, leave, type OrdersOptions } from "./order-items.ts";
import { ticketNamed } from "./pages/api.ts";

/** What it comes to, before anything of it is written. */
interface Judged {
  readonly reply: OrderReply;
  readonly leaving?: Leaving | undefined;
}

export function openOrdersOnce(options: OrdersOptions): ApiCommands {
  const { store, now, newId, left } = options;
  return {
    order: async (viewer, { ticket, wanted, key }) => {
      const stored = await ticketNamed(options, viewer, ticket);
      if (stored === undefined) return { is: "unknown" };
      if (!mayIn(viewer, stored.repo, "act")) return { is: "forbidden" };
      const id = key === undefined ? newId() : `api:${hash("sha256", JSON.stringify([viewer.who, key]))}`;
      const asked = JSON.stringify([stored.ticket.id, wanted]);
      const kept = key === undefined ? undefined : await store.keptAnswer(id);
      if (kept !== undefined) return repeated(kept, asked);
      const { reply, leaving } = await judge(options, viewer, stored, wanted, id);
      if (key === undefined) {
        if (leaving !== undefined) await store.leaveBehind(leaving);
      } else {
        const answer = { id, asked, answer: JSON.stringify(reply), at: now() };
        const first = await store.answerOnce(answer, leaving);
        if (first !== answer) return repeated(first, asked);
      }
      if (leaving !== undefined) left();
      return reply;
    },
    refresh: async ({ rights }) => {
      const mayAct = rights === "operator" || [...rights.values()].some((right) => right !== "see");
      return mayAct ? (options.refresh?.() ?? "asked") : "forbidden";
    },
  };
}

/** The same again; or, where another order has the key, that. */
const repeated = ({ asked, answer }: KeptAnswer, now: string): OrderReply =>
  // As it was written below.
  asked === now ? (JSON.parse(answer) as OrderReply) : { is: "reused" };

async function judge(
  { store, policyOf, now }: OrdersOptions,
  viewer: Viewer,
  stored: Stored,
  wanted: ApiOrder,
  id: string,
): Promise<Judged> {
  const { state, id: ticket } = stored.ticket;
  const left = { actor: viewer.who, id, at: now() };
  if (!("seen" in wanted)) {
    const is = wanted.order === "halt" ? "raised" : "lifted";
    const isTheirs = (await store.haltersOf(ticket)).some((one) => one.by === "operator");
    if (is === "lifted" && !isTheirs) return { reply: { is: "nothing" } };
    const halt = { is, actor: viewer.who } as const;
    return { reply: { is: "taken", ticket, to: state }, leaving: { item: haltItem(ticket, is, left), halt } };
  }
  if (stored.version !== wanted.seen) return { reply: { is: "stale", state, version: stored.version } };
  const event = eventOf(wanted.order, stored, viewer.who);
  if (event === undefined) return { reply: { is: "impossible", state } };
  const items: NewItem[] = [];
  const policy = await policyOf(stored);
  const receive = async (item: NewItem): Promise<"stored"> => {
    items.push(item);
    return "stored";
  };
  const answer = await leave({ receive }, stored, policy, { ...left, event });
  if (answer.is === "impossible") return { reply: answer };
  const [item] = items;
  return {
    reply: { is: "taken", ticket, to: answer.to },
    leaving: item === undefined ? undefined : { item },
  };
}
