import type { Effect } from "../state-machine/effect.ts";
import type { Sha, TicketId } from "../state-machine/ticket.ts";
import { all, one, run, type SqlValue, type Statement, type Verb } from "../sql.ts";
import { receive, type NewItem } from "./inbox.ts";

/** The effects that leave the house; and those that belong to no ticket: our check on somebody else's pull request, a question. */
export type OutboxEffect =
  | Exclude<Effect, { readonly type: `run.${string}` }>
  | {
      readonly type: "check.foreign";
      readonly repo: number;
      readonly head: Sha;
      /** The head of a merge queue's group, and what the forge calls it. */
      readonly group?: string | undefined;
    }
  /** What is wrong with a repository's configuration, or that it is right again; `since` names the time in which it is. */
  | { readonly type: "config.tell"; readonly repo: number; readonly since: string }
  /** Whether a pull request would leave the configuration right. */
  | { readonly type: "config.check"; readonly repo: number; readonly pull: number; readonly head: Sha }
  /** What becomes of an update of forgehand, on the issue that asked for it. */
  | {
      readonly type: "update.tell";
      readonly repo: number;
      readonly number: number;
      readonly is: "asked" | "refused" | "done" | "failed";
      readonly text: string;
    }
  /** A question of ours on an issue that is no ticket yet, since it is not known where it belongs. */
  | {
      readonly type: "repository.ask";
      readonly workspace: string;
      readonly issue: string;
      readonly text: string;
    }
  /** The onboarding pull request was merged: labels, and the ticket that was asked for. */
  | { readonly type: "repository.onboard"; readonly repo: number; readonly pull: number };

/** Effects that belong to no ticket, and the lane each goes in. */
export type ForeignEffect = Extract<
  OutboxEffect,
  {
    readonly type:
      | "check.foreign"
      | "repository.ask"
      | "repository.onboard"
      | "update.tell"
      | `config.${string}`;
  }
>;
function laneOf(effect: ForeignEffect): string {
  switch (effect.type) {
    case "check.foreign":
      return `foreign:${effect.head}`;
    case "config.tell":
      return `config:${effect.repo}`;
    case "config.check":
      return `config:${effect.repo}:${effect.head}`;
    case "repository.ask":
      return `foreign:${effect.workspace}/${effect.issue}`;
    case "repository.onboard":
      return `onboard:${effect.repo}`;
    case "update.tell":
      return `foreign:update:${effect.repo}#${effect.number}`;
  }
}

export interface Sending {
  readonly seq: number;
  readonly key: string;
  readonly ticket: TicketId;
  readonly effect: OutboxEffect;
  readonly attempts: number;
  readonly dueAt: number;
  readonly createdAt: number;
}
interface SendingRow {
  seq: number;
  key: string;
  ticket: string;
  body: string;
  attempts: number;
  due_at: number;
  created_at: number;
}

/** These only mirror the ticket: the newest says it all. */
const mirrors = ["workpad", "mirror", "check"] as const;
/** More effects than a step ever has, so that the number of a ledger line leaves room for the numbers of its effects. */
export const effectsPerLine = 1_000;

interface Cause {
  readonly eventId: string;
  readonly line: number;
  /** Nothing of this ticket waits yet. */
  readonly isFirst: boolean;
}
/** By the number of effects, so that no step puts its statement together. */
const inserts = new Map<number, string>();
function insertOf(count: number): string {
  const known = inserts.get(count);
  if (known !== undefined) return known;
  const rows = Array.from({ length: count }, () => "(?, ?, ?, ?, ?, ?)").join(", ");
  const made = `insert into outbox (ticket, seq, key, type, body, created_at) values ${rows}`;
  inserts.set(count, made);
  return made;
}

