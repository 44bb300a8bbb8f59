/** How the host is: what is down, what waits, who works, what is spent and what is left. */
import { seenBy } from "../../ports-dashboard.ts";
import {
  mostDayUsd,
  type ChannelHealth,
  type HealthOrders,
  type HealthView,
  type HealthViews,
  type RetryView,
  type WorkView,
} from "../../ports-dashboard-health.ts";
import { ticketOfRun } from "../../state-machine/ticket.ts";
import type { RunAtWork } from "../../store/health.ts";
import { troubleOf } from "../../store/notifications.ts";
import { usedOf, type Purse } from "../../store/reservations.ts";
import { capText, dayCapMark } from "../day-cap.ts";
import { dayStart, nextDay } from "../day.ts";
import { walkedMark } from "../reconcile.ts";
import type { Workshop } from "../workshop.ts";
import { readable } from "./readable.ts";
import { deedIn } from "./deed.ts";

/** Listed of each kind; beyond them it is told that there are more. */
const mostRetries = 100;
const mostBlocked = 50;
const mostAtWork = 100;
const mostPurses = 50;
/** An agent that says nothing for so long is probably stuck. */
const silentMs = 5 * 60_000;
const dayMs = 86_400_000;

export function healthViews(shop: Workshop): HealthViews {
  return {
    view: async (viewer) => (seenBy(viewer) === undefined ? await viewOf(shop) : undefined),
  };
}

async function viewOf(shop: Workshop): Promise<HealthView> {
  const { store, clock, host } = shop;
  const now = clock.now();
  const [lease, halts, breakers, retries, work, heard, walked] = await Promise.all([
    store.lease(),
    store.halts(),
    store.runtimeTroubles(),
    retriesOf(shop, now),
    store.runsAtWork(mostAtWork),
    store.lastOfSources(),
    store.setting(walkedMark),
  ]);
  return {
    now,
    version: host?.version,
    startedAt: host?.startedAt,
    lease,
    halts: [...halts.everything, ...halts.repos].map(({ value, key, actor, at }) => ({
      what: key.startsWith("halt-all:") ? `everything, by ${readable(value)}` : readable(value),
      by: actor,
      at,
    })),
    isHalted: halts.everything.length > 0,
    breakers: breakers.map(({ runtime, code, why, failures, since, downUntil }) => ({
      runtime,
      code,
      why: readable(why),
      failures,
      since,
      until: downUntil,
      isOpen: downUntil > now,
    })),
    ...(await blockedOf(shop)),
    ...retries,
    work: await Promise.all(work.map((one) => workOf(shop, one, now))),
    slots: await slotsOf(shop),
    day: await dayOf(shop, now),
    budgets: host?.budgets() ?? [],
    prices: host && {
      table: host.priceTable,
      ageDays: Math.max(0, Math.floor((now - Date.parse(host.priceTable)) / dayMs)),
      own: host.ownPrices,
    },
    runtimes: host?.runtimes.now()?.map((one) => ({ ...one, why: one.why && readable(one.why) })),
    channels: await channelsOf(shop),
    feed: host?.feed,
    heard: heard.map(({ source, name, at }) => ({ source, name: readable(name, 80), at })),
    walkedAt: walked === undefined ? undefined : Number(walked.value),
    disk: host?.disk.now(),
    loops: (host?.loops() ?? []).map((one) => ({ ...one, trouble: one.trouble && readable(one.trouble) })),
    update: host?.update(),
  };
}

async function blockedOf({ store }: Workshop): Promise<Pick<HealthView, "blocked" | "blockedCount">> {
  const all = await store.ticketsIn(["Blocked"]);
  return {
    blocked: all.slice(0, mostBlocked).map(({ ticket, ref, since }) => ({ id: ticket.id, ref, since })),
    blockedCount: all.length,
  };
}

async function retriesOf(
  { store }: Workshop,
  now: number,
): Promise<Pick<HealthView, "retries" | "moreRetries">> {
  const [effects, items] = await Promise.all([
    store.effectsBackingOff(now, mostRetries + 1),
    store.itemsBackingOff(mostRetries + 1),
  ]);
  const all: RetryView[] = [
    ...effects.map(({ ticket, seq, type, attempts, snoozed, note, dueAt }): RetryView => ({
      is: "effect",
      key: `effect ${seq} ${ticket}`,
      name: type,
      about: ticket,
      ticket: /^(?:github|linear|local):/u.test(ticket) ? ticket : undefined,
      attempts,
      isWaiting: snoozed === 1,
      why: readable(note ?? ""),
      dueAt,
    })),
    ...items.map(({ seq, id, source, name, lane, attempts, note, dueAt }): RetryView => ({
      is: "item",
      key: `item ${seq} ${id}`,
      name: `${source} ${readable(name, 80)}`,
      about: readable(lane ?? id, 120),
      ticket: undefined,
      attempts,
      isWaiting: false,
      why: readable(note ?? ""),
      dueAt,
    })),
  ].toSorted((one, other) => one.dueAt - other.dueAt);
  return { retries: all.slice(0, mostRetries), moreRetries: all.length > mostRetries };
}

