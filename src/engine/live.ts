import type { Sql, Verb } from "../sql.ts";
import {
  AnsweredMeanwhile,
  answeredAmong,
  Fenced,
  keepBaseline,
  keepMemory,
  keepSaid,
  turn,
  type End,
  type Leave,
  type SaidLine,
} from "./attempts.ts";
import { attemptFrom, beginOf, endOf, refusalOf, rungIn, type Ended } from "./ends.ts";
import { openFiles, type Files } from "./files.ts";
import type { Given } from "./given.ts";
import type { Host } from "./host.ts";
import type { Json } from "./node.ts";
import { performTask, type Bench } from "./perform.ts";
import type { Due, Plan } from "./plan.ts";
import { openRows, Unfit, type Attempt, type AttemptStatus, type Rows } from "./rows.ts";
import type { RunRow } from "./store.ts";
import { openView, type View } from "./view.ts";
import type { AnyWorkflow } from "./workflow.ts";

export interface LiveOptions {
  readonly sql: Sql;
  readonly now: () => number;
  readonly until: (instant: number, signal?: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly host: Host | undefined;
  /** What the run takes from the one it replays. */
  readonly given?: Given | undefined;
  /** Renders twice and compares, outside production. */
  readonly checkDeterminism: boolean;
  /** Told of each attempt that failed, and when the next one is due. */
  readonly onFailed: (failed: {
    readonly run: string;
    readonly leaf: string;
    readonly attempt: number;
    readonly error: string;
    readonly dueAt: number | undefined;
  }) => void;
  /** Told of every attempt that begins and ends here, once it is written. */
  readonly onAttempt: (attempt: Told) => void;
  /** Told that the database cannot be written just now. */
  readonly onTrouble: (error: unknown) => void;
}
/** An attempt as it begins or ends. */
export interface Told {
  readonly run: string;
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly error: string | undefined;
}
export interface Live {
  readonly run: string;
  /** Settles when the run has left this process and its last task has ended; rejects for bugs. */
  readonly ended: Promise<"left" | "fenced" | "aborted">;
  abort(reason: "cancelled" | "shutdown"): void;
  /** Somebody may have answered an approval of this run. */
  nudge(): void;
  /** Goes on with an edited workflow: what is at work ends as it began, what begins later is of the new one. */
  use(edited: AnyWorkflow): void;
}

/** How long lines of a transcript may wait for others. */
const saidMs = 250;
/** How long a write that the disk refused is put off. */
const troubleMs = 2_000;
/** The disk is full, busy, failing or read-only: the same write may succeed later, and no run is to blame. */
const isTrouble = (error: unknown): boolean =>
  /^SQLITE_(FULL|BUSY|IOERR|READONLY|LOCKED)/.test(
    String((error as { readonly code?: unknown } | null)?.code),
  );

/** What one live run shares between the parts below. */
interface Run {
  readonly row: RunRow;
  readonly fence: number;
  readonly rows: Rows;
  readonly options: LiveOptions;
  readonly files: Files;
  /** Attempts that ended and are not written yet. */
  readonly inbox: Ended[];
  /** Ends that are in the rows in memory and could not be written with the last turn. */
  readonly unwritten: End[];
  /** Lines of transcripts that are not written yet. */
  readonly said: SaidLine[];
  readonly atWork: Map<number, AbortController>;
  aborted: "cancelled" | "shutdown" | undefined;
  nudged: boolean;
  /** Whoever sleeps in this run until something happens. */
  readonly sleepers: Set<() => void>;
}

/** Carries one claimed run on until nothing is due: one commit a turn, whatever ended and begins in it. */
export function goLive(
  workflow: AnyWorkflow,
  row: RunRow,
  fence: number,
  attempts: readonly Attempt[],
  options: LiveOptions,
): Live {
  const rows = openRows(attempts);
  const run: Run = {
    row,
    fence,
    rows,
    options,
    files: openFiles({
      row,
      snapshots: options.host?.snapshots,
      read: options.sql.read,
      keep: (at) => commit(run, () => keepBaseline(row.id, fence, at)),
    }),
    inbox: [],
    unwritten: [],
    said: [],
    atWork: new Map(),
    aborted: undefined,
    nudged: false,
    sleepers: new Set(),
  };
  const abort = (reason: "cancelled" | "shutdown"): void => {
    run.aborted = reason;
    const why = new Error(
      `the run was ${reason === "cancelled" ? "cancelled" : "interrupted by a shutdown"}`,
    );
    for (const control of run.atWork.values()) control.abort(why);
    knock(run);
  };
  const view = openView(workflow, row, rows, options.checkDeterminism);
  const ended = carryOn(run, view).catch(async (error: unknown) => {
    const wasAborted = run.aborted !== undefined;
    abort("cancelled");
    // Nobody may take this run again while something of it still works.
    while (run.atWork.size > 0) await sleep(run, undefined);
    if (error instanceof Fenced) return "fenced" as const;
    if (wasAborted && isTrouble(error)) return "aborted" as const;
    throw error;
  });
  // Whoever hears that the run has left may close the database: what was said is written before.
  const whole = async (): Promise<"left" | "fenced" | "aborted"> => {
    try {
      return await ended;
    } finally {
      await flushSaid(run);
    }
  };
  return {
    run: row.id,
    ended: whole(),
    abort,
    nudge: () => {
      run.nudged = true;
      knock(run);
    },
    use: (edited) => {
      view.use(edited);
      knock(run);
    },
  };
}

async function carryOn(run: Run, view: View): Promise<"left" | "aborted"> {
  const { rows, inbox, atWork, options } = run;
  const { now } = options;
  for (;;) {
    const ends = [...run.unwritten.splice(0), ...takeEnds(run, inbox.splice(0))];
    if (run.aborted !== undefined) {
      const written = await write(run, { ends, begins: [], strays: [], leave: undefined });
      if (written === undefined) continue;
      if (atWork.size === 0 && inbox.length === 0) return "aborted";
      if (inbox.length === 0) await sleep(run, undefined);
      continue;
    }
    const { given } = options;
    let next: Plan;
    let leave: Leave | undefined;
    try {
      next = view.plan(now());
      if (run.nudged && (await takeAnswers(run, next))) next = view.plan(now());
      for (let rung = rungIn(next.due, rows, given); rung.length > 0; rung = rungIn(next.due, rows, given)) {
        ends.push(...takeEnds(run, rung));
        next = view.plan(now());
      }
      const isBusy = (next.is === "open" && next.due.length > 0) || atWork.size > 0 || inbox.length > 0;
      leave = isBusy ? undefined : leaveOf(next, view, rows);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      const { end, row } = refusalOf(error, now());
      rows.take(row);
      run.unwritten.push(...ends, end);
      continue;
    }
    const due = next.is === "open" ? next.due : [];
    const begins = due.map((one) => beginOf(one, rows, now(), given));
    const strays = straysIn(next, rows);
    const seqs = await write(run, { ends, begins, strays, leave });
    if (seqs === undefined) continue;
    for (const end of ends) tell(run, end.seq);
    if (leave !== undefined) return "left";
    for (const [index, begin] of begins.entries()) {
      const seq = seqs[index];
      const one = due[index];
      if (seq === undefined || one === undefined) continue;
      const { ask, effect: _effect, ...shown } = begin;
      rows.take({ seq, ...shown, about: ask?.about, isAsked: ask !== undefined, ...nothingYet });
      tell(run, seq);
      perform(run, one, seq, begin.attempt);
    }
    // A timer or approval that has just begun to wait may be all there is to wait for.
    if (inbox.length === 0 && !run.nudged && atWork.size > 0) await sleep(run, earliestOf(next));
  }
}

const nothingYet = {
  output: undefined,
  error: undefined,
  memory: undefined,
  paused: false,
  snapshot: undefined,
};

/** Puts what ended into the rows in memory and says how to write it. What was interrupted did not fail: it is lost. */
function takeEnds(run: Run, taken: readonly Ended[]): End[] {
  const { rows, options, aborted } = run;
  const kept = aborted === undefined ? taken : taken.filter(({ result }) => "output" in result);
  return kept.map((ended) => {
    const told = endOf(ended, rows, options.now(), options.random);
    // Words of a failure come from anywhere.
    const end = { ...told, error: told.error && (options.host?.redact(told.error) ?? told.error) };
    rows.take(attemptFrom(ended, end, rows));
    if (end.status === "failed") {
      const { error = "", dueAt } = end;
      options.onFailed({ run: run.row.id, leaf: ended.due.leaf.id, attempt: ended.attempt, error, dueAt });
    }
    return end;
  });
}

function tell({ row, rows, options }: Run, seq: number): void {
  const found = rows.bySeq(seq);
  if (found === undefined) return;
  const { leaf, iteration, attempt, status, error } = found;
  options.onAttempt({ run: row.id, leaf, iteration, attempt, status, error });
}

/**
 * One commit, if there is anything to write. Undefined when somebody answered what time was about to: the answer
 * stands, and is in the rows; all the rest has to be thought over.
 */
async function write(
  run: Run,
  change: Omit<Parameters<typeof turn>[2], "now">,
): Promise<readonly number[] | undefined> {
  const { ends, begins, strays, leave } = change;
  if (run.aborted === "cancelled") return [];
  if (ends.length + begins.length + strays.length === 0 && leave === undefined) return [];
  const now = run.options.now();
  try {
    return await commit(run, () => turn(run.row.id, run.fence, { ...change, now }));
  } catch (error) {
    if (!(error instanceof AnsweredMeanwhile)) throw error;
    const open = ends.filter(({ isRefused }) => isRefused !== true).map(({ seq }) => seq);
    const answered = await run.options.sql.read(() => answeredAmong(open));
    for (const attempt of answered) run.rows.take(attempt);
    run.unwritten.push(...ends.filter(({ seq }) => answered.every((one) => one.seq !== seq)));
    return undefined;
  }
}

/** Commits, and while the disk refuses waits and commits again: a finished task is not done twice for a full disk. */
async function commit<Result>(run: Run, verb: () => Verb<Result>): Promise<Result> {
  const { sql, now, onTrouble } = run.options;
  for (;;) {
    try {
      return await sql.commit(verb);
    } catch (error) {
      if (!isTrouble(error) || run.aborted !== undefined) throw error;
      onTrouble(error);
      await sleep(run, now() + troubleMs);
    }
  }
}

function perform(run: Run, { leaf, iteration }: Due, seq: number, attempt: number): void {
  if (leaf.kind !== "task") return;
  // The run was ended while the row was written: the row stays at work and becomes lost.
  if (run.aborted !== undefined) return;
  const control = new AbortController();
  run.atWork.set(seq, control);
  const finish = (result: Ended["result"]): void => {
    run.atWork.delete(seq);
    run.inbox.push({ due: { leaf, iteration }, seq, attempt, result });
    knock(run);
  };
  performTask(benchOf(run), leaf, { seq, iteration, attempt, signal: control.signal }).then(
    finish,
    (error: unknown) => finish({ error }),
  );
}

const benchOf = (run: Run): Bench => ({
  row: run.row,
  rows: run.rows,
  host: run.options.host,
  now: run.options.now,
  read: run.options.sql.read,
  given: run.options.given,
  files: run.files,
  remember: async (seq: number, memory: Json) => {
    await commit(run, () => keepMemory(run.row.id, run.fence, seq, memory));
    const kept = run.rows.bySeq(seq);
    if (kept !== undefined) run.rows.take({ ...kept, memory });
  },
  say: (line) => {
    run.said.push(line);
    if (run.said.length === 1) void writeSaid(run);
  },
});

/** Lines of a transcript are written together, a little later than they were said. */
async function writeSaid(run: Run): Promise<void> {
  const { now, until } = run.options;
  await until(now() + saidMs);
  await flushSaid(run);
}

async function flushSaid({ options: { sql, onTrouble }, said }: Run): Promise<void> {
  const lines = said.splice(0);
  if (lines.length > 0) await sql.commit(() => keepSaid(lines)).catch(onTrouble);
}

function knock({ sleepers }: Run): void {
  const woken = [...sleepers];
  sleepers.clear();
  for (const wake of woken) wake();
}

/** Sleeps until something ends, somebody knocks, or an instant comes. */
async function sleep(run: Run, instant: number | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  run.sleepers.add(resolve);
  const alarm = instant === undefined ? undefined : new AbortController();
  if (instant !== undefined) run.options.until(instant, alarm?.signal).then(resolve, () => undefined);
  await promise;
  run.sleepers.delete(resolve);
  alarm?.abort(woken);
}

/** Where no reason is given an error is made for one, with a stack that nobody reads: a sixth of what a task costs. */
const woken = "woken before its time";

/** Takes answers that people gave while tasks of this run were at work. */
async function takeAnswers(run: Run, { waiting }: Plan): Promise<boolean> {
  run.nudged = false;
  const seqs = openSeqs(waiting, run.rows);
  if (seqs.length === 0) return false;
  const answered = await run.options.sql.read(() => answeredAmong(seqs));
  for (const attempt of answered) run.rows.take(attempt);
  return answered.length > 0;
}

/** Rows that wait in a part that failed: no answer and no time ends them any more. */
function straysIn({ is, dropped }: Plan, rows: Rows): readonly number[] {
  if (is !== "open") return [];
  return dropped.flatMap(({ leaf, iteration }) => {
    const row = rows.newest(leaf.id, iteration);
    if (row?.status !== "waiting") return [];
    rows.take({ ...row, status: "lost", dueAt: undefined });
    return [row.seq];
  });
}

/** The rows of the approvals that wait for a person. */
const openSeqs = (waiting: Plan["waiting"], rows: Rows): readonly number[] =>
  waiting.flatMap(({ leaf, iteration }) => {
    const row = leaf.kind === "wait" ? rows.newest(leaf.id, iteration) : undefined;
    return row === undefined ? [] : [row.seq];
  });

function earliestOf({ waiting }: Plan): number | undefined {
  const times = waiting.flatMap(({ until }) => (until === undefined ? [] : [until]));
  return times.length === 0 ? undefined : Math.min(...times);
}

function leaveOf(next: Plan, view: View, rows: Rows): Leave {
  if (next.is === "failed") return { is: "failed", error: next.why ?? "it failed", outcome: next.outcome };
  if (next.is === "done") return view.result(next.outcome);
  return { is: "waiting", wakeAt: earliestOf(next), open: openSeqs(next.waiting, rows) };
}
