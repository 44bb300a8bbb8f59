/** What people and commands ask about runs, without carrying any on. */
import { all, type Verb } from "../sql.ts";
import type { Ask } from "./node.ts";
import type { AttemptStatus } from "./rows.ts";
import { addUsage, noUsage, readMemory, type AgentMemory } from "./agent-memory.ts";
import { attemptOf, type RawAttempt } from "./attempts.ts";
import type { Said } from "./host.ts";
import { runOf, type RawRun, type RunRow } from "./store.ts";

/** The newest runs, for people. */
export function* recentRuns(limit: number): Verb<readonly RunRow[]> {
  const rows = yield* all<RawRun>("select * from run order by created_at desc, id desc limit ?", limit);
  return rows.map(runOf);
}
/** Runs whose id begins so: the one that is called exactly so, then the newest. */
export function* runsLike(prefix: string): Verb<readonly RunRow[]> {
  const rows = yield* all<RawRun>(
    "select * from run where id >= ? and substr(id, 1, length(?)) = ? order by id = ? desc, created_at desc, id desc limit 20",
    prefix,
    prefix,
    prefix,
    prefix,
  );
  return rows.map(runOf);
}

/** What waits in a run, and what it waits for. */
export interface Waits {
  readonly leaf: string;
  readonly iteration: string;
  readonly ask: Ask | undefined;
  readonly dueAt: number | undefined;
  readonly since: number;
}
export function* waitsOf(run: string): Verb<readonly Waits[]> {
  const rows = yield* all<{
    leaf: string;
    iteration: string;
    ask: string | null;
    due_at: number | null;
    started_at: number;
  }>(
    "select leaf, iteration, ask, due_at, started_at from attempt where run = ? and cut = 0 and (status = 'waiting' or (status = 'failed' and due_at is not null and not exists (select 1 from attempt as later where later.run = attempt.run and later.cut = 0 and later.leaf = attempt.leaf and later.iteration = attempt.iteration and later.attempt > attempt.attempt))) order by seq",
    run,
  );
  return rows.map((row) => ({
    leaf: row.leaf,
    iteration: row.iteration,
    ask: row.ask === null ? undefined : (JSON.parse(row.ask) as Ask),
    dueAt: row.due_at ?? undefined,
    since: row.started_at,
  }));
}
/** Every attempt with its times, oldest first; for people. */
export interface Happened {
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly output: unknown;
  readonly error: string | undefined;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}
export function* historyOf(run: string): Verb<readonly Happened[]> {
  const rows = yield* all<RawAttempt & { started_at: number; ended_at: number | null }>(
    "select * from attempt where run = ? and cut = 0 order by seq",
    run,
  );
  return rows.map((row) => {
    const { leaf, iteration, attempt, status, output, error } = attemptOf(row);
    return {
      leaf,
      iteration,
      attempt,
      status,
      output,
      error,
      startedAt: row.started_at,
      endedAt: row.ended_at ?? undefined,
    };
  });
}

/** What one attempt said, in order, and which agent spoke. */
export interface Spoken {
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly startedAt: number;
  readonly error: string | undefined;
  /** Undefined where no agent works. */
  readonly agent: string | undefined;
  readonly session: string | undefined;
  readonly models: readonly string[];
  readonly lines: readonly { readonly at: number; readonly kind: Said["kind"]; readonly text: string }[];
}
/** The transcripts of a run, oldest attempt first; attempts that neither spoke nor had an agent are left out. */
export function* saidIn(run: string): Verb<readonly Spoken[]> {
  const attempts = yield* all<RawAttempt & { started_at: number }>(
    "select * from attempt where run = ? and cut = 0 order by seq",
    run,
  );
  const lines = yield* all<{ attempt: number; at: number; kind: Said["kind"]; text: string }>(
    "select said.attempt, said.at, said.kind, said.text from said join attempt on attempt.seq = said.attempt where attempt.run = ? and attempt.cut = 0 order by said.attempt, said.n",
    run,
  );
  const byAttempt = Map.groupBy(lines, ({ attempt }) => attempt);
  return attempts.flatMap((row) => {
    const { seq, leaf, iteration, attempt, status, error, memory } = attemptOf(row);
    const own = byAttempt.get(seq) ?? [];
    const known = readMemory(memory);
    if (own.length === 0 && known === undefined) return [];
    return {
      leaf,
      iteration,
      attempt,
      status,
      error,
      startedAt: row.started_at,
      agent: known?.agent,
      session: known?.session,
      models: known?.models ?? [],
      lines: own.map(({ at, kind, text }) => ({ at, kind, text })),
    };
  });
}

/** A session that an agent of a run has had, and where. */
export interface Session {
  readonly leaf: string;
  readonly iteration: string;
  readonly agent: string;
  readonly session: string;
  readonly folder: string | undefined;
}
export function* sessionsIn(run: string): Verb<readonly Session[]> {
  const rows = yield* all<{ leaf: string; iteration: string; folder: string | null; memory: string }>(
    "select leaf, iteration, folder, memory from attempt where run = ? and cut = 0 and memory is not null order by seq",
    run,
  );
  return rows.flatMap(({ leaf, iteration, folder, memory }) => {
    const known = readMemory(JSON.parse(memory));
    if (known?.session === undefined) return [];
    return { leaf, iteration, agent: known.agent, session: known.session, folder: folder ?? undefined };
  });
}

/** What the agents of a run have used, what was rewound too: it was paid for all the same. */
export function* usedIn(run: string): Verb<AgentMemory["usage"]> {
  const rows = yield* all<{ leaf: string; iteration: string; cut: number; memory: string }>(
    "select leaf, iteration, cut, memory from attempt where run = ? and memory is not null order by seq",
    run,
  );
  // An attempt's count holds those before it, so the newest of each leaf and iteration counts.
  const newest = new Map(
    rows.map(({ leaf, iteration, cut, memory }) => [`${cut} ${iteration} ${leaf}`, memory]),
  );
  return [...newest.values()]
    .flatMap((memory) => readMemory(JSON.parse(memory)) ?? [])
    .reduce((soFar, { usage }) => addUsage(soFar, usage), noUsage);
}
