import { Trouble } from "../ports.ts";
import { forgeTicketId, linearIssueOf } from "../state-machine/ticket-id.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import { openLoop, type Loop } from "./loop.ts";
import { despiteTrouble, syncRepos } from "./repo-sync.ts";
import { lookItem } from "./look-item.ts";
import { isOurs, ownWords } from "./linear-words.ts";
import { lookAtOnboarding } from "./onboarding.ts";
import { backoffMs, type Workshop } from "./workshop.ts";

/** How far back a first walk of the deliveries looks; GitHub keeps them about three days. */
export const firstWalkMs = 3 * 86_400_000;
/** Deliveries are listed by time of delivery, and clocks differ. */
export const overlapMs = 10 * 60_000;
/** How far the deliveries were walked, by whoever walks them. */
export const walkedMark = "walked-deliveries";

/** When every ticket of Linear was last looked at, changed or not. */
const wholeLook = "looked-at-linear";
const wholeLookMs = 60 * 60_000;

/**
 * The other half of webhooks: at start-up and every few minutes it fetches the deliveries that failed, and asks for
 * a look at every ticket that may have missed something. It decides nothing: it only fills the inbox.
 */
export function openReconcile(shop: Workshop): Loop {
  const { clock, random, log, limits } = shop;
  let failures = 0;
  return openLoop({
    name: "reconcile",
    clock,
    log,
    work: async () => {
      const started = clock.now();
      const found = await reconcileOnce(shop).catch((error: unknown) => ({ trouble: messageOf(error) }));
      failures = found.trouble === undefined ? 0 : failures + 1;
      const fields = { ...found, ms: clock.now() - started };
      if (failures === 0) {
        log.info(fields, "reconciled");
        return started + limits.reconcileMs;
      }
      log.warn(fields, "reconciled in part");
      // Each walk asks the forge many things, so one that failed is not repeated at once.
      return clock.now() + Math.min(backoffMs(failures, random), limits.reconcileMs);
    },
  });
}

export interface Reconciled {
  readonly repos: number;
  readonly deliveries: number;
  readonly looks: number;
  /** What the forge as a whole refused; what one repository did is only logged. */
  readonly trouble: string | undefined;
}

export async function reconcileOnce(shop: Workshop): Promise<Reconciled> {
  const troubles: string[] = [];
  // What the one cannot tell, the other may.
  const part = async (work: (shop: Workshop) => Promise<number>): Promise<number> =>
    await work(shop).catch((error: unknown) => {
      if (!(error instanceof Trouble)) throw error;
      troubles.push(error.message);
      return 0;
    });
  const repos = await part(syncRepos);
  // Where the log of deliveries is read all the time, a walk would only fetch the same again.
  const deliveries = shop.pullsDeliveries === true ? 0 : await part(walkDeliveries);
  await part(lookAtOnboarding);
  const scan = await scanLinear(shop, troubles);
  const looks = await askForLooks(shop, new Set(scan.changed));
  // Whoever dies before this scans the same stretch again.
  for (const { cursor, at } of scan.cursors) await shop.store.set(cursor, String(at), "reconcile", at);
  if (deliveries + looks > 0) shop.poke("intake");
  return { repos, deliveries, looks, trouble: troubles[0] };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Fetches deliveries that were never acknowledged; GitHub does not send them again by itself. */
async function walkDeliveries(shop: Workshop): Promise<number> {
  const { store, clock } = shop;
  const now = clock.now();
  const mark = await store.setting(walkedMark);
  const since = mark === undefined ? now - firstWalkMs : Number(mark.value) - overlapMs;
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
  await store.set(walkedMark, String(now), "reconcile", now);
  return stored;
}

interface Scan {
  readonly changed: readonly TicketId[];
  readonly cursors: readonly { readonly cursor: string; readonly at: number }[];
}

/** Tickets, and what may be one, of Linear's workspaces, in which something changed since the last time. */
async function scanLinear(shop: Workshop, troubles: string[]): Promise<Scan> {
  const { linear, store, clock } = shop;
  const words = await ownWords(shop);
  const found: TicketId[] = [];
  const cursors: { readonly cursor: string; readonly at: number }[] = [];
  const workspaces = await attempt(troubles, () => linear.tokens.workspaces());
  const out = new Set((await linear.tokens.signedOut()).map(({ workspace }) => workspace));
  for (const workspace of (workspaces ?? []).filter((one) => !out.has(one))) {
    const cursor = `scanned-linear:${workspace}`;
    const now = clock.now();
    const mark = await store.setting(cursor);
    const since = mark === undefined ? now - firstWalkMs : Number(mark.value) - overlapMs;
    const changed = await attempt(troubles, () => linear.issues.changedSince(workspace, since));
    if (changed === undefined) continue;
    for (const facts of changed) {
      const isTicket =
        facts.isOurs || facts.means === "Ready" || facts.labels.some((name) => isOurs(name, words));
      if (isTicket || (await store.load(facts.id)) !== undefined) found.push(facts.id);
    }
    cursors.push({ cursor, at: now });
  }
  return { changed: found, cursors };
}

/** What one workspace refuses keeps nothing from the others. */
async function attempt<Result>(troubles: string[], work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    troubles.push(error.message);
    return undefined;
  }
}

async function askForLooks(shop: Workshop, elsewhere: ReadonlySet<TicketId>): Promise<number> {
  const { store, clock } = shop;
  const now = clock.now();
  const repos = await store.knownRepos();
  // Where the App is no longer installed there is nothing to be seen, and each look would only be refused.
  const here = new Set(repos.map(({ id }) => id));
  const open = (await store.openTicketNames())
    .filter(({ version, repo }) => version > 0 && here.has(repo))
    .map(({ id }) => id);
  const wanted = new Set([...elsewhere, ...open]);
  // What vanished from Linear is in no scan; each question costs of a budget that is told by the hour.
  const isWhole = now - Number((await store.setting(wholeLook))?.value ?? 0) >= wholeLookMs;
  const isUnchanged = (ticket: TicketId): boolean =>
    !isWhole && linearIssueOf(ticket) !== undefined && !elsewhere.has(ticket);
  for (const repo of repos) {
    await despiteTrouble(shop, repo, "is compared next time", async () => {
      // The first look at a repository takes every open issue with a label of ours.
      const changed = await shop.tracker.changedSince(repo, Math.max(0, repo.syncedAt - overlapMs));
      for (const facts of changed) wanted.add(forgeTicketId(repo, facts.number));
      await store.markSynced(repo.id, now);
    });
  }
  // A ticket that waits for the forge needs one look, not one for each time we came by.
  const awaited = await store.awaitedLooks();
  // One that asks nothing of Linear says nothing of what changed there.
  const asked = [...wanted].filter((ticket) => elsewhere.has(ticket) || !awaited.has(ticket));
  await Promise.all(
    asked.map((ticket) =>
      store.receive(lookItem(ticket, String(now), now, isUnchanged(ticket) ? { issue: "unchanged" } : {})),
    ),
  );
  if (isWhole) await store.set(wholeLook, String(now), "reconcile", now);
  return asked.length;
}
