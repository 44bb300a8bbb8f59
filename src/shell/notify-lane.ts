/** The lane of one channel: what waits there is sent one message after another, and no other channel waits for it. */
import { hearsOf } from "../config-notify-hears.ts";
import { quietUntil } from "../hours.ts";
import { Trouble } from "../ports.ts";
import {
  notifyWeights,
  unknownOutcome,
  weightOf,
  type Channel,
  type Messenger,
  type NotifyItem,
  type NotifyMessage,
} from "../ports-notify.ts";
import { redactKnown } from "../secrets.ts";
import { againSays, bundleSays } from "../says-notify.ts";
import type { Notification } from "../store/notifications.ts";
import { openLoop, restMs, type Loop } from "./loop.ts";
import { isStillSo, newsOfTopic } from "./notify-news.ts";
import { askOfTopic, type Asks } from "./notify-watch.ts";
import { tryAgainAt, type Workshop } from "./workshop.ts";

/** Tries before it is given up loudly: with the backoff, two hours and a half. */
export const mostTries = 30;
/** Where the other side cannot know a repeat, a message of which nobody knows whether it arrived is sent once more. */
const mostSends = 2;
/** Listed in one message; the others are counted. */
const mostListed = 10;
/** Between two messages, so that a burst becomes one. */
const paceMs = 3_000;
/** Everything is halted: how soon to look whether it still is. */
const haltLookMs = 2_000;

export interface NotifyLane extends Loop {
  idle(): Promise<boolean>;
}
interface Room {
  readonly shop: Workshop;
  readonly channel: Channel;
  readonly messenger: Messenger;
  readonly asks: Asks;
}

export function openNotifyLane(room: Room): NotifyLane {
  const { shop, channel } = room;
  const { store, clock, log } = shop;
  let sentAt = -Infinity;
  const loop = openLoop({
    name: `notify ${channel.id}`,
    clock,
    log,
    work: async () => {
      const rows = await store.openNotifications(channel.id);
      if (rows.length === 0) return undefined;
      // Nothing leaves a host that is halted: not from a database that was just put back, either.
      if ((await store.setting("halt-all")) !== undefined) return clock.now() + haltLookMs;
      const step = nextOf(rows, clock.now(), sentAt + paceMs);
      if (step.is === "rest") return step.until;
      const did = step.is === "again" ? await sendAgain(room, step.rows) : await sendNew(room, step.rows);
      if (did === "sent") sentAt = clock.now();
      return clock.now();
    },
  });
  return {
    ...loop,
    idle: async () => {
      if (!loop.isIdle()) return false;
      const rows = await store.openNotifications(channel.id);
      return rows.length === 0 || nextOf(rows, clock.now(), -Infinity).is === "rest";
    },
  };
}

type Step =
  | { readonly is: "rest"; readonly until: number }
  /** Begun before, and nobody knows whether it arrived. */
  | { readonly is: "again"; readonly rows: readonly Notification[] }
  | { readonly is: "new"; readonly rows: readonly Notification[] };

/** What the lane does now. Pure. */
function nextOf(rows: readonly Notification[], now: number, paced: number): Step {
  const begun = rows.filter(({ state }) => state === "sending");
  const [first] = begun;
  if (first !== undefined)
    return first.dueAt > now
      ? { is: "rest", until: first.dueAt }
      : { is: "again", rows: begun.filter(({ message }) => message === first.message) };
  // While a channel is left alone, nothing new tries it either.
  const tried = rows.filter(({ attempts, dueAt }) => attempts > 0 && dueAt > now);
  const due = rows.filter(({ dueAt }) => dueAt <= now);
  if (tried.length > 0) return { is: "rest", until: Math.min(...tried.map(({ dueAt }) => dueAt)) };
  if (due.length === 0) return { is: "rest", until: Math.min(...rows.map(({ dueAt }) => dueAt)) };
  return paced > now ? { is: "rest", until: paced } : { is: "new", rows: due };
}

type Did = "sent" | "nothing";

async function sendAgain(room: Room, rows: readonly Notification[]): Promise<Did> {
  const { channel, messenger } = room;
  const message = rows[0]?.message;
  if (message === undefined) throw new Error("a message that was begun has no name");
  const sends = Math.max(...rows.map((one) => one.sends));
  if (messenger.repeatsAt(channel) === "unknown" && sends >= mostSends) {
    await giveUp(room, rows, `nobody knows whether it arrived, and it was sent ${sends} times`);
    return "nothing";
  }
  return await carry(room, rows, message);
}

