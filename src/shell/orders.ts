/** What an operator asks for on a page: a row in the inbox, refused when the table has none for it. */
import { mayIn, type Commands } from "../ports-dashboard.ts";
import { byOperator, lookFirst } from "./halt-marks.ts";
import { eventOf, haltItem, leave, type OrdersOptions } from "./order-items.ts";
import { openOrdersOnce } from "./orders-once.ts";

/** Takes orders of pages: only upon what their giver had before them. */
export function openOrders(options: OrdersOptions): Commands {
  const { store, policyOf, now, newId, left } = options;
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
    api: openOrdersOnce(options),
  };
}
