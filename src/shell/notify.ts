/** Tells people beside the forge: what to tell is read off the ledger, and sent on each channel in a lane of its own. */
import { hearsOf } from "../config-notify-hears.ts";
import type { Channel, Messenger } from "../ports-notify.ts";
import type { Line } from "../store/ledger.ts";
import type { NewNotification } from "../store/notifications.ts";
import { openLoop, type Loop } from "./loop.ts";
import { openNotifyLane, type NotifyLane } from "./notify-lane.ts";
import { itemOf, newsIn, topicOf } from "./notify-news.ts";
import { askNews, capNews, digestNews, runtimeNews, type Asks } from "./notify-watch.ts";
import type { Workshop } from "./workshop.ts";

/** How soon a new line is seen. The step that wrote it knows nothing of this and waits for nothing. */
const lookMs = 2_000;
/** Money, runtimes and the digest are looked at this often. */
const watchMs = 30_000;
/** Lines read at once. */
const pageLines = 200;
/** The same of one ticket is told once in this time; a ticket that flaps says so once. */
export const againMs = 30 * 60_000;
/** What is older is history: nobody is woken for it. */
const oldestNewsMs = 24 * 3_600_000;
/** What was told is kept this long, to know it by and to look it up. */
const keptMs = 30 * 24 * 3_600_000;

export interface Notifier extends Loop {
  /** Nothing to read and nothing due. */
  idle(): Promise<boolean>;
}

export interface NotifierParts {
  readonly shop: Workshop;
  readonly channels: readonly Channel[];
  readonly messenger: Messenger;
  readonly asks: Asks;
}

/** Opens one lane a channel, and reads on from where the ledger was last read. */
export function openNotifier(parts: NotifierParts): Notifier {
  const { shop, channels, messenger, asks } = parts;
  const { store, clock, log } = shop;
  const since = new Map<string, number>();
  let watchedAt = 0;
  let tidiedAt = 0;
  const lanes: readonly NotifyLane[] = channels.map((channel) =>
    openNotifyLane({ shop, channel, messenger, asks }),
  );
  const loop = openLoop({
    name: "notify",
    clock,
    log,
    work: async () => {
      const now = clock.now();
      for (const { id } of channels) if (!since.has(id)) since.set(id, await store.channelSince(id, now));
      let put = await readLedger(shop, channels);
      put += await putNew(shop, await askNews(shop, channels, asks));
      if (now >= watchedAt + watchMs) {
        put += await putNew(shop, await watch(parts, since));
        watchedAt = now;
      }
      if (now >= tidiedAt + keptMs / 30) {
        await store.tidyNotifications(
          channels.map(({ id }) => id),
          now - keptMs,
          now,
        );
        tidiedAt = now;
      }
      if (put > 0) for (const lane of lanes) lane.poke();
      return now + lookMs;
    },
  });
  return {
    poke: () => {
      loop.poke();
      for (const lane of lanes) lane.poke();
    },
    standing: loop.standing,
    isIdle: () => loop.isIdle() && lanes.every((lane) => lane.isIdle()),
    idle: async () => {
      if (!loop.isIdle() || (await store.notifyPosition()) !== (await store.ledgerHead()).seq) return false;
      return (await Promise.all(lanes.map((lane) => lane.idle()))).every(Boolean);
    },
    stop: async () => {
      await loop.stop();
      await Promise.all(lanes.map((lane) => lane.stop()));
    },
  };
}

async function watch(
  { shop, channels }: NotifierParts,
  since: ReadonlyMap<string, number>,
): Promise<readonly NewNotification[]> {
  return [
    ...(await capNews(shop, channels)),
    ...(await runtimeNews(shop, channels)),
    ...(await digestNews(shop, channels, since)),
  ];
}

/** Most looks find what was told before, and need not write. */
async function putNew({ store, clock }: Workshop, found: readonly NewNotification[]): Promise<number> {
  const news: NewNotification[] = [];
  for (const one of found) if (!(await store.notificationIsKnown(one.channel, one.key))) news.push(one);
  if (news.length === 0) return 0;
  return await store.putNotifications(news, { windowMs: againMs, now: clock.now() });
}

/** Reads on from where the last look ended; what it found and how far it came are written together. */
async function readLedger(shop: Workshop, channels: readonly Channel[]): Promise<number> {
  const { store, clock } = shop;
  const head = await store.ledgerHead();
  let position = await store.notifyPosition();
  let put = 0;
  if (position === undefined) {
    // What happened before anybody listened is not news.
    await store.putNotifications([], { position: head.seq, windowMs: againMs, now: clock.now() });
    return put;
  }
  while (position < head.seq) {
    const lines: readonly Line[] = await store.linesAfter(position, pageLines);
    const last = lines.at(-1);
    if (last === undefined) return put;
    const news: NewNotification[] = [];
    for (const line of lines) news.push(...(await newsOf(shop, channels, line)));
    position = last.seq;
    put += await store.putNotifications(news, { position, windowMs: againMs, now: clock.now() });
  }
  return put;
}

async function newsOf(
  shop: Workshop,
  channels: readonly Channel[],
  line: Line,
): Promise<readonly NewNotification[]> {
  const news = newsIn(line);
  if (news === undefined || line.at < shop.clock.now() - oldestNewsMs) return [];
  const stored = await shop.store.load(line.ticket);
  const repo = stored && (await shop.store.repoById(stored.repo));
  if (stored === undefined || repo === undefined) return [];
  const name = `${repo.owner}/${repo.name}`;
  const item = await itemOf(shop, { line, news, stored, repo });
  if (item === undefined) return [];
  return channels
    .filter(({ rules }) => rules.kinds.has(item.kind) && hearsOf(rules, name))
    .map(({ id }) => ({
      channel: id,
      key: `notify:${line.seq}`,
      topic: topicOf(news, stored.ticket.id),
      item,
    }));
}
