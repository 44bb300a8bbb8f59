import { Trouble, type Instant } from "../ports.ts";
import type { DeliveryLog, RecordedDelivery, RecordedNews } from "../ports-hooks.ts";
import { openLoop, type Loop } from "./loop.ts";
import { firstWalkMs, overlapMs, walkedMark } from "./reconcile.ts";
import { tryAgainAt, type Workshop } from "./workshop.ts";

/** A delivery as a webhook would have brought it. */
export interface PulledDelivery {
  readonly id: string;
  readonly source: "github";
  readonly name: string;
  readonly action: string | undefined;
  readonly body: string;
  readonly receivedAt: Instant;
}
export interface PullFeedOptions {
  readonly shop: Pick<Workshop, "store" | "clock" | "random" | "log">;
  readonly log: DeliveryLog;
  readonly everyMs: number;
  /** Whether anybody reads deliveries of this name. */
  readonly reads: (name: string) => boolean;
  readonly keep: (delivery: PulledDelivery) => Promise<"stored" | "repeat">;
}

/** After a silence of ours this long, such as a laptop's sleep, it is told what was caught up. */
const gapMs = 60_000;
/** How often it is noted how far we read, when nothing happens; well below the overlap of two walks. */
const noteEveryMs = 60_000;
/** Later ones wait behind a delivery that GitHub does not give out, but not for ever: asked so often, rarer each time, takes most of an hour. */
const asksAtMost = 12;
/** Of GitHub's budget these are left to those who work. */
const sparedCalls = 200;

/**
 * Hears GitHub without being reachable: reads its log of deliveries again and again, and stores each as if a webhook had
 * brought it. A guid is stored once, whoever brought it first, so it may run beside webhooks.
 */
export function openPullFeed(options: PullFeedOptions): Loop {
  const { shop } = options;
  const { clock, log } = shop;
  const memory: Memory = {
    tag: undefined,
    settled: new Set(),
    refused: undefined,
    lookedAt: undefined,
    notedAt: undefined,
  };
  let failures = 0;
  return openLoop({
    name: "pull",
    clock,
    log,
    work: async () => {
      try {
        const budget = await pullOnce(options, memory);
        if (failures > 0) log.info({ after: failures }, "GitHub's deliveries are read again");
        failures = 0;
        return Math.max(clock.now() + options.everyMs, spreadUntil(budget, clock.now()));
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        failures += 1;
        const next = tryAgainAt(shop, error, failures, options.everyMs);
        const fields = { error: error.message, failures, nextInMs: next - clock.now() };
        log.warn(fields, "GitHub's deliveries could not be read; none is lost");
        return next;
      }
    },
  });
}

interface Memory {
  /** Of the last look that ended well: what it listed is all settled. */
  tag: string | undefined;
  /** Guids within the overlap that nobody reads, or whose payload is gone. */
  settled: Set<string>;
  /** The delivery that was last asked for in vain, and how often. */
  refused: { readonly guid: string; readonly times: number } | undefined;
  lookedAt: Instant | undefined;
  notedAt: Instant | undefined;
}

/** One look. Whoever dies in its middle looks again from the same instant, and what is stored already stays once. */
async function pullOnce(options: PullFeedOptions, memory: Memory): Promise<RecordedNews["budget"]> {
  const { shop, log } = options;
  const { store, clock } = shop;
  const now = clock.now();
  const mark = await store.setting(walkedMark);
  const seen = mark === undefined ? undefined : Number(mark.value);
  const since = seen === undefined ? now - firstWalkMs : seen - overlapMs;
  const { deliveries, tag, budget } = await log.since(since, memory.tag);
  if (deliveries !== undefined) {
    const fresh = await freshOf(options, memory, deliveries);
    let stored = 0;
    for (const one of fresh) stored += await take(options, memory, one);
    if (stored > 0) tell(options, stored, memory.lookedAt ?? seen);
    const listed = new Set(deliveries.map(({ guid }) => guid));
    memory.settled = new Set([...memory.settled].filter((guid) => listed.has(guid)));
    memory.tag = tag;
  }
  memory.lookedAt = now;
  if (memory.notedAt === undefined || now - memory.notedAt >= noteEveryMs) {
    await store.set(walkedMark, String(now), "pull", now);
    memory.notedAt = now;
  }
  return budget;
}

async function freshOf(
  { shop, reads }: PullFeedOptions,
  { settled }: Memory,
  deliveries: readonly RecordedDelivery[],
): Promise<readonly RecordedDelivery[]> {
  const read = deliveries.filter(({ guid, name }) => reads(name) && !settled.has(guid));
  const known = await shop.store.knownItems(read.map(({ guid }) => guid));
  return read.filter(({ guid }) => !known.has(guid));
}

/** Its payload; undefined when GitHub forgot it, or was asked in vain too often. */
async function payloadOf(
  { shop, log }: PullFeedOptions,
  memory: Memory,
  { id, guid }: RecordedDelivery,
): Promise<unknown> {
  try {
    return await log.payload(id);
  } catch (error) {
    // A rate limit says nothing about this one.
    if (!(error instanceof Trouble) || error.retryAt !== undefined) throw error;
    const times = memory.refused?.guid === guid ? memory.refused.times + 1 : 1;
    memory.refused = { guid, times };
    if (times < asksAtMost) throw error;
    shop.log.warn(
      { delivery: guid, error: error.message },
      "a delivery is given up; comparing finds what it told",
    );
    return undefined;
  }
}

async function take(options: PullFeedOptions, memory: Memory, delivery: RecordedDelivery): Promise<number> {
  const { shop, keep } = options;
  const { settled } = memory;
  const { guid, name } = delivery;
  const payload = await payloadOf(options, memory, delivery);
  if (payload === undefined || payload === null) {
    // What GitHub forgot is left to the reconciler, which compares.
    settled.add(guid);
    return 0;
  }
  const { action } = payload as { readonly action?: unknown };
  const kept = await keep({
    id: guid,
    source: "github",
    name,
    action: typeof action === "string" ? action : undefined,
    body: JSON.stringify(payload),
    receivedAt: shop.clock.now(),
  });
  return kept === "stored" ? 1 : 0;
}

function tell({ shop }: PullFeedOptions, events: number, lastLook: Instant | undefined): void {
  const silentMs = lastLook === undefined ? undefined : shop.clock.now() - lastLook;
  const what = `${events} event${events === 1 ? "" : "s"}`;
  if (silentMs === undefined || silentMs < gapMs) shop.log.info({ events }, `pulled ${what}`);
  else shop.log.info({ events, silentMs }, `caught up ${what}`);
  if (silentMs !== undefined && silentMs > firstWalkMs)
    shop.log.warn(
      { silentMs },
      "GitHub forgets deliveries after some three days; what went missing before is found by comparing",
    );
}

/** When the budget would run out before it is counted anew, looks are spread over what is left of it. */
function spreadUntil(budget: RecordedNews["budget"], now: Instant): Instant {
  if (budget === undefined || budget.resetAt <= now) return now;
  const calls = budget.left - sparedCalls;
  return calls <= 0 ? budget.resetAt : now + (budget.resetAt - now) / calls;
}
