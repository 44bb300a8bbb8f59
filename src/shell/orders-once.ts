/** Orders that programs give: each once, under a key of their own, however often it is sent. */
import { mayIn, type Commands, type Viewer } from "../ports-dashboard.ts";
import type { ApiCommands, ApiOrder, OrderAsked, OrderReply } from "../ports-dashboard-api.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Policy, State } from "../state-machine/ticket.ts";
import { transition } from "../state-machine/transition.ts";
import type { KeptAnswer } from "../store/kept-answers.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { ticketNamed } from "./pages/api.ts";
import { keyName, openRunOrdersOnce } from "./run-orders-once.ts";

export interface OnceOptions {
  readonly store: Store;
  readonly policyOf: (stored: Stored) => Promise<Policy>;
  readonly now: () => number;
  /** Has what may have been missed looked for. */
  readonly refresh?: (() => "asked" | "underWay") | undefined;
}
/** As pages give orders; with rows named and put in as told. */
type Open = (by?: {
  readonly store: Store;
  readonly newId: () => string;
}) => Pick<Commands, "give" | "halt" | "runs">;

export function openOrdersOnce(options: OnceOptions, open: Open): ApiCommands {
  return {
    order: async (viewer, asked) => {
      const stored = await ticketNamed(options, viewer, asked.ticket);
      if (stored === undefined) return { is: "unknown" };
      if (!mayIn(viewer, stored.repo, "act")) return { is: "forbidden" };
      const { key } = asked;
      if (key === undefined) return await given(open(), viewer, stored, asked.wanted);
      return await once(options, open, viewer, stored, { ...asked, key });
    },
    orderRun: openRunOrdersOnce(options, open().runs),
    refresh: async ({ rights }) => {
      const mayAct = rights === "operator" || [...rights.values()].some((right) => right !== "see");
      return mayAct ? (options.refresh?.() ?? "asked") : "forbidden";
    },
  };
}

async function given(
  commands: ReturnType<Open>,
  viewer: Viewer,
  { ticket: { id: ticket, state } }: Stored,
  wanted: ApiOrder,
): Promise<OrderReply> {
  if ("seen" in wanted) {
    const answer = await commands.give(viewer, { ...wanted, ticket });
    return answer.is === "taken" ? { ...answer, ticket } : answer;
  }
  const said = await commands.halt(viewer, ticket, wanted.order === "halt" ? "raised" : "lifted");
  return said === "said" ? { is: "taken", ticket, to: state } : { is: said };
}

async function once(
  options: OnceOptions,
  open: Open,
  viewer: Viewer,
  stored: Stored,
  asked: OrderAsked & { readonly key: string },
): Promise<OrderReply> {
  const { store, now } = options;
  const { id: ticket } = stored.ticket;
  const id = keyName(viewer, asked.key);
  const kept = { id, asked: JSON.stringify([ticket, asked.wanted]), at: now() };
  const first = await store.keptAnswer(id);
  if (first !== undefined) return repeated(first, kept.asked);
  const orders = open({ store: keepingStore(options, stored, kept), newId: numbered(id) });
  const reply = await given(orders, viewer, stored, asked.wanted);
  // Where it was taken, that is kept already, in the step that took it.
  return repeated(await store.answerOnce({ ...kept, answer: JSON.stringify(reply) }), kept.asked);
}

/** The same again; or, where another order has the key, that. */
const repeated = ({ asked, answer }: KeptAnswer, now: string): OrderReply =>
  // As it was written here.
  asked === now ? (JSON.parse(answer) as OrderReply) : { is: "reused" };

/** Names that are the same whenever the order is given again. */
function numbered(id: string): () => string {
  let next = 0;
  return () => `${id}:${(next += 1)}`;
}

/** Puts an order in together with what it is answered. */
const keepingStore = (
  { store, policyOf }: OnceOptions,
  stored: Stored,
  kept: Omit<KeptAnswer, "answer">,
): Store => ({
  ...store,
  takeOrder: async (ticket, items, seen) => {
    // As `give` wrote it a moment ago.
    const event = JSON.parse(items.at(-1)?.body ?? "{}") as TicketEvent;
    const { state } = transition(stored.ticket, event, await policyOf(stored)).ticket;
    const answer = takenAs(ticket, state);
    return await store.takeOrderOnce({ ...kept, answer }, items, { ticket, seen });
  },
  sayHalt: async (item, says) => {
    const answer = takenAs(item.ticket, stored.ticket.state);
    await store.sayHaltOnce({ ...kept, answer }, item, says);
  },
});

const takenAs = (ticket: string, to: State): string =>
  JSON.stringify({ is: "taken", ticket, to } satisfies OrderReply);
