import { Trouble } from "../ports.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Item } from "../store/inbox.ts";
import type { Stored } from "../store/tickets.ts";
import { openLoop, restMs, type Loop } from "./loop.ts";
import { keepHalter } from "./halts.ts";
import { hear } from "./hear.ts";
import { hearLinear } from "./hear-linear.ts";
import { look } from "./look.ts";
import { laneOf } from "./lane.ts";
import { itemPrefix } from "./meaning.ts";
import { readReport, readTimer } from "./reports.ts";
import type { Read, Said } from "./said.ts";
import { capsOf } from "./day.ts";
import { ordersWait } from "./orders-told.ts";
import { step } from "./step.ts";
import { tryAgainAt, type Workshop } from "./workshop.ts";

/** Items filed in one look. */
const batch = 500;
/** Tickets read at the same time. */
const maxLanes = 16;
/** Tries before an item that we ourselves fail on is set aside with its reason, so that it cannot wedge its ticket. */
const maxTries = 10;
/** A person waits for the answer, so the first tries follow each other sooner than those of an effect. */
const firstWaitMs = 1_000;

/** The unread items of one ticket in order of arrival; the first of them is read when its time has come. */
interface Lane {
  readonly waiting: { readonly seq: number; readonly dueAt: number }[];
  work: Promise<void> | undefined;
}

/**
 * Drains the inbox: per ticket in order of arrival, tickets side by side. Reading may ask the forge for facts;
 * nothing else calls `step`.
 */
export function openIntake(shop: Workshop): Loop & { idle(): Promise<boolean> } {
  const { store, clock, log } = shop;
  const lanes = new Map<string, Lane>();
  let filed = 0;
  /** Rows are only added at the end, so each is filed once and what waits is not looked at again. */
  const file = async (): Promise<void> => {
    const items = await store.unread(filed, batch);
    for (const item of items) {
      const name = await laneOf(shop, item);
      const lane = lanes.get(name) ?? { waiting: [], work: undefined };
      lane.waiting.push({ seq: item.seq, dueAt: item.dueAt });
      lanes.set(name, lane);
      filed = item.seq;
    }
    if (items.length === batch) loop.poke();
  };
  const loop = openLoop({
    name: "intake",
    clock,
    log,
    work: async () => {
      await file();
      const now = clock.now();
      let atWork = atWorkIn(lanes).length;
      let next: number | undefined;
      for (const [name, lane] of lanes) {
        const [first] = lane.waiting;
        if (first === undefined || lane.work !== undefined) continue;
        const isHurried = shop.hurried?.delete(first.seq) === true;
        if (first.dueAt > now && !isHurried) next = Math.min(next ?? Infinity, first.dueAt);
        else if (atWork < maxLanes) {
          atWork += 1;
          lane.work = readFirst(name, lane, first.seq);
        }
      }
      return next;
    },
  });
  const readFirst = async (name: string, lane: Lane, seq: number): Promise<void> => {
    const until = await readOne(shop, name, seq).catch((error: unknown) => {
      log.error({ error, item: seq }, "an inbox item could not be recorded");
      // Poked or not: a database that takes nothing is left in peace for a while.
      return clock.now() + restMs;
    });
    // What came later about this ticket must not overtake what has to wait.
    if (until === undefined) lane.waiting.shift();
    else lane.waiting[0] = { seq, dueAt: until };
    lane.work = undefined;
    // Behind the others: a ticket that talks without end takes turns with them.
    lanes.delete(name);
    if (lane.waiting.length > 0) lanes.set(name, lane);
    loop.poke();
  };
  return {
    ...loop,
    stop: async () => {
      await loop.stop();
      await Promise.all(atWorkIn(lanes));
    },
    idle: async () =>
      loop.isIdle() && atWorkIn(lanes).length === 0 && (await store.unread(0, 1)).length === 0,
  };
}

const atWorkIn = (lanes: ReadonlyMap<string, Lane>): readonly Promise<void>[] =>
  [...lanes.values()].flatMap(({ work }) => work ?? []);