/** Puts the effects of a ledger line out, in order. A mirror that nobody has tried yet is forgotten for a newer one. */
export function sending(
  cause: Cause,
  ticket: TicketId,
  effects: readonly OutboxEffect[],
  now: number,
): readonly Statement[] {
  if (effects.length === 0) return [];
  const args: SqlValue[] = [];
  for (const [at, effect] of effects.entries()) {
    const seq = cause.line * effectsPerLine + at;
    args.push(ticket, seq, `${cause.eventId}/${at}`, effect.type, JSON.stringify(effect), now);
  }
  const sent = { sql: insertOf(effects.length), args };
  return cause.isFirst ? [sent] : [...forgetMirrors(ticket, effects), sent];
}

function forgetMirrors(ticket: TicketId, effects: readonly OutboxEffect[]): readonly Statement[] {
  const shown = mirrors.map((mirror) => (effects.some(({ type }) => type === mirror) ? mirror : null));
  if (shown.every((mirror) => mirror === null)) return [];
  const sql = "delete from outbox where ticket = ? and attempts = 0 and (type = ? or type = ? or type = ?)";
  return [{ sql, args: [ticket, ...shown] }];
}

/** What belongs to no ticket, once for each cause. */
export function* sendForeign(key: string, effect: ForeignEffect, now: number): Verb<void> {
  const lane = laneOf(effect);
  yield* run(
    `insert into outbox (ticket, seq, key, type, body, created_at)
     select ?, coalesce(max(seq), 0) + 1, ?, ?, ?, ? from effect where ticket = ?
     having count(*) filter (where key = ?) = 0`,
    lane,
    key,
    effect.type,
    JSON.stringify(effect),
    now,
    lane,
    key,
  );
}

/**
 * For each ticket the effects that may go now, in order: a ticket whose oldest effect is backing off waits whole,
 * one that snoozes lets the others pass. A disarming waits for nothing: until it is done the forge may merge.
 */
export function* sendable(
  now: number,
  limit: number,
  haltedRepos: readonly number[] = [],
): Verb<readonly Sending[]> {
  const halted = haltedRepos.length === 0 ? "" : outsideHalted;
  const rows = yield* all<SendingRow>(
    `select seq, key, ticket, body, attempts, due_at, created_at from outbox as due
     where due_at <= ?
       and (type = 'merge.disarm'
            or not exists (select 1 from outbox as earlier where earlier.ticket = due.ticket and earlier.seq < due.seq
                           and (earlier.snoozed = 0 or earlier.due_at <= ?)))
       ${halted}
     order by seq limit ?`,
    now,
    now,
    ...(haltedRepos.length === 0 ? [] : [JSON.stringify(haltedRepos), JSON.stringify(haltedRepos)]),
    limit,
  );
  return rows.map((row) => ({
    seq: row.seq,
    key: row.key,
    ticket: row.ticket,
    effect: JSON.parse(row.body) as OutboxEffect,
    attempts: row.attempts,
    dueAt: row.due_at,
    createdAt: row.created_at,
  }));
}

/** Nothing of a repository that is halted, whether or not it belongs to a ticket. */
const outsideHalted = `and not exists (select 1 from ticket where ticket.id = due.ticket and ticket.repo in (select value from json_each(?)))
       and not (json_extract(due.body, '$.repo') is not null and json_extract(due.body, '$.repo') in (select value from json_each(?)))`;

/** The tickets whose worktree is still to be dropped. */
export function* ticketsToClean(): Verb<ReadonlySet<TicketId>> {
  const rows = yield* all<{ ticket: string }>("select distinct ticket from outbox where type = 'clean'");
  return new Set(rows.map(({ ticket }) => ticket));
}

/** When the next effect that waits becomes due; undefined when none waits. */
export function* nextSending(after: number): Verb<number | undefined> {
  const row = yield* one<{ due: number | null }>(
    "select min(due_at) as due from outbox where due_at > ?",
    after,
  );
  return row?.due ?? undefined;
}

/**
 * Ends an effect and says what became of it; its news enters the inbox in the same transaction. What was carried out
 * while a newer one took its place has ended, too.
 */
