import type { NotifyItem, NotifyKind } from "../ports-notify.ts";
import { all, change, one, run, type Verb } from "../sql.ts";
import { lineOf, type Line, type LineRow } from "./ledger.ts";
import { set } from "./settings.ts";

export interface NewNotification {
  readonly channel: string;
  /** Names it for ever on its channel: told at most once. */
  readonly key: string;
  /** Of what comes again when the same happens again; its own key where nothing does. */
  readonly topic: string;
  readonly item: NotifyItem;
}
/** One that is not over. */
export interface Notification {
  readonly seq: number;
  readonly kind: NotifyKind;
  readonly topic: string;
  readonly ticket: string | undefined;
  readonly item: NotifyItem;
  readonly state: "waiting" | "sending";
  readonly message: string | undefined;
  readonly sends: number;
  readonly attempts: number;
  readonly again: number;
  readonly dueAt: number;
  readonly createdAt: number;
}
/** How it stands with one channel. */
export interface ChannelState {
  readonly channel: string;
  readonly waiting: number;
  readonly sentAt: number | undefined;
  readonly failedAt: number | undefined;
  /** Why, of the newest that was given up. */
  readonly failure: string | undefined;
  /** Of the newest that is tried again. */
  readonly trouble: string | undefined;
}

const positionKey = "notify-position";
/** Looked at together: one lane never has more to say at once. */
export const mostOpen = 500;

/** The newest line of the ledger that was looked at; undefined before the first look. */
export function* notifyPosition(): Verb<number | undefined> {
  const row = yield* one<{ readonly value: string }>("select value from setting where key = ?", positionKey);
  return row === undefined || row.value === "" ? undefined : Number(row.value);
}

/** Nobody listens: what happens from now on is told to nobody later either. */
export function* forgetNotifyPosition(now: number): Verb<void> {
  if ((yield* notifyPosition()) !== undefined) yield* set(positionKey, "", "forgehand", now);
}

/** Lines after this one, oldest first. */
export function* linesAfter(seq: number, limit: number): Verb<readonly Line[]> {
  const rows = yield* all<LineRow>("select * from line where seq > ? order by seq limit ?", seq, limit);
  return rows.map(lineOf);
}

/**
 * Keeps what is to be told, and how far the ledger was read, in one transaction: a crash neither forgets a line nor tells
 * it twice. The same topic is told once in `windowMs`: what comes again takes the place of what still waits, or waits itself.
 */
export function* putNotifications(
  news: readonly NewNotification[],
  how: { readonly position?: number | undefined; readonly windowMs: number; readonly now: number },
): Verb<number> {
  let put = 0;
  for (const one of news) put += yield* putOne(one, how);
  if (how.position !== undefined) yield* set(positionKey, String(how.position), "forgehand", how.now);
  return put;
}

