import { all, one, run as exec, type Verb } from "../sql.ts";
import type { Ask } from "./node.ts";
import type { Outcome } from "./plan.ts";
import type { Attempt, AttemptStatus } from "./rows.ts";

/** A process that may own a run: a later one with the same pid has another start time. */
export interface Owner {
  readonly pid: number;
  readonly startedAt: string;
  readonly host: string;
}
export type RunStatus = "ready" | "running" | "waiting" | "finished" | "failed" | "cancelled";

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
  readonly input: unknown;
  readonly at: number;
}): Verb<void> {
  yield* exec(
    "insert into run (id, workflow, source, input, created_at) values (?, ?, ?, ?, ?) on conflict (id) do nothing",
    spec.run,
    spec.workflow,
    spec.source ?? null,
    JSON.stringify(spec.input),
    spec.at,
  );
}

/** Ends a run from outside: its owner's fence no longer fits, so nothing it still does can be written. */
export function* cancelRun(id: string, at: number): Verb<void> {
  yield* exec(
    "update run set status = 'cancelled', settled_at = ?, fence = fence + 1, wake_at = null where id = ? and status in ('ready', 'running', 'waiting')",
    at,
    id,
  );
  yield* exec(
    "update attempt set status = 'lost', ended_at = ? where run = ? and status = 'running'",
    at,
    id,
  );
}

export function* runById(id: string): Verb<RunRow | undefined> {
  const row = yield* one<RawRun>("select * from run where id = ?", id);
  return row && runOf(row);
}

