/** What people are told that no line of the ledger says: money of the day, runtimes that are down, the day's digest. */
import { hearsOf } from "../config-notify-hears.ts";
import type { RunOpenAsk } from "../engine/index.ts";
import { lastAt } from "../hours.ts";
import type { Channel, NotifyItem } from "../ports-notify.ts";
import {
  asksNext,
  asksSays,
  capNext,
  capSays,
  digestSays,
  runtimeNext,
  runtimeSays,
  titleWords,
  whyWords,
} from "../says-notify.ts";
import { ticketOfRun } from "../state-machine/ticket.ts";
import type { NewNotification } from "../store/notifications.ts";
import { usedOf } from "../store/reservations.ts";
import { dayStart } from "./day.ts";
import { downAmong } from "./runtime-health.ts";
import type { Workshop } from "./workshop.ts";

/** What runs ask people now. */
export type Asked = Pick<RunOpenAsk, "seq" | "run" | "leaf" | "ask" | "since">;
export type Asks = () => Promise<readonly Asked[]>;

const dayMs = 86_400_000;
/** A digest that could not be told by then belongs to yesterday. */
const digestStaleMs = 12 * 3_600_000;

const toAll = (channels: readonly Channel[], key: string, item: NotifyItem): readonly NewNotification[] =>
  channels
    .filter(({ rules }) => rules.kinds.has(item.kind))
    .map(({ id }) => ({ channel: id, key, topic: key, item }));

const anyHears = (channels: readonly Channel[], kind: NotifyItem["kind"]): boolean =>
  channels.some(({ rules }) => rules.kinds.has(kind));

/** That the day's money runs out, or has: each once a day. */
export async function capNews(
  shop: Workshop,
  channels: readonly Channel[],
): Promise<readonly NewNotification[]> {
  if (!anyHears(channels, "cap")) return [];
  const { store, clock, limits } = shop;
  const now = clock.now();
  const purses = await store.spendingSince(dayStart(now));
  const spentUsd = purses.reduce((sum, purse) => sum + purse.spentUsd, 0);
  if (spentUsd < Math.min(limits.dayWarnUsd, limits.dayStopUsd)) return [];
  const day = new Date(dayStart(now)).toISOString().slice(0, 10);
  const level = (await isStopped(shop, spentUsd, usedOf(...purses))) ? "stop" : "warn";
  if (level === "warn" && spentUsd < limits.dayWarnUsd) return [];
  const item: NotifyItem =
    level === "stop"
      ? { kind: "cap", says: capSays.stop(spentUsd, limits.dayStopUsd), next: capNext.stop, at: now }
      : { kind: "cap", says: capSays.warn(spentUsd), next: capNext.warn(limits.dayStopUsd), at: now };
  return toAll(channels, `cap:${day}:${level}`, item);
}

/** All is spent, or what is left is too little for whatever waits to begin. */
async function isStopped(shop: Workshop, spentUsd: number, usedUsd: number): Promise<boolean> {
  const { store, limits } = shop;
  if (spentUsd >= limits.dayStopUsd) return true;
  // What is set aside and not spent may come back.
  if (usedUsd > spentUsd) return false;
  const queued = new Set((await store.ticketsAtHand(["Ready", "Rework"])).map(({ repo }) => repo));
  const repos = (await store.knownRepos()).filter(({ id }) => queued.has(id));
  return (
    repos.length > 0 &&
    repos.every((repo) => shop.rulesOf(repo).config.limits.run_usd > limits.dayStopUsd - usedUsd)
  );
}

/** That a runtime is left out: once for each time it goes down. */
export async function runtimeNews(
  { store, clock }: Workshop,
  channels: readonly Channel[],
): Promise<readonly NewNotification[]> {
  if (!anyHears(channels, "runtime")) return [];
  const now = clock.now();
  return downAmong(await store.runtimeTroubles(), now).flatMap(({ runtime, why, since, until }) =>
    toAll(channels, `runtime:${runtime}:${since}`, {
      kind: "runtime",
      says: runtimeSays(runtime),
      why: whyWords(why),
      next: runtimeNext(`${new Date(until).toISOString().slice(0, 16)}Z`),
      at: now,
    }),
  );
}

