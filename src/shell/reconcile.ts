import { Trouble } from "../ports.ts";
import type { NewItem } from "../store/inbox.ts";
import { openStates } from "../store/tickets.ts";
import { ticketIdOf } from "./lane.ts";
import { openLoop, type Loop } from "./loop.ts";
import { numberOf } from "./meaning.ts";
import { syncRepos } from "./repo-sync.ts";
import type { Workshop } from "./workshop.ts";

/** How far back a first walk of the deliveries looks; GitHub keeps them about three days. */
const firstWalkMs = 3 * 86_400_000;
/** Deliveries are listed by time of delivery, and clocks differ. */
const overlapMs = 10 * 60_000;

/**
 * The other half of webhooks: at start-up and every few minutes it fetches the deliveries that failed, and asks for
 * a look at every ticket that may have missed something. It decides nothing: it only fills the inbox.
 */
export function openReconcile(shop: Workshop): Loop {
  const { clock, log, limits } = shop;
  return openLoop({
    name: "reconcile",
    clock,
    log,
    work: async () => {
      const started = clock.now();
      const found = await reconcileOnce(shop);
      log.info({ ...found, ms: clock.now() - started }, "reconciled");
      return started + limits.reconcileMs;
    },
  });
}

export interface Reconciled {
  readonly repos: number;
  readonly deliveries: number;
  readonly looks: number;
}

export async function reconcileOnce(shop: Workshop): Promise<Reconciled> {
  const repos = await syncRepos(shop);
  const deliveries = await walkDeliveries(shop);
  const looks = await askForLooks(shop);
  if (deliveries + looks > 0) shop.poke("intake");
  return { repos, deliveries, looks };
}

/** Fetches deliveries that were never acknowledged; GitHub does not send them again by itself. */
async function walkDeliveries(shop: Workshop): Promise<number> {
  const { store, clock, log } = shop;
  const now = clock.now();
  const mark = await store.setting("walked-deliveries");
  const since = mark === undefined ? now - firstWalkMs : Number(mark.value) - overlapMs;
  try {
    // Every delivery id is unique in the inbox, so what is fetched twice is stored once.
    const missed = await shop.hooks.missed(since, () => false);
    let stored = 0;
    for (const { guid, name, payload } of missed) {
      const action = (payload as { action?: unknown } | null)?.action;
      const kept = await store.receive({
        id: guid,
        source: "github",
        name,
        action: typeof action === "string" ? action : undefined,
        body: JSON.stringify(payload),
        receivedAt: now,
      });
      if (kept === "stored") stored += 1;
    }
    await store.set("walked-deliveries", String(now), "reconcile", now);
    return stored;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    log.warn({ error: error.message }, "the deliveries could not be walked; facts are compared all the same");
    return 0;
  }
}

async function askForLooks(shop: Workshop): Promise<number> {
  const { store, clock } = shop;
  const now = clock.now();
  const wanted = new Set(
    (await store.ticketsIn(openStates)).filter(({ version }) => version > 0).map(({ ticket }) => ticket.id),
  );
  for (const repo of await store.knownRepos()) {
    // The first look at a repository takes every open issue with a label of ours.
    const changed = await shop.tracker.changedSince(repo, Math.max(0, repo.syncedAt - overlapMs));
    for (const facts of changed) wanted.add(ticketIdOf(repo.id, numberOf(facts.id)));
    await store.markSynced(repo.id, now);
  }
  // A ticket that waits for the forge needs one look, not one for each time we came by.
  const awaited = await store.awaitedLooks();
  const asked = [...wanted].filter((ticket) => !awaited.has(ticket));
  await Promise.all(
    asked.map((ticket) => {
      const item: NewItem = {
        id: `look:${ticket}:${now}`,
        source: "reconcile",
        name: "look",
        ticket,
        body: "{}",
        receivedAt: now,
      };
      return store.receive(item);
    }),
  );
  return asked.length;
}
