import type { HeldUp } from "../state-machine/explain.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { dayStart, leftOf, pursesOf, reserveOf, type DayCaps, type Payer } from "./day.ts";

/** What the scheduler knows of money when it looks. */
export interface Money extends DayCaps {
  readonly now: number;
  readonly runUsd: number;
  readonly payer: Payer;
}

/** Why a queued ticket gets no slot although one is free: what the scheduler asks besides, in its order. */
export async function heldUpBy(
  store: Store,
  { ticket }: Pick<Stored, "ticket">,
  money: Money,
): Promise<HeldUp | undefined> {
  if (ticket.state !== "Ready" && ticket.state !== "Rework") return undefined;
  if ((await store.ticketsToClean()).has(ticket.id)) return "clean-up";
  if (ticket.state === "Rework" && (await store.ticketsWithTimer("objections")).has(ticket.id))
    return "pause";
  const left = leftOf(await store.spendingSince(dayStart(money.now)), [money.payer], money);
  const wanted = reserveOf(ticket.allowance, money.runUsd, money.payer, money);
  return pursesOf(money.payer).some((purse) => wanted > (left.get(purse) ?? Infinity))
    ? "day-budget"
    : undefined;
}