const askPrefix = "asked:";
/** Whether this is about something that a run asked, and which. */
export const askOfTopic = (topic: string): number | undefined =>
  topic.startsWith(askPrefix) ? Number(topic.slice(askPrefix.length)) : undefined;

/** What a ticket's own workflow asks people: each once, and anew when it is asked anew. */
export async function askNews(
  shop: Workshop,
  channels: readonly Channel[],
  asks: Asks,
): Promise<readonly NewNotification[]> {
  if (!anyHears(channels, "waiting")) return [];
  const news: NewNotification[] = [];
  for (const { seq, run, leaf, ask, since } of await asks()) {
    const stored = await shop.store.load(ticketOfRun(run));
    const repo = stored && (await shop.store.repoById(stored.repo));
    if (stored === undefined || repo === undefined) continue;
    const url = shop.detailsUrl(stored.ticket.id) ?? (stored.url === "" ? undefined : stored.url);
    const hearing = channels.filter(({ rules }) => hearsOf(rules, `${repo.owner}/${repo.name}`));
    const item: NotifyItem = {
      kind: "waiting",
      says: asksSays(stored.ref),
      quoted: titleWords(stored.title),
      why: whyWords(ask.text),
      next: asksNext(run, leaf, ask.is),
      url,
      ticket: stored.ticket.id,
      at: since,
    };
    news.push(...toAll(hearing, `${askPrefix}${seq}`, item));
  }
  return news;
}

/** The digest of each channel at its own hour, once a day of its clock. `since`: when each channel was set. */
export async function digestNews(
  shop: Workshop,
  channels: readonly Channel[],
  since: ReadonlyMap<string, number>,
): Promise<readonly NewNotification[]> {
  const { store, clock } = shop;
  const now = clock.now();
  const news: NewNotification[] = [];
  for (const { id, rules } of channels) {
    if (!rules.kinds.has("digest")) continue;
    const { day, at } = lastAt(rules.digestAt, rules.timeZone, now);
    const key = `digest:${day}`;
    // A channel that was set after its hour has its first digest tomorrow.
    if (now - at > digestStaleMs || at < (since.get(id) ?? now)) continue;
    if (await store.notificationIsKnown(id, key)) continue;
    news.push({ channel: id, key, topic: key, item: await digestOf(shop, rules, now) });
  }
  return news;
}

async function digestOf(shop: Workshop, rules: Channel["rules"], now: number): Promise<NotifyItem> {
  const { store } = shop;
  const [repos, merged, open, purses] = await Promise.all([
    store.knownRepos(),
    store.mergedSince(now - dayMs),
    store.ticketsIn(["In Review", "Blocked"]),
    store.spendingSince(now - dayMs),
  ]);
  const heard = new Set(
    repos.filter(({ owner, name }) => hearsOf(rules, `${owner}/${name}`)).map(({ id }) => id),
  );
  const isHeard = (repo: number): boolean => rules.repos.length === 0 || heard.has(repo);
  const here = open.filter(({ repo }) => isHeard(repo));
  const waits = here.filter(
    ({ ticket }) =>
      (ticket.state === "In Review" && ticket.upon === undefined) || ticket.stoppedIn !== undefined,
  );
  const { says, why } = digestSays({
    merged: [...new Set(merged.filter(({ repo }) => isHeard(repo)).map(({ ref }) => ref))],
    waiting: waits.map(({ ref }) => ref),
    blocked: here
      .filter((one) => one.ticket.state === "Blocked" && !waits.includes(one))
      .map(({ ref }) => ref),
    usd: purses.filter(({ repo }) => isHeard(repo)).reduce((sum, { spentUsd }) => sum + spentUsd, 0),
  });
  return { kind: "digest", says, ...(why === "" ? {} : { why }), at: now };
}