/** Reads one item and answers until when it has to wait; undefined when it is over. */
async function readOne(shop: Workshop, lane: string, seq: number): Promise<number | undefined> {
  const { store, clock, log } = shop;
  const [item] = await store.unread(seq - 1, 1);
  if (item?.seq !== seq) return undefined;
  const started = clock.now();
  const fields = {
    item: item.id,
    source: item.source,
    name: item.name,
    ...ticketIn(item, lane),
  };
  try {
    const read = await readItem(shop, item);
    const applied = "ignored" in read ? [] : await stepAll(shop, item, read.said);
    const note =
      "ignored" in read
        ? read.ignored
        : (read.note ?? (applied.length === 0 ? "no row: nothing changed" : applied.join("; ")));
    await store.markItem(item.seq, applied.length === 0 ? "ignored" : "read", note, clock.now());
    log.info({ ...fields, note, ms: clock.now() - started }, "inbox");
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (isHopeless(error, item)) {
      await store.parkItem(item.seq, lane, why, clock.now());
      log.error({ ...fields, error: why }, "an inbox item was set aside");
      return undefined;
    }
    const until = tryAgainAt(shop, error, item.attempts + 1, firstWaitMs);
    await store.deferItem(item.seq, until, lane, why);
    log.warn({ ...fields, error: why }, "an inbox item waits");
    return until;
  }
}

/** A delivery names its ticket by the lane it is read in. */
function ticketIn(item: Item, lane: string): { readonly ticket: string } | undefined {
  const ticket =
    item.ticket ?? (/^(?:github|local):\d+#\d+$|^linear:[^/]+\/[^/]+$/u.test(lane) ? lane : undefined);
  return ticket === undefined ? undefined : { ticket };
}

/** A delivery that was acknowledged is ours to remember: trouble that passes is waited for, however long it takes. */
const isHopeless = (error: unknown, item: Item): boolean =>
  error instanceof Trouble ? error.permanent : item.attempts + 1 >= maxTries;

async function readItem(shop: Workshop, item: Item): Promise<Read> {
  switch (item.source) {
    case "github":
    case "local":
      return await hear(shop, item);
    case "linear":
      return await hearLinear(shop, item);
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
  for (const { ticket, event, actor, permission, id } of said) {
    // Named by its type, not by its place: read again after a crash, the facts may leave out what was stepped before.
    const name = `${itemPrefix(item.id, ticket)}${event.type}`;
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    const stored = await shop.store.load(ticket);
    const repo = stored === undefined ? undefined : await shop.store.repoById(stored.repo);
    if (stored === undefined || repo === undefined) continue;
    if ((await keepHalter(shop, { ticket, event, actor })) === "held") continue;
    const { policy, config } = shop.rulesOf(repo);
    const at = shop.clock.now();
    const stepped = await step(shop.store, {
      ticket,
      event: await withOrders(shop, stored, event),
      eventId: id ?? (nth === 1 ? name : `${name}#${nth}`),
      actor,
      permission,
      policy,
      caps: capsOf(config, shop.limits, at),
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
    const run = "run" in event ? { run: event.run } : {};
    const ms = shop.clock.now() - at;
    shop.log.info({ ticket, ...run, event: event.type, row: stepped.row, to: stepped.to, actor, ms }, "step");
    for (const loop of ["outbox", "schedule", "timers", "engine", "sessions"] as const) shop.poke(loop);
  }
  return applied;
}

/** What leads on says whether anybody asked for changes meanwhile: those are built, and not passed over by a review. */
async function withOrders({ store }: Workshop, { ticket }: Stored, event: TicketEvent): Promise<TicketEvent> {
  const isResumed = event.type === "operator.retried" || event.type === "budget.raised";
  const isDelivered = event.type === "build.delivered" && event.run === ticket.run;
  if (!isDelivered && !(isResumed && ticket.state === "Blocked")) return event;
  const turns = isDelivered
    ? (await store.sessionsOf(ticket.id)).filter(({ run, role }) => run === ticket.run && role === "build")
    : [];
  const lastTurnEndedAt = turns.at(-1)?.endedAt ?? undefined;
  return ordersWait(await store.linesOf(ticket.id), lastTurnEndedAt) ? { ...event, orders: "wait" } : event;
}
