/** The rows of attempts: what begins, ends, is answered, remembered and said. */
import { all, change as changed, one, run as exec, type Verb } from "../sql.ts";
import type { Ask } from "./node.ts";
import type { Outcome } from "./plan.ts";
import type { Attempt, AttemptStatus } from "./rows.ts";

export interface RawAttempt {
  seq: number;
  leaf: string;
  iteration: string;
  attempt: number;
  status: AttemptStatus;
  output: string | null;
  error: string | null;
  memory: string | null;
  ask: string | null;
  due_at: number | null;
  paused: number;
  snapshot: string | null;
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
  about: row.ask === null ? undefined : (JSON.parse(row.ask) as Ask).about,
  isAsked: row.ask !== null,
  snapshot: row.snapshot ?? undefined,
});

export function* attemptsOf(run: string): Verb<readonly Attempt[]> {
  return (yield* all<RawAttempt>("select * from attempt where run = ? and cut = 0 order by seq", run)).map(
    attemptOf,
  );
}

/** Our claim on the run is gone: it was cancelled, or another process has it. */
export class Fenced extends Error {
  constructor(run: string) {
    super(`another owner has run ${run}, or it was cancelled`);
    this.name = "Fenced";
  }
}
/** What this turn would end has been answered by somebody meanwhile: nothing of the turn was written. */
export class AnsweredMeanwhile extends Error {}

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
  readonly effect: string | undefined;
}
export interface End {
  readonly seq: number;
  readonly status: "finished" | "failed";
  readonly output: unknown;
  readonly error: string | undefined;
  readonly dueAt: number | undefined;
  readonly paused: boolean;
  readonly snapshot: string | undefined;
  /** The folder it wrote in, where that was not written at its begin. */
  readonly folder: string | undefined;
  readonly keep: Keep | undefined;
  /** It was answered, and the answer does not count. */
  readonly isRefused?: true;
}
/** An output that others may use: under which key, for whom. */
export interface Keep {
  readonly scope: string;
  readonly key: string;
  /** For ever when undefined. */
  readonly ttlMs: number | undefined;
}
/** A line of an attempt's transcript. */
export interface SaidLine {
  readonly attempt: number;
  readonly n: number;
  readonly at: number;
  readonly kind: string;
  readonly text: string;
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
    /** What waits in a part that failed. */
    readonly strays: readonly number[];
    readonly leave: Leave | undefined;
    readonly now: number;
  },
): Verb<readonly number[]> {
  const { ends, begins, strays, leave, now } = change;
  yield* assertFence(run, fence);
  for (const end of ends) {
    const written = yield* changed(
      "update attempt set status = ?, output = ?, error = ?, due_at = ?, paused = ?, snapshot = ?, folder = coalesce(?, folder), ended_at = ?, ended_after = (select max(seq) from attempt) where seq = ? and (status <> 'finished' or ? = 1)",
      end.status,
      end.output === undefined ? null : JSON.stringify(end.output),
      end.error ?? null,
      end.dueAt ?? null,
      end.paused ? 1 : 0,
      end.snapshot ?? null,
      end.folder ?? null,
      now,
      end.seq,
      end.isRefused === true ? 1 : 0,
    );
    if (written === 0) throw new AnsweredMeanwhile(`attempt ${end.seq} has been answered`);
    if (end.keep !== undefined) yield* keepOutput(end.keep, end.output, now);
  }
  for (const seq of strays)
    yield* exec(
      "update attempt set status = 'lost', due_at = null, ended_at = ?, ended_after = (select max(seq) from attempt) where seq = ? and status = 'waiting'",
      now,
      seq,
    );
  const seqs: number[] = [];
  for (const begin of begins) {
    const row = yield* one<{ seq: number }>(
      "insert into attempt (run, leaf, iteration, attempt, status, due_at, ask, effect, started_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning seq",
      run,
      begin.leaf,
      begin.iteration,
      begin.attempt,
      begin.status,
      begin.dueAt ?? null,
      begin.ask === undefined ? null : JSON.stringify(begin.ask),
      begin.effect ?? null,
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

function* keepOutput({ scope, key, ttlMs }: Keep, output: unknown, now: number): Verb<void> {
  // Nothing is as quickly done as kept, and JSON has no word for it.
  if (output === undefined) return;
  yield* exec(
    "insert into cached (scope, key, output, at, expires_at) values (?, ?, ?, ?, ?) on conflict (scope, key) do update set output = excluded.output, at = excluded.at, expires_at = excluded.expires_at",
    scope,
    key,
    JSON.stringify(output),
    now,
    ttlMs === undefined ? null : now + ttlMs,
  );
}
/** An output kept under this key since that instant. */
export function* cachedOutput(
  { scope, key }: Keep,
  since: number,
): Verb<{ readonly output: unknown } | undefined> {
  const row = yield* one<{ output: string }>(
    "select output from cached where scope = ? and key = ? and at >= ?",
    scope,
    key,
    since,
  );
  return row && { output: JSON.parse(row.output) };
}

/** Adds lines to transcripts; a line already there is left alone. */
export function* keepSaid(lines: readonly SaidLine[]): Verb<void> {
  for (const { attempt, n, at, kind, text } of lines)
    yield* exec(
      "insert into said (attempt, n, at, kind, text) values (?, ?, ?, ?, ?) on conflict (attempt, n) do nothing",
      attempt,
      n,
      at,
      kind,
      text,
    );
}

/** Writes down where an attempt works, and what the files there were before. */
export function* keepBaseline(
  run: string,
  fence: number,
  at: { readonly seq: number; readonly folder: string; readonly baseline: string | undefined },
): Verb<void> {
  yield* assertFence(run, fence);
  yield* exec(
    "update attempt set folder = ?, baseline = ? where seq = ?",
    at.folder,
    at.baseline ?? null,
    at.seq,
  );
}

export function* keepMemory(run: string, fence: number, seq: number, memory: unknown): Verb<void> {
  yield* assertFence(run, fence);
  yield* exec("update attempt set memory = ? where seq = ?", JSON.stringify(memory), seq);
}

/** What a leaf waits for; undefined when nothing waits there. */
export function* askOf(run: string, leaf: string): Verb<Ask | undefined> {
  const row = yield* one<{ ask: string }>(
    "select ask from attempt where run = ? and leaf = ? and status = 'waiting' and ask is not null and cut = 0 order by seq desc limit 1",
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
    "update attempt set status = 'finished', output = ?, ended_at = ?, ended_after = (select max(seq) from attempt) where run = ? and leaf = ? and status = 'waiting' and ask is not null and cut = 0 and exists (select 1 from run where id = ? and status in ('ready', 'running', 'waiting')) returning seq",
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
