import { all, one, run as exec, type Verb } from "../sql.ts";
import type { Outcome } from "./plan.ts";
import { attemptsOf } from "./attempts.ts";
import type { Attempt } from "./rows.ts";

/** A process that may own a run: a later one with the same pid has another start time. */
export interface Owner {
  readonly pid: number;
  readonly startedAt: string;
  readonly host: string;
}
export type RunStatus = "ready" | "running" | "waiting" | "paused" | "finished" | "failed" | "cancelled";

export interface RunRow {
  readonly id: string;
  readonly workflow: string;
  /** The file the workflow came from, where it was one. */
  readonly source: string | undefined;
  readonly input: unknown;
  readonly status: RunStatus;
  readonly output: unknown;
  readonly error: string | undefined;
  /** Apart from its status: whether what was wanted was reached. */
  readonly outcome: Outcome | undefined;
  /** Where it was started: its tasks work there. */
  readonly folder: string | undefined;
  /** The run it was forked from or replays, and the frame it took up to. */
  readonly parent: string | undefined;
  readonly frame: number | undefined;
  /** Tasks take what the parent gave instead of working, where it gave something. */
  readonly replays: boolean;
  readonly fence: number;
  readonly owner: Owner | undefined;
  readonly heartbeatAt: number;
  readonly wakeAt: number | undefined;
  readonly createdAt: number;
  readonly settledAt: number | undefined;
}

export interface RawRun {
  id: string;
  workflow: string;
  source: string | null;
  input: string;
  status: RunStatus;
  output: string | null;
  error: string | null;
  outcome: Outcome | null;
  folder: string | null;
  parent: string | null;
  frame: number | null;
  replays: number;
  fence: number;
  owner: string | null;
  heartbeat_at: number;
  wake_at: number | null;
  created_at: number;
  settled_at: number | null;
}
export const runOf = (row: RawRun): RunRow => ({
  id: row.id,
  workflow: row.workflow,
  source: row.source ?? undefined,
  input: JSON.parse(row.input),
  status: row.status,
  output: row.output === null ? undefined : JSON.parse(row.output),
  error: row.error ?? undefined,
  outcome: row.outcome ?? undefined,
  folder: row.folder ?? undefined,
  parent: row.parent ?? undefined,
  frame: row.frame ?? undefined,
  replays: row.replays === 1,
  fence: row.fence,
  owner: row.owner === null ? undefined : (JSON.parse(row.owner) as Owner),
  heartbeatAt: row.heartbeat_at,
  wakeAt: row.wake_at ?? undefined,
  createdAt: row.created_at,
  settledAt: row.settled_at ?? undefined,
});

/** Writes a run that is to start; as a verb, so that its cause can commit with it. */
export function* startRun(spec: {
  readonly run: string;
  readonly workflow: string;
  readonly source?: string | undefined;
  readonly folder?: string | undefined;
  readonly input: unknown;
  readonly at: number;
}): Verb<void> {
  yield* exec(
    "insert into run (id, workflow, source, folder, input, created_at) values (?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
    spec.run,
    spec.workflow,
    spec.source ?? null,
    spec.folder ?? null,
    JSON.stringify(spec.input),
    spec.at,
  );
}

/** Ends a run from outside: its owner's fence no longer fits, so nothing it still does can be written. */
export function* cancelRun(id: string, at: number): Verb<void> {
  yield* exec(
    "update run set status = 'cancelled', settled_at = ?, fence = fence + 1, wake_at = null where id = ? and status in ('ready', 'running', 'waiting', 'paused')",
    at,
    id,
  );
  yield* exec(
    "update attempt set status = 'lost', ended_at = ? where run = ? and status = 'running' and cut = 0",
    at,
    id,
  );
}

export function* runById(id: string): Verb<RunRow | undefined> {
  const row = yield* one<RawRun>("select * from run where id = ?", id);
  return row && runOf(row);
}

/** Runs somebody should look at, a page of them: what is ready or due first, then what an owner has, who may be dead. */
export function* claimable(now: number, limit: number, after: RunRow | undefined): Verb<readonly RunRow[]> {
  const rows = yield* all<RawRun>(
    `select * from run where (status = 'ready' or (status = 'waiting' and wake_at <= ?) or status = 'running')
       and (status = 'running', created_at, id) > (?, ?, ?)
     order by status = 'running', created_at, id limit ?`,
    now,
    after?.status === "running" ? 1 : 0,
    after?.createdAt ?? -1,
    after?.id ?? "",
    limit,
  );
  return rows.map(runOf);
}

/** The runs this owner still has; a run at work that is not among them was cancelled or taken. */
export function* heldBy(owner: Owner): Verb<ReadonlySet<string>> {
  const rows = yield* all<{ id: string }>(
    "select id from run where status = 'running' and owner = ?",
    JSON.stringify(owner),
  );
  return new Set(rows.map(({ id }) => id));
}

/** Cancelled and held runs whose last owner has not said that their work has ended. */
export function* strayRuns(): Verb<readonly string[]> {
  const rows = yield* all<{ id: string }>(
    "select id from run where status in ('cancelled', 'paused') and owner is not null",
  );
  return rows.map(({ id }) => id);
}

/** Nothing of these runs is at work any more; what was resumed in the meantime goes on. */
export function* disown(runs: readonly string[]): Verb<void> {
  yield* exec(
    "update run set owner = null, status = case when wake_at is null then status else 'ready' end where status in ('cancelled', 'paused') and id in (select value from json_each(?))",
    JSON.stringify(runs),
  );
}

export function* nextWake(): Verb<number | undefined> {
  return (
    (yield* one<{ at: number | null }>("select min(wake_at) as at from run where status = 'waiting'"))?.at ??
    undefined
  );
}

/**
 * Takes a run whose fence is still the one seen, so that two owners never both have it. Attempts that its last owner
 * left at work are lost, which is nobody's failure.
 */
export function* claim(
  id: string,
  fence: number,
  owner: Owner,
  now: number,
): Verb<readonly Attempt[] | undefined> {
  const taken = yield* one<{ id: string }>(
    "update run set status = 'running', fence = fence + 1, owner = ?, heartbeat_at = ?, wake_at = null where id = ? and fence = ? and status in ('ready', 'running', 'waiting') returning id",
    JSON.stringify(owner),
    now,
    id,
    fence,
  );
  if (taken === undefined) return undefined;
  yield* exec(
    "update attempt set status = 'lost', ended_at = ? where run = ? and status = 'running' and cut = 0",
    now,
    id,
  );
  return yield* attemptsOf(id);
}

/** A sign of life for owners on other hosts. */
export function* beat(owner: Owner, now: number): Verb<void> {
  yield* exec(
    "update run set heartbeat_at = ? where status = 'running' and owner = ?",
    now,
    JSON.stringify(owner),
  );
}

/** Gives runs back at a graceful end, but those still at work, so that the next process need not wonder. */
export function* giveBack(owner: Owner, but: readonly string[]): Verb<void> {
  yield* exec(
    "update run set status = 'ready', owner = null where status = 'running' and owner = ? and id not in (select value from json_each(?))",
    JSON.stringify(owner),
    JSON.stringify(but),
  );
}

/** Ends a run whose workflow is broken, in one update like any other end. */
export function* breakRun(run: string, fence: number, error: string, now: number): Verb<void> {
  yield* exec(
    "update run set status = 'failed', error = ?, settled_at = ?, owner = null where id = ? and fence = ? and status = 'running'",
    error,
    now,
    run,
    fence,
  );
}
