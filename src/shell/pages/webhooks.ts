/** What came in, with what became of it, and asking for it again. */
import type {
  InboxAsk,
  InboxItem,
  InboxPage,
  InboxRow,
  WebhookOrders,
  WebhookViews,
} from "../../ports-dashboard-webhooks.ts";
import { Trouble } from "../../ports.ts";
import type { ListedItem } from "../../store/webhooks.ts";
import type { Workshop } from "../workshop.ts";
import { ticketsNamed } from "./named.ts";
import { pretty, readable } from "./readable.ts";
import { deedIn } from "./deed.ts";

/** Rows of a page. */
const perPage = 50;
/** Items looked at for them; each may be large, and what follows its text on disk is read through it. */
const lookedAtMost = 500;
/** Characters of a payload that are read, and shown. */
const payloadRead = 400_000;
const payloadShown = 200_000;
/** GitHub keeps its log about three days; a delivery nobody has here is looked for that far back. */
const logKeptMs = 3 * 86_400_000;
/** As GitHub makes them; anything else names no delivery. */
const guidPattern = /^[\dA-Fa-f]{8}(?:-[\dA-Fa-f]{4}){3}-[\dA-Fa-f]{12}$/u;

export function webhookViews(shop: Workshop): WebhookViews {
  return {
    list: async (viewer, asked) => (viewer.rights === "operator" ? await listOf(shop, asked) : undefined),
    item: async (viewer, id) => (viewer.rights === "operator" ? await itemOf(shop, id) : undefined),
  };
}

async function listOf(shop: Workshop, asked: InboxAsk): Promise<InboxPage> {
  const { store, clock } = shop;
  const { source, name, state } = asked;
  const before = asked.before ?? (await store.newestItem()) + 1;
  const ticket = asked.ticket === undefined ? undefined : await ticketNamed(shop, asked.ticket);
  const now = clock.now();
  const isLeft = state === "new" || state === "parked";
  if (isLeft && source === undefined && name === undefined && ticket === undefined) {
    const found = await store.itemsLeft(state, { before, downTo: 0, limit: perPage + 1 });
    const next = found.length > perPage ? found[perPage - 1]?.seq : undefined;
    return { rows: found.slice(0, perPage).map(rowOf), lookedAt: found.length, next, asked, now };
  }
  const downTo = Math.max(1, before - lookedAtMost);
  const found = await store.itemsIn(
    { before, downTo, limit: perPage + 1 },
    { source, name, state, ticket: ticket ?? asked.ticket },
  );
  const isFull = found.length > perPage;
  const end = isFull ? (found[perPage - 1]?.seq ?? downTo) : downTo;
  return {
    rows: found.slice(0, perPage).map(rowOf),
    lookedAt: Math.max(0, before - end),
    next: end > 1 ? end : undefined,
    asked,
    now,
  };
}

const ticketNamed = async ({ store }: Workshop, name: string): Promise<string | undefined> =>
  (await ticketsNamed(store, name))[0]?.ticket.id;

function rowOf(item: ListedItem): InboxRow {
  const { ticket, repo, number } = item;
  const named = repo === null ? undefined : `${repo}${number === null ? "" : `#${number}`}`;
  return {
    seq: item.seq,
    id: item.id,
    source: item.source,
    name: readable(item.name, 80),
    action: item.action === null ? undefined : readable(item.action, 80),
    about: ticket ?? (named === undefined ? undefined : readable(named, 200)),
    ticket: ticket ?? (named === undefined || number === null ? undefined : readable(named, 200)),
    receivedAt: item.receivedAt,
    state: item.state,
    note: item.note === null ? undefined : readable(item.note),
    ms: item.readAt === null ? undefined : Math.max(0, item.readAt - item.receivedAt),
    attempts: item.attempts,
    dueAt: item.state === "new" && item.dueAt > 0 ? item.dueAt : undefined,
  };
}

async function itemOf({ store, clock, host }: Workshop, id: string): Promise<InboxItem | "unknown"> {
  const item = await store.itemWithBody(id, payloadRead);
  if (item === undefined) return "unknown";
  return {
    ...rowOf(item),
    payload: pretty(item.body, payloadShown),
    isCut: item.length > payloadShown,
    length: item.length,
    mayReread: item.state === "parked",
    mayRedeliver: item.source === "github" && host?.desk !== undefined,
    now: clock.now(),
  };
}

export function webhookOrders(shop: Workshop): WebhookOrders {
  const { store, clock } = shop;
  const deed = deedIn(shop);
  return {
    reread: async (viewer, id) => {
      if (viewer.rights !== "operator") return "forbidden";
      const done = await store.rereadItem(id, deed(viewer, "item read again", id));
      if (done) shop.poke("intake");
      return done ? "done" : "nothing";
    },
    redeliver: async (viewer, given) => {
      if (viewer.rights !== "operator") return { is: "forbidden" };
      const guid = given.trim();
      const { host } = shop;
      if (host?.desk === undefined || !guidPattern.test(guid)) return { is: "impossible" };
      const known = await store.itemWithBody(guid, 0);
      const since = known?.receivedAt ?? clock.now() - logKeptMs;
      let is: "asked" | "forgotten";
      try {
        is = await host.desk.redeliver(guid, since);
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        await store.noteDeed(deed(viewer, "delivery asked for again", guid, readable(error.message)));
        return { is: "refused", why: readable(error.message) };
      }
      await store.noteDeed(deed(viewer, "delivery asked for again", guid, is));
      return { is };
    },
  };
}
