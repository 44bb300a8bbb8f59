/** Tickets as a list tells them: for `ps`, and for the board of the dashboard. */
import type { BoardRow } from "../ports-dashboard.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import type { DayCaps } from "./day.ts";
import { openWaits, type Place } from "./waits.ts";

export interface BoardAsk {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly caps: DayCaps;
  placeOf(stored: Stored): Promise<Place & { readonly name?: string | undefined }>;
}

/** Each of these tickets that has begun, told as of one moment. */
export async function boardRows(
  { store, now, caps, placeOf }: BoardAsk,
  tickets: readonly Stored[],
): Promise<readonly BoardRow[]> {
  const waitsOf = openWaits(store, now, caps);
  const begun = tickets.filter(({ version }) => version > 0);
  const costs = new Map(
    (await store.costsOfTickets(begun.map(({ ticket }) => ticket.id))).map((cost) => [cost.ticket, cost]),
  );
  return await Promise.all(
    begun.map(async (stored) => {
      const place = await placeOf(stored);
      const cost = costs.get(stored.ticket.id);
      const { state, counters, pull, head, id } = stored.ticket;
      return {
        ref: stored.ref,
        id,
        title: stored.title,
        url: stored.url,
        state,
        round: counters.cycles,
        maxRounds: place.policy.maxCycles,
        since: stored.since,
        usd: cost?.usd ?? 0,
        usdIsGuess: cost?.isGuess === 1,
        pull,
        head,
        repo: place.name === undefined ? "" : `${place.owner}/${place.name}`,
        wait: await waitsOf(stored, place),
        needsPerson: state === "Blocked" || state === "In Review",
      };
    }),
  );
}