/** Runs somebody should look at: what is ready or due first, then what an owner has, who may be dead. */
export function* claimable(now: number, limit: number): Verb<readonly RunRow[]> {
  const rows = yield* all<RawRun>(
    "select * from run where status = 'ready' or (status = 'waiting' and wake_at <= ?) or status = 'running' order by status = 'running', created_at, id limit ?",
    now,
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

/** Cancelled runs whose last owner has not said that their work has ended. */
export function* cancelledWithOwner(): Verb<readonly string[]> {
  const rows = yield* all<{ id: string }>(
    "select id from run where status = 'cancelled' and owner is not null",
  );
  return rows.map(({ id }) => id);
}

/** Nothing of these runs is at work any more. */
export function* disown(runs: readonly string[]): Verb<void> {
  yield* exec(
    "update run set owner = null where status = 'cancelled' and id in (select value from json_each(?))",
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
    "update attempt set status = 'lost', ended_at = ? where run = ? and status = 'running'",
    now,
    id,
  );
  return yield* attemptsOf(id);
}

export interface RawAttempt {
  seq: number;
  leaf: string;
  iteration: string;
  attempt: number;
  status: AttemptStatus;
  output: string | null;
  error: string | null;
  memory: string | null;
  due_at: number | null;
  paused: number;
}
export const attemptOf = (row: RawAttempt): Attempt => ({
  seq: row.seq,
  leaf: row.leaf,
  iteration: row.iteration,
  attempt: row.attempt,
  status: row.status,
  output: row.output === null ? undefined : JSON.parse(row.output),
  error: row.error ?? undefined,
  memory: row.memory === null ? undefined : JSON.parse(row.memory),
  dueAt: row.due_at ?? undefined,
  paused: row.paused === 1,
});

export function* attemptsOf(run: string): Verb<readonly Attempt[]> {
  return (yield* all<RawAttempt>("select * from attempt where run = ? order by seq", run)).map(attemptOf);
}

/** Our claim on the run is gone: it was cancelled, or another process has it. */
export class Fenced extends Error {
  constructor(run: string) {
    super(`another owner has run ${run}, or it was cancelled`);
    this.name = "Fenced";
  }
}
function* assertFence(run: string, fence: number): Verb<void> {
  const row = yield* one("select 1 from run where id = ? and fence = ? and status = 'running'", run, fence);
  if (row === undefined) throw new Fenced(run);
}

export interface Begin {
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly status: "running" | "waiting";
  readonly dueAt: number | undefined;
  readonly ask: Ask | undefined;
}
export interface End {
  readonly seq: number;
  readonly status: "finished" | "failed";
  readonly output: unknown;
  readonly error: string | undefined;
  readonly dueAt: number | undefined;
  readonly paused: boolean;
}
/** How a run leaves this process: for good, or to wait. */
export type Leave =
  | { readonly is: "finished"; readonly output: unknown; readonly outcome: Outcome | undefined }
  | { readonly is: "failed"; readonly error: string; readonly outcome: Outcome | undefined }
  | {
      readonly is: "waiting";
      readonly wakeAt: number | undefined;
      /** The approvals that wait; one answered meanwhile makes the run ready instead. */
      readonly open: readonly number[];
    };

/** One turn of a run: what ended, what begins and how it leaves, in one transaction. Answers the rows of what begins. */
export function* turn(
  run: string,
  fence: number,
  change: {
    readonly ends: readonly End[];
    readonly begins: readonly Begin[];
    readonly leave: Leave | undefined;
    readonly now: number;
  },
): Verb<readonly number[]> {
  const { ends, begins, leave, now } = change;
  yield* assertFence(run, fence);
  for (const end of ends) {
    yield* exec(
      "update attempt set status = ?, output = ?, error = ?, due_at = ?, paused = ?, ended_at = ? where seq = ?",
      end.status,
      end.output === undefined ? null : JSON.stringify(end.output),
      end.error ?? null,
      end.dueAt ?? null,
      end.paused ? 1 : 0,
      now,
      end.seq,
    );
  }
  const seqs: number[] = [];
  for (const begin of begins) {
    const row = yield* one<{ seq: number }>(
      "insert into attempt (run, leaf, iteration, attempt, status, due_at, ask, started_at) values (?, ?, ?, ?, ?, ?, ?, ?) returning seq",
      run,
      begin.leaf,
      begin.iteration,
      begin.attempt,
      begin.status,
      begin.dueAt ?? null,
      begin.ask === undefined ? null : JSON.stringify(begin.ask),
      now,
    );
    if (row !== undefined) seqs.push(row.seq);
  }
  if (leave?.is === "waiting") {
    const answered = yield* answeredAmong(leave.open);
    yield* exec(
      "update run set status = ?, wake_at = ?, owner = null where id = ?",
      answered.length > 0 ? "ready" : "waiting",
      leave.wakeAt ?? null,
      run,
    );
  } else if (leave !== undefined) {
    yield* exec(
      "update run set status = ?, outcome = ?, output = ?, error = ?, settled_at = ?, owner = null where id = ?",
      leave.is,
      leave.outcome ?? null,
      leave.is === "finished" ? JSON.stringify(leave.output ?? null) : null,
      leave.is === "failed" ? leave.error : null,
      now,
      run,
    );
  }
  return seqs;
}

/** Those of these attempts that a person has finished. */
export function* answeredAmong(seqs: readonly number[]): Verb<readonly Attempt[]> {
  const answered: Attempt[] = [];
  for (const seq of seqs) {
    const row = yield* one<RawAttempt>("select * from attempt where seq = ? and status = 'finished'", seq);
    if (row !== undefined) answered.push(attemptOf(row));
  }
  return answered;
}

export function* keepMemory(run: string, fence: number, seq: number, memory: unknown): Verb<void> {
  yield* assertFence(run, fence);
  yield* exec("update attempt set memory = ? where seq = ?", JSON.stringify(memory), seq);
}

/** A sign of life for owners on other hosts. */
export function* beat(owner: Owner, now: number): Verb<void> {
  yield* exec(
    "update run set heartbeat_at = ? where status = 'running' and owner = ?",
    now,
    JSON.stringify(owner),
  );
}

/** Gives runs back at a graceful end, so that the next process need not wonder. */
export function* giveBack(owner: Owner): Verb<void> {
  yield* exec(
    "update run set status = 'ready', owner = null where status = 'running' and owner = ?",
    JSON.stringify(owner),
  );
}

/** What a leaf waits for; undefined when nothing waits there. */
export function* askOf(run: string, leaf: string): Verb<Ask | undefined> {
  const row = yield* one<{ ask: string }>(
    "select ask from attempt where run = ? and leaf = ? and status = 'waiting' and ask is not null order by seq desc limit 1",
    run,
    leaf,
  );
  return row && (JSON.parse(row.ask) as Ask);
}

/** Somebody finishes a waiting leaf; the run is ready again. */
export function* answerLeaf(
  run: string,
  leaf: string,
  answer: unknown,
  now: number,
): Verb<"answered" | "nothing waits"> {
  const row = yield* one<{ seq: number }>(
    "update attempt set status = 'finished', output = ?, ended_at = ? where run = ? and leaf = ? and status = 'waiting' and ask is not null and exists (select 1 from run where id = ? and status in ('ready', 'running', 'waiting')) returning seq",
    JSON.stringify(answer),
    now,
    run,
    leaf,
    run,
  );
  if (row === undefined) return "nothing waits";
  yield* exec("update run set status = 'ready' where id = ? and status = 'waiting'", run);
  return "answered";
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
