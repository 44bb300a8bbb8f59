import { Trouble } from "../ports.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Item } from "../store/inbox.ts";
import { openLoop, type Loop } from "./loop.ts";
import { hear } from "./hear.ts";
import { look } from "./look.ts";
import { laneOf } from "./lane.ts";
import { readReport, readTimer } from "./reports.ts";
import type { Read, Said } from "./said.ts";
import { step } from "./step.ts";
import { backoffMs, type Workshop } from "./workshop.ts";

/** Items read in one look. */
const batch = 500;
/** Tickets read at the same time. */
const maxLanes = 16;
/** Tries before an item that cannot be read is set aside with its reason, so that it cannot wedge its ticket. */
const maxTries = 6;

/**
 * Drains the inbox: per ticket in order of arrival, tickets side by side. Reading may ask the forge for facts;
 * nothing else calls `step`.
 */
export function openIntake(shop: Workshop): Loop & { idle(): Promise<boolean> } {
  const { store, clock, log } = shop;
  const lanes = new Map<string, Promise<void>>();
  const taken = new Set<number>();
  const loop = openLoop({
    name: "intake",
    clock,
    log,
    work: async () => {
      const now = clock.now();
      const items = (await store.unread(0, batch)).filter((item) => !taken.has(item.seq));
      let next: number | undefined;
      const blocked = new Set<string>();
      for (const item of items) {
        const lane = await laneOf(shop, item);
        if (blocked.has(lane)) continue;
        if (item.dueAt > now) {
          // The lane waits for it: what came later about this ticket must not overtake.
          blocked.add(lane);
          next = Math.min(next ?? Infinity, item.dueAt);
          continue;
        }
        if (!lanes.has(lane) && lanes.size >= maxLanes) continue;
        enqueue(lane, item);
      }
      return next;
    },
  });
  const enqueue = (lane: string, item: Item): void => {
    taken.add(item.seq);
    const before = lanes.get(lane) ?? Promise.resolve();
    const work = before
      .then(() => readOne(shop, item))
      .catch((error: unknown) => log.error({ error, item: item.id }, "an inbox item could not be recorded"))
      .finally(() => {
        taken.delete(item.seq);
        if (lanes.get(lane) === work) lanes.delete(lane);
        loop.poke();
      });
    lanes.set(lane, work);
  };
  return {
    ...loop,
    stop: async () => {
      await loop.stop();
      await Promise.all(lanes.values());
    },
    idle: async () => loop.isIdle() && lanes.size === 0 && (await store.unread(0, 1)).length === 0,
  };
}

async function readOne(shop: Workshop, item: Item): Promise<void> {
  const { store, clock, random, log } = shop;
  const fields = { item: item.id, source: item.source, name: item.name };
  try {
    const read = await readItem(shop, item);
    const applied = "ignored" in read ? [] : await stepAll(shop, item, read.said);
    const note =
      "ignored" in read
        ? read.ignored
        : (read.note ?? (applied.length === 0 ? "no row: nothing changed" : applied.join("; ")));
    await store.markItem(item.seq, applied.length === 0 ? "ignored" : "read", note, clock.now());
    log.info({ ...fields, note }, "inbox");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const isOver = (error instanceof Trouble && error.permanent) || item.attempts + 1 >= maxTries;
    if (isOver) {
      await store.markItem(item.seq, "parked", why, clock.now());
      log.error({ ...fields, error: why }, "an inbox item was set aside");
      return;
    }
    const dueAt =
      (error instanceof Trouble ? error.retryAt : undefined) ??
      clock.now() + backoffMs(item.attempts + 1, random) / 10;
    await store.deferItem(item.seq, dueAt, why);
    log.warn({ ...fields, error: why }, "an inbox item waits");
  }
}

async function readItem(shop: Workshop, item: Item): Promise<Read> {
  switch (item.source) {
    case "github":
      return await hear(shop, item);
    case "run":
      return await readReport(shop, item);
    case "timer":
      return await readTimer(shop, item);
    case "reconcile":
      return await look(shop, item);
    case "operator":
    case "performer":
    case "schedule":
      return readDirect(item);
  }
}

/** Rows of our own making hold the event itself. */
function readDirect(item: Item): Read {
  if (item.ticket === undefined) return { ignored: "it names no ticket" };
  const { actor, ...event } = JSON.parse(item.body) as TicketEvent & { readonly actor?: string };
  return { said: [{ ticket: item.ticket, event, actor: actor ?? item.source }] };
}

async function stepAll(shop: Workshop, item: Item, said: readonly Said[]): Promise<readonly string[]> {
  const applied: string[] = [];
  const seen = new Map<string, number>();
  for (const { ticket, event, actor, id } of said) {
    // Named by its type, not by its place: read again after a crash, the facts may leave out what was stepped before.
    const name = `${item.id}#${ticket}#${event.type}`;
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    const stored = await shop.store.load(ticket);
    const repo = stored === undefined ? undefined : await shop.store.repoById(stored.repo);
    if (stored === undefined || repo === undefined) continue;
    const { policy, config } = shop.rulesOf(repo);
    const at = shop.clock.now();
    const stepped = await step(shop.store, {
      ticket,
      event,
      eventId: id ?? (nth === 1 ? name : `${name}#${nth}`),
      actor,
      policy,
      reserveUsd: config.limits.run_usd,
      runLimitMs: config.limits.run_minutes * 60_000,
      now: at,
    });
    if (stepped.row === undefined) continue;
    applied.push(stepped.row);
    shop.onStep?.({
      ticket,
      ref: stored.ref,
      event: event.type,
      actor,
      row: stepped.row,
      why: stepped.why,
      from: stepped.from,
      to: stepped.to,
      at,
    });
    shop.log.info({ ticket, event: event.type, row: stepped.row, actor }, "step");
    for (const loop of ["outbox", "schedule", "timers", "engine"] as const) shop.poke(loop);
  }
  return applied;
}