async function workOf({ store, host }: Workshop, run: RunAtWork, now: number): Promise<WorkView> {
  const ticket = ticketOfRun(run.id);
  const outputAt =
    run.logPath === null ? undefined : ((await host?.lastOutput(run.logPath)) ?? run.sessionAt ?? undefined);
  return {
    run: run.id,
    ticket,
    ref: (await store.load(ticket))?.ref ?? run.id,
    workflow: run.workflow,
    role: run.role ?? undefined,
    runtime: run.runtime ?? undefined,
    since: run.createdAt,
    heartbeatAt: run.heartbeatAt,
    outputAt,
    isSilent: outputAt !== undefined && now - outputAt > silentMs,
  };
}

async function channelsOf({ store, host }: Workshop): Promise<readonly ChannelHealth[]> {
  if (host === undefined || host.channels.length === 0) return [];
  const states = new Map((await store.channelStates()).map((one) => [one.channel, one]));
  return host.channels.map(({ id, label }) => {
    const state = states.get(id);
    const { waiting = 0, sentAt, failedAt } = state ?? {};
    const why = state && troubleOf(state);
    return { id, label, waiting, sentAt, failedAt, trouble: why && readable(why) };
  });
}

async function slotsOf({ store, limits }: Workshop): Promise<HealthView["slots"]> {
  const working = await store.ticketsAtHand(["Gate", "In Progress", "Adversarial Review"]);
  const waiting = await store.ticketsAtHand(["Ready", "Rework"]);
  return { used: working.length, of: limits.agents, waiting: waiting.length };
}

async function dayOf({ store, limits, dayCap }: Workshop, now: number): Promise<HealthView["day"]> {
  const purses = await store.spendingSince(dayStart(now));
  const raised = dayCap?.raised();
  const { dayStopUsd, dayWarnUsd, tenantDayUsd } = limits;
  const owners = [...new Set(purses.map(({ owner }) => owner))].filter((owner) => owner !== "");
  return {
    host: { name: "everything", ...sums(purses), capUsd: dayStopUsd },
    namedUsd: dayCap?.namedUsd ?? dayStopUsd,
    raised: raised && { by: raised.by, at: raised.at },
    warnUsd: dayWarnUsd,
    others: owners.slice(0, mostPurses).map((owner) => ({
      name: owner,
      ...sums(purses.filter((one) => one.owner === owner)),
      capUsd: tenantDayUsd,
    })),
    endsAt: nextDay(now),
  };
}

function sums(purses: readonly Purse[]): { readonly spentUsd: number; readonly reservedUsd: number } {
  const spentUsd = purses.reduce((sum, one) => sum + one.spentUsd, 0);
  return { spentUsd, reservedUsd: usedOf(...purses) - spentUsd };
}

const keyPattern = /^(?<is>effect|item) (?<seq>\d{1,15}) (?<of>.{1,500})$/u;

export function healthOrders(shop: Workshop): HealthOrders {
  const { store, clock } = shop;
  const deed = deedIn(shop);
  return {
    resetBreaker: async (viewer, runtime) => {
      if (viewer.rights !== "operator") return "forbidden";
      const was = (await store.runtimeTroubles()).find((one) => one.runtime === runtime);
      const done = await store.resetBreaker(runtime, deed(viewer, "breaker reset", runtime, was?.code));
      // What waited for it is looked at again.
      for (const loop of ["engine", "schedule"] as const) shop.poke(loop);
      return done ? "done" : "nothing";
    },
    tryNow: async (viewer, key) => {
      if (viewer.rights !== "operator") return "forbidden";
      const { is, seq, of = "" } = keyPattern.exec(key)?.groups ?? {};
      if (is === undefined) return "nothing";
      const number = Number(seq);
      if (is === "effect") {
        const told = deed(viewer, "effect tried now", `${of} ${number}`);
        const done = await store.hurryEffect({ ticket: of, seq: number }, told);
        if (done) shop.poke("outbox");
        return done ? "done" : "nothing";
      }
      if (!(await store.hurryItem(number, deed(viewer, "item read now", of)))) return "nothing";
      shop.hurried?.add(number);
      shop.poke("intake");
      return "done";
    },
    capDay: async (viewer, usd, seenUsd) => {
      if (viewer.rights !== "operator") return "forbidden";
      if (!(usd > 0 && usd <= mostDayUsd)) return "absurd";
      const { dayStopUsd: before } = shop.limits;
      if (before !== seenUsd) return "stale";
      const now = clock.now();
      const day = new Date(dayStart(now)).toISOString().slice(0, 10);
      const note = `from $${before} to $${usd}`;
      await store.setByOperator(dayCapMark, capText(usd, now), deed(viewer, "day capped", day, note));
      shop.dayCap?.take(await store.setting(dayCapMark));
      shop.poke("schedule");
      return "done";
    },
  };
}
