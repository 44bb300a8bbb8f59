/** What a page offers for a ticket as it stands: what the table has a row for, and only what makes sense there. */
import { mayIn, orderNames, type OrderName, type Viewer } from "../../ports-dashboard.ts";
import type { State } from "../../state-machine/ticket.ts";
import { transition } from "../../state-machine/transition.ts";
import type { KnownRepo } from "../../store/repos.ts";
import type { Stored } from "../../store/tickets.ts";
import { eventOf } from "../orders.ts";
import type { Workshop } from "../workshop.ts";

/** Where two orders would do the same, the one that people mean there. */
const offeredIn: Partial<Record<OrderName, ReadonlySet<State>>> = {
  approve: new Set<State>(["Adversarial Review", "In Review", "Merging"]),
  release: new Set<State>(["Backlog", "Blocked"]),
  reject: new Set<State>(["Adversarial Review", "In Review", "Merging"]),
  tell: new Set<State>(["Backlog", "Ready", "Gate", "In Progress", "Rework", "Blocked"]),
};

export const mayOrder = (
  shop: Pick<Workshop, "rulesOf">,
  viewer: Viewer,
  stored: Stored,
  repo: KnownRepo,
): readonly OrderName[] =>
  mayIn(viewer, stored.repo, "act")
    ? orderNames.filter((order) => isPossible(shop, stored, repo, order))
    : [];

function isPossible(
  { rulesOf }: Pick<Workshop, "rulesOf">,
  stored: Stored,
  repo: KnownRepo,
  order: OrderName,
): boolean {
  const { ticket } = stored;
  if (offeredIn[order]?.has(ticket.state) === false) return false;
  if (order === "budget" && ticket.wantsUsd === undefined) return false;
  if (order === "release" && ticket.spec !== undefined) return false;
  // Its words are still to come, as is the text that is released.
  const event =
    order === "release"
      ? ({ type: "ready.granted", spec: "" } as const)
      : eventOf(order, stored, "operator", { text: "?", usd: 1 });
  return event !== undefined && transition(ticket, event, rulesOf(repo).policy).row !== undefined;
}
