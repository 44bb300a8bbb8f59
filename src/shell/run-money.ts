import { ticketOfRun, type TicketId } from "../state-machine/ticket.ts";
import type { Level, Reservation } from "../store/reservations.ts";
import type { RunMoney } from "../workflows/work.ts";
import { nextDay } from "./day.ts";
import type { Workshop } from "./workshop.ts";

/** The money of each run as it was set aside. */
export const runMoney = (shop: Workshop): RunMoney => ({
  left: async (run) => {
    const reservation = await shop.store.reservationOf(run);
    return reservation === undefined ? 0 : reservation.usd - reservation.spentUsd;
  },
  spent: async (run, key) => {
    const ticket = ticketOfRun(run);
    const reservation = await shop.store.reservationOf(run);
    const stored = await shop.store.load(ticket);
    const repo = stored && (await shop.store.repoById(stored.repo));
    if (reservation === undefined || repo === undefined) return "nothing set aside";
    const { run_usd: runUsd } = shop.rulesOf(repo).config.limits;
    const liftsAt = daily.has(reservation.level) ? liftOf(reservation, shop.clock.now()) : undefined;
    if (liftsAt !== undefined) await wakeAt(shop, ticket, liftsAt);
    const event = {
      type: "budget.spent",
      run,
      why: whyOf(reservation, repo.owner),
      // Nobody on the forge can lift a cap on a day.
      ...(liftsAt === undefined ? { wantsUsd: moreOf(runUsd) } : { liftsAt }),
      actor: "run",
    };
    await shop.store.receive({
      id: `spent:${key}`,
      source: "performer",
      name: event.type,
      ticket,
      body: JSON.stringify(event),
      receivedAt: shop.clock.now(),
    });
    shop.poke("intake");
    return "told";
  },
});

/** What may be enough to finish: half of what a run may spend, in whole dollars; nobody can know. */
const moreOf = (runUsd: number): number => Math.max(1, Math.ceil(runUsd / 2));

/** Caps that a new day lifts. */
const daily: ReadonlySet<Level> = new Set(["repository", "tenant", "workspace", "day"]);
/** So long after the stop, that it is read before the timer that ends it. */
const soonMs = 60_000;
/** The day that ended it is the one in which its money was set aside; that may be over already. */
const liftOf = ({ at }: Reservation, now: number): number => Math.max(nextDay(at), now + soonMs);

/** Lets a ticket that a day's cap stopped ask again then. */
export async function wakeAt({ store, poke }: Workshop, ticket: TicketId, dueAt: number): Promise<void> {
  await store.setTimer({
    id: `new-day:${ticket}`,
    ticket,
    name: "new-day",
    body: "{}",
    dueAt,
  });
  poke("timers");
}

function whyOf({ level, capUsd }: Reservation, owner: string): string {
  const cap = `$${capUsd.toFixed(2)}`;
  const tomorrow = "it goes on by itself after midnight UTC";
  switch (level) {
    case "run":
      return `the run has spent the ${cap} it may`;
    case "ticket":
      return `the ticket has spent the ${cap} it may (\`limits.ticket_usd\`)`;
    case "repository":
      return `this repository has spent the ${cap} it may a day (\`limits.day_usd\`); ${tomorrow}`;
    case "tenant":
      return `the repositories of \`${owner}\` have spent the ${cap} the operator allows them a day; ${tomorrow}`;
    case "workspace":
      return `the tickets of this Linear workspace have spent the ${cap} the operator allows them a day; ${tomorrow}`;
    case "day":
      return `everything here has spent the ${cap} the operator allows a day; ${tomorrow}`;
  }
}
