import type { HeldUp } from "../state-machine/explain.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { dayStart } from "./day.ts";

/** Why a queued ticket gets no slot although one is free: what the scheduler asks besides, in its order. */
export async function heldUpBy(
  store: Store,
  { ticket }: Pick<Stored, "ticket">,
  money: { readonly now: number; readonly runUsd: number; readonly dayStopUsd: number },
): Promise<HeldUp | undefined> {
  if (ticket.state !== "Ready" && ticket.state !== "Rework") return undefined;
  if ((await store.ticketsToClean()).has(ticket.id)) return "clean-up";
  if (ticket.state === "Rework" && (await store.ticketsWithTimer("objections")).has(ticket.id))
    return "pause";
  const { spentUsd, reservedUsd } = await store.spendingSince(dayStart(money.now));
  return (ticket.allowance ?? money.runUsd) > money.dayStopUsd - spentUsd - reservedUsd
    ? "day-budget"
    : undefined;
}