export function* sent(
  { ticket, seq, key, effect, attempts, createdAt }: Sending,
  ended: {
    readonly state: "done" | "dropped" | "failed";
    readonly note: string;
    readonly at: number;
    readonly news: readonly NewItem[];
  },
): Verb<void> {
  yield* run("delete from outbox where ticket = ? and seq = ?", ticket, seq);
  yield* run(
    `insert into ended_effect (ticket, seq, key, type, body, state, attempts, note, created_at, ended_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    ticket,
    seq,
    key,
    effect.type,
    JSON.stringify(effect),
    ended.state,
    attempts,
    ended.note,
    createdAt,
    ended.at,
  );
  for (const item of ended.news) yield* receive(item);
}

type Waiting = Pick<Sending, "ticket" | "seq">;

/** Trouble: the ticket's later effects wait behind this one. */
export function* backOff(
  { ticket, seq }: Waiting,
  dueAt: number,
  note: string,
  uncounted?: CountedAs,
): Verb<void> {
  yield* run(
    "update outbox set attempts = attempts + 1, due_at = ?, snoozed = 0, note = ? where ticket = ? and seq = ?",
    dueAt,
    note,
    ticket,
    seq,
  );
  yield* uncount(ticket, uncounted);
}

/** The counts of external writes that are capped; `none`: this one is not. */
export type CountedAs = "writes" | "answers" | "none";

/**
 * Not yet: not a failure, and others may pass. `looked`: it was carried out and found that, counted so before; a look
 * writes nothing, so that is taken back, and it ends a row of troubles.
 */
export function* snooze(
  { ticket, seq }: Waiting,
  dueAt: number,
  note: string,
  looked?: CountedAs,
): Verb<void> {
  yield* run(
    `update outbox set due_at = ?, snoozed = 1, note = ?, attempts = ${looked === undefined ? "attempts" : "0"}
     where ticket = ? and seq = ?`,
    dueAt,
    note,
    ticket,
    seq,
  );
  yield* uncount(ticket, looked);
}

/** Takes back what was counted for a write that did not come to be one. */
function* uncount(ticket: TicketId, as: CountedAs | undefined): Verb<void> {
  if (as === "writes" || as === "answers")
    yield* run(`update ticket set ${as} = max(0, ${as} - 1) where id = ?`, ticket);
}

/** A merge that waits for the forge is looked at now: something about its pull request has changed. */
export function* hurryMerge(ticket: TicketId, now: number): Verb<void> {
  yield* run(
    `update outbox set due_at = ? where ticket = ? and snoozed = 1 and due_at > ?
       and type in ('merge.try', 'merge.arm')`,
    now,
    ticket,
    now,
  );
}

export interface SentSummary {
  readonly seq: number;
  readonly ticket: string;
  readonly type: string;
  /** `new` while it waits. */
  readonly state: string;
  readonly attempts: number;
  readonly note: string | null;
  /** When it may go, while it waits. */
  readonly dueAt: number;
}
export function* effectsOf(ticket: TicketId): Verb<readonly SentSummary[]> {
  return yield* all<SentSummary>(
    "select seq, ticket, type, state, attempts, note, due_at as dueAt from effect where ticket = ? order by seq",
    ticket,
  );
}
export function* outboxCounts(): Verb<{ readonly waiting: number; readonly failed: number }> {
  const row = yield* one<{ waiting: number; failed: number }>(
    "select (select count(*) from outbox) as waiting, (select count(*) from ended_effect where state = 'failed') as failed",
  );
  return row ?? { waiting: 0, failed: 0 };
}

/** Counts an external write against one of the ticket's caps and answers the count. */
export function* countWrite(ticket: TicketId, as: Exclude<CountedAs, "none">): Verb<number> {
  const row = yield* one<{ count: number }>(
    `update ticket set ${as} = ${as} + 1 where id = ? returning ${as} as count`,
    ticket,
  );
  return row?.count ?? 0;
}