function* putOne(
  { channel, key, topic, item }: NewNotification,
  { windowMs, now }: { readonly windowMs: number; readonly now: number },
): Verb<number> {
  if (yield* notificationIsKnown(channel, key)) return 0;
  const told = yield* one<{ readonly at: number }>(
    `select coalesce(ended_at, ?) as at from notification
     where channel = ? and topic = ? and (state = 'sent' or state = 'sending') order by seq desc limit 1`,
    now,
    channel,
    topic,
  );
  const wasTold = told !== undefined && told.at + windowMs > now;
  const before = yield* one<{
    readonly seq: number;
    readonly again: number;
    readonly attempts: number;
    readonly due: number;
  }>(
    `update notification set state = 'dropped', note = 'a later one tells it', ended_at = ?
     where channel = ? and topic = ? and state = 'waiting' returning seq, again, attempts, due_at as due`,
    now,
    channel,
    topic,
  );
  const dueAt = before?.due ?? (wasTold ? told.at + windowMs : now);
  const again = before !== undefined ? before.again + 1 : wasTold ? 1 : 0;
  return yield* change(
    `insert into notification (channel, key, topic, kind, ticket, body, attempts, again, due_at, created_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    channel,
    key,
    topic,
    item.kind,
    item.ticket ?? null,
    JSON.stringify(item),
    before?.attempts ?? 0,
    again,
    dueAt,
    now,
  );
}

export function* notificationIsKnown(channel: string, key: string): Verb<boolean> {
  const row = yield* one("select 1 from notification where channel = ? and key = ?", channel, key);
  return row !== undefined;
}

const sincePrefix = "notify-since:";

/** Since when a channel is set: its first digest is the one after that. */
export function* channelSince(channel: string, now: number): Verb<number> {
  const row = yield* one<{ readonly at: number }>(
    "insert into setting (key, value, actor, at) values (?, '', 'forgehand', ?) on conflict (key) do update set value = '' returning at",
    sincePrefix + channel,
    now,
  );
  return row?.at ?? now;
}

interface Row {
  readonly seq: number;
  readonly kind: NotifyKind;
  readonly topic: string;
  readonly ticket: string | null;
  readonly body: string;
  readonly state: Notification["state"];
  readonly message: string | null;
  readonly sends: number;
  readonly attempts: number;
  readonly again: number;
  readonly due_at: number;
  readonly created_at: number;
}

/** What is not over on a channel, oldest first. */
export function* openNotifications(channel: string): Verb<readonly Notification[]> {
  const rows = yield* all<Row>(
    `select seq, kind, topic, ticket, body, state, message, sends, attempts, again, due_at, created_at
     from notification where channel = ? and ended_at is null order by seq limit ?`,
    channel,
    mostOpen,
  );
  return rows.map(({ body, ticket, message, due_at: dueAt, created_at: createdAt, ...row }) => ({
    ...row,
    ticket: ticket ?? undefined,
    message: message ?? undefined,
    item: JSON.parse(body) as NotifyItem,
    dueAt,
    createdAt,
  }));
}

const these = "seq in (select value from json_each(?))";

/** They are about to be sent as this message; written first, so that a crash after it is known for what it is. */
export function* beginMessage(seqs: readonly number[], message: string): Verb<void> {
  yield* run(
    `update notification set state = 'sending', message = ?, sends = sends + 1, attempts = attempts + 1
     where ${these} and ended_at is null`,
    message,
    JSON.stringify(seqs),
  );
}

export interface Ended {
  readonly state: "sent" | "dropped" | "failed";
  readonly note?: string | undefined;
  readonly at: number;
}
/** These are over. */
export function* endNotifications(seqs: readonly number[], { state, note, at }: Ended): Verb<void> {
  yield* run(
    `update notification set state = ?, note = ?, ended_at = ? where ${these} and ended_at is null`,
    state,
    note ?? null,
    at,
    JSON.stringify(seqs),
  );
}

/** The message did not arrive: what it held is told anew, in whatever message comes then. */
export function* retryNotifications(seqs: readonly number[], until: number, note: string): Verb<void> {
  yield* run(
    `update notification set state = 'waiting', message = null, sends = 0, due_at = ?, note = ? where ${these}`,
    until,
    note,
    JSON.stringify(seqs),
  );
}

/** Nobody knows whether the message arrived: it stays the message it is, and waits. */
export function* doubtMessage(seqs: readonly number[], until: number, note: string): Verb<void> {
  yield* run(
    `update notification set due_at = ?, note = ? where ${these}`,
    until,
    note,
    JSON.stringify(seqs),
  );
}

/** They wait until then, without having been tried. */
export function* postponeNotifications(seqs: readonly number[], until: number): Verb<void> {
  yield* run(`update notification set due_at = ? where ${these}`, until, JSON.stringify(seqs));
}

/** Ends what waits for channels that are not set any more, and forgets what ended before the instant. */
export function* tidyNotifications(channels: readonly string[], before: number, now: number): Verb<void> {
  yield* run(
    `update notification set state = 'dropped', note = 'its channel is not set any more', ended_at = ?
     where ended_at is null and channel not in (select value from json_each(?))`,
    now,
    JSON.stringify(channels),
  );
  yield* run("delete from notification where ended_at < ?", before);
  yield* run(
    `delete from setting where key > ? and key < 'notify-since;' and substr(key, ${sincePrefix.length + 1}) not in (select value from json_each(?))`,
    sincePrefix,
    JSON.stringify(channels),
  );
}

/** What the next try meets, or what ended the last one for good; undefined while all is well. */
export const troubleOf = ({ trouble, failure, failedAt, sentAt }: ChannelState): string | undefined =>
  trouble ??
  (failedAt !== undefined && failedAt > (sentAt ?? 0) ? (failure ?? "no reason is known") : undefined);

/** How it stands with each channel that has rows. */
export function* channelStates(): Verb<readonly ChannelState[]> {
  const rows = yield* all<{
    readonly channel: string;
    readonly waiting: number;
    readonly sentAt: number | null;
    readonly failedAt: number | null;
    readonly failure: string | null;
    readonly trouble: string | null;
  }>(
    `select channel, sum(ended_at is null) as waiting, max(iif(state = 'sent', ended_at, null)) as sentAt,
       max(iif(state = 'failed', ended_at, null)) as failedAt,
       (select note from notification as one where one.channel = notification.channel and one.state = 'failed' order by one.ended_at desc limit 1) as failure,
       (select note from notification as one where one.channel = notification.channel and one.ended_at is null and one.attempts > 0 order by one.seq desc limit 1) as trouble
     from notification group by channel order by channel`,
  );
  return rows.map((row) => ({
    channel: row.channel,
    waiting: row.waiting,
    sentAt: row.sentAt ?? undefined,
    failedAt: row.failedAt ?? undefined,
    failure: row.failure ?? undefined,
    trouble: row.trouble ?? undefined,
  }));
}

const mostSteps = 64;

/** Tickets merged since the instant, as far as the ledger tells; lines are in order of time, so the first is found by halving. */
export function* mergedSince(
  at: number,
): Verb<readonly { readonly ticket: string; readonly repo: number; readonly ref: string }[]> {
  let low = 0;
  let high = (yield* one<{ readonly seq: number | null }>("select max(seq) as seq from ledger"))?.seq ?? 0;
  for (let step = 0; step < mostSteps && low < high; step += 1) {
    const middle = Math.floor((low + high) / 2);
    const line = yield* one<{ readonly at: number }>(
      "select at from ledger where seq > ? order by seq limit 1",
      middle,
    );
    if (line === undefined || line.at >= at) high = middle;
    else low = middle + 1;
  }
  return yield* all(
    `select ticket.id as ticket, ticket.repo as repo, ticket.ref as ref from ledger join ticket on ticket.id = ledger.ticket
     where seq > ? and ledger.at >= ? and to_state = 'Done' and from_state <> 'Done' order by seq limit 1000`,
    low,
    at,
  );
}