async function sendNew(room: Room, rows: readonly Notification[]): Promise<Did> {
  const { shop, channel } = room;
  const { store, clock } = shop;
  const now = clock.now();
  const { quiet, timeZone, urgent } = channel.rules;
  const until = quiet && quietUntil(quiet, timeZone, now);
  const held = until === undefined ? [] : rows.filter(({ kind }) => !urgent.has(kind));
  if (until !== undefined && held.length > 0) await store.postponeNotifications(seqsOf(held), until);
  const open = rows.filter((one) => !held.includes(one));
  const over: Notification[] = [];
  for (const one of open) if (!(await isWanted(room, one))) over.push(one);
  if (over.length > 0)
    await store.endNotifications(seqsOf(over), { state: "dropped", note: "it is no longer so", at: now });
  const told = open.filter((one) => !over.includes(one));
  const [first] = told;
  if (first === undefined) return "nothing";
  // Of its own time, so that no message of a database that was put back bears the name of another.
  const name = `${channel.id}.${first.createdAt.toString(36)}.${first.seq}.${first.attempts}`;
  return await carry(room, told, name);
}

/** Its ticket still stands so, and its channel still hears of that. */
async function isWanted(
  { shop, channel, asks }: Room,
  { kind, topic, ticket }: Notification,
): Promise<boolean> {
  if (!channel.rules.kinds.has(kind)) return false;
  const asked = askOfTopic(topic);
  if (asked !== undefined) return (await asks()).some(({ seq }) => seq === asked);
  const news = newsOfTopic(topic);
  if (news === undefined || ticket === undefined) return true;
  const stored = await shop.store.load(ticket);
  const repo = stored && (await shop.store.repoById(stored.repo));
  if (stored === undefined || repo === undefined || !isStillSo(news, stored.ticket)) return false;
  return hearsOf(channel.rules, `${repo.owner}/${repo.name}`);
}

const seqsOf = (rows: readonly Notification[]): readonly number[] => rows.map(({ seq }) => seq);

/** Writes down that it is sent, sends it, and writes down what came of that. */
async function carry(room: Room, rows: readonly Notification[], name: string): Promise<Did> {
  const { shop, channel, messenger } = room;
  const { store, clock, log } = shop;
  const seqs = seqsOf(rows);
  const started = clock.now();
  await store.beginMessage(seqs, name);
  try {
    await messenger.send(channel, messageOf(rows, name));
  } catch (error) {
    await afterTrouble(room, rows, error);
    return "nothing";
  }
  await recorded(room, () => store.endNotifications(seqs, { state: "sent", at: clock.now() }));
  log.info({ channel: channel.id, count: rows.length, ms: clock.now() - started }, "notification");
  return "sent";
}

/** It was sent: a disk that is full for a moment must not have it sent once more. */
async function recorded({ shop }: Room, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch {
    await shop.clock.until(shop.clock.now() + restMs);
    await write();
  }
}

async function afterTrouble(room: Room, rows: readonly Notification[], error: unknown): Promise<void> {
  const { shop, channel } = room;
  const { store, log } = shop;
  if (!(error instanceof Trouble)) throw error;
  const why = redactKnown(channel.secrets)(error.message);
  const attempts = Math.max(...rows.map((one) => one.attempts)) + 1;
  if (error.permanent || attempts >= mostTries) return await giveUp(room, rows, why);
  const until = tryAgainAt(shop, error, attempts);
  log.warn({ channel: channel.id, code: error.code, why, attempts }, "a notification waits");
  if (error.code === unknownOutcome) await store.doubtMessage(seqsOf(rows), until, why);
  else await store.retryNotifications(seqsOf(rows), until, why);
}

async function giveUp({ shop, channel }: Room, rows: readonly Notification[], why: string): Promise<void> {
  const { store, clock, log } = shop;
  log.error(
    { channel: channel.id, label: channel.label, count: rows.length, why },
    "a notification was given up; `forgehand notify test` tries the channel",
  );
  await store.endNotifications(seqsOf(rows), { state: "failed", note: why, at: clock.now() });
}

/** What they say together: the weightiest first. The same rows make the same message. */
function messageOf(rows: readonly Notification[], id: string): NotifyMessage {
  const weight = ({ kind }: NotifyItem): number => notifyWeights.indexOf(weightOf[kind]);
  const items = rows
    .map(({ item, again }) => ({ ...item, says: againSays(item.says, again) }))
    .toSorted((one, other) => weight(other) - weight(one));
  return {
    id,
    at: Math.max(...rows.map(({ createdAt }) => createdAt)),
    ...(items.length > 1 ? { heading: bundleSays(items.length) } : {}),
    items: items.slice(0, mostListed),
    more: Math.max(0, items.length - mostListed),
  };
}
