/** What waits, who is at work and what came in last, for whoever looks after the host. */
import { all, change, one, type Verb } from "../sql.ts";
import { noteDeed, type Deed } from "./deeds.ts";
import { runtimeWorked } from "./runtimes.ts";
import { set } from "./settings.ts";

export interface WaitingEffect {
  readonly ticket: string;
  readonly seq: number;
  readonly type: string;
  readonly attempts: number;
  /** 1: it waits for the world, and not after trouble. */
  readonly snoozed: number;
  readonly note: string | null;
  readonly dueAt: number;
}
/** Effects that are to be sent later, the next first. Only what waits is in the outbox, so it is looked at whole. */
export function* effectsBackingOff(now: number, limit: number): Verb<readonly WaitingEffect[]> {
  return yield* all<WaitingEffect>(
    `select ticket, seq, type, attempts, snoozed, note, due_at as dueAt from outbox where due_at > ?
     order by due_at, ticket, seq limit ?`,
    now,
    limit,
  );
}

export interface WaitingItem {
  readonly seq: number;
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly lane: string | null;
  readonly attempts: number;
  readonly note: string | null;
  readonly dueAt: number;
}
/** Of the unread items so many are looked at. */
const itemsLookedAt = 5_000;
/** Items whose reading met trouble and is tried again, the next first. */
export function* itemsBackingOff(limit: number): Verb<readonly WaitingItem[]> {
  return yield* all<WaitingItem>(
    `select seq, id, source, name, lane, attempts, note, due_at as dueAt
       from (select * from inbox where state = 'new' order by seq limit ${itemsLookedAt})
      where attempts > 0 order by due_at, seq limit ?`,
    limit,
  );
}

/** Has an effect sent now; answers whether it waited. */
export function* hurryEffect(
  { ticket, seq }: { readonly ticket: string; readonly seq: number },
  deed: Deed,
): Verb<boolean> {
  const found = yield* change(
    "update outbox set due_at = ? where ticket = ? and seq = ? and due_at > ?",
    deed.at,
    ticket,
    seq,
    deed.at,
  );
  if (found > 0) yield* noteDeed(deed);
  return found > 0;
}
/** Has an item read now; answers whether it waited. Whoever reads has its time in memory besides. */
export function* hurryItem(seq: number, deed: Deed): Verb<boolean> {
  const found = yield* change(
    "update inbox set due_at = 0 where seq = ? and state = 'new' and attempts > 0",
    seq,
  );
  if (found > 0) yield* noteDeed(deed);
  return found > 0;
}
/** Nothing stands against the runtime any more; answers whether anything did. */
export function* resetBreaker(runtime: string, deed: Deed): Verb<boolean> {
  const there = yield* one("select 1 from runtime_trouble where runtime = ?", runtime);
  if (there === undefined) return false;
  yield* runtimeWorked(runtime);
  yield* noteDeed(deed);
  return true;
}
/** A setting of the operator, and who made it. */
export function* setByOperator(key: string, value: string, deed: Deed): Verb<void> {
  yield* set(key, value, deed.actor, deed.at);
  yield* noteDeed(deed);
}

export interface RunAtWork {
  readonly id: string;
  readonly workflow: string;
  readonly heartbeatAt: number;
  readonly createdAt: number;
  readonly owner: string | null;
  /** Of the agent at work in it; null between two of them, and in a command. */
  readonly role: string | null;
  readonly runtime: string | null;
  readonly logPath: string | null;
  readonly sessionAt: number | null;
}
/** Runs that somebody carries on, with each agent at work in them, oldest first. */
export function* runsAtWork(limit: number): Verb<readonly RunAtWork[]> {
  return yield* all<RunAtWork>(
    `select run.id, workflow, heartbeat_at as heartbeatAt, created_at as createdAt, owner, role, runtime, log_path as logPath,
       started_at as sessionAt
     from run left join agent_session on agent_session.run = run.id and agent_session.ended_at is null
     where run.status = 'running' order by created_at, run.id limit ?`,
    limit,
  );
}

/** Of the newest items so many are looked at for the last of each source. */
export const sourcesLookedAt = 2_000;
export interface LastHeard {
  readonly source: string;
  readonly name: string;
  readonly id: string;
  readonly at: number;
}
/** The newest item of each source among the newest. */
export function* lastOfSources(): Verb<readonly LastHeard[]> {
  return yield* all<LastHeard>(
    `select source, name, id, received_at as at from inbox where seq in (
       select max(seq) from (select seq, source from inbox order by seq desc limit ${sourcesLookedAt}) group by source)
     order by seq desc`,
  );
}

/** Which process has the database, and since when. */
export function* lease(): Verb<
  { readonly pid: number; readonly host: string; readonly since: number } | undefined
> {
  return yield* one("select pid, host, since from instance where one = 1");
}
