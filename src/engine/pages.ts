/** What pages ask about runs: by page, by number, and what hangs together; nothing here carries a run on. */
import { all, one, type Verb } from "../sql.ts";
import { readMemory, type AgentMemory } from "./agent-memory.ts";
import type { Ask } from "./node.ts";
import type { Outcome } from "./plan.ts";
import type { RunStatus } from "./store.ts";

/** A run without what may be long. */
export interface RunHead {
  readonly id: string;
  readonly workflow: string;
  readonly source: string | undefined;
  readonly status: RunStatus;
  readonly outcome: Outcome | undefined;
  /** The beginning of it. */
  readonly error: string | undefined;
  readonly parent: string | undefined;
  readonly frame: number | undefined;
  readonly replays: boolean;
  readonly createdAt: number;
  readonly settledAt: number | undefined;
}
interface RawHead {
  id: string;
  workflow: string;
  source: string | null;
  status: RunStatus;
  outcome: Outcome | null;
  error: string | null;
  parent: string | null;
  frame: number | null;
  replays: number;
  created_at: number;
  settled_at: number | null;
}
const headColumns =
  "id, workflow, source, status, outcome, substr(error, 1, 300) as error, parent, frame, replays, created_at, settled_at";
const headOf = (row: RawHead): RunHead => ({
  id: row.id,
  workflow: row.workflow,
  source: row.source ?? undefined,
  status: row.status,
  outcome: row.outcome ?? undefined,
  error: row.error ?? undefined,
  parent: row.parent ?? undefined,
  frame: row.frame ?? undefined,
  replays: row.replays === 1,
  createdAt: row.created_at,
  settledAt: row.settled_at ?? undefined,
});

/** Where a page of runs ends: the next begins behind it. */
export interface RunPlace {
  readonly createdAt: number;
  readonly id: string;
}
/** The newest runs behind a place. */
export function* runsBehind(place: RunPlace | undefined, limit: number): Verb<readonly RunHead[]> {
  const rows = yield* all<RawHead>(
    `select ${headColumns} from run where (created_at, id) < (?, ?) order by created_at desc, id desc limit ?`,
    place?.createdAt ?? Number.MAX_SAFE_INTEGER,
    place?.id ?? "",
    limit,
  );
  return rows.map(headOf);
}
/** Runs in one of these states, the newest first; for states that few runs are in. */
export function* runsThatAre(
  states: readonly RunStatus[],
  place: RunPlace | undefined,
  limit: number,
): Verb<readonly RunHead[]> {
  const rows = yield* all<RawHead>(
    `select ${headColumns} from run indexed by run_by_status where status in (select value from json_each(?)) and (created_at, id) < (?, ?) order by created_at desc, id desc limit ?`,
    JSON.stringify(states),
    place?.createdAt ?? Number.MAX_SAFE_INTEGER,
    place?.id ?? "",
    limit,
  );
  return rows.map(headOf);
}
/** Runs whose ids begin with this and a slash, the newest first. */
export function* runsBelow(
  prefix: string,
  place: RunPlace | undefined,
  limit: number,
): Verb<readonly RunHead[]> {
  const rows = yield* all<RawHead>(
    // The sign after the slash ends the range.
    `select ${headColumns} from run where id > ? and id < ? and (created_at, id) < (?, ?) order by +created_at desc, +id desc limit ?`,
    `${prefix}/`,
    `${prefix}0`,
    place?.createdAt ?? Number.MAX_SAFE_INTEGER,
    place?.id ?? "",
    limit,
  );
  return rows.map(headOf);
}
/** What was forked from a run or replays it. */
export function* runsFrom(parent: string, limit: number): Verb<readonly RunHead[]> {
  const rows = yield* all<RawHead>(
    `select ${headColumns} from run where parent = ? order by created_at desc, id desc limit ?`,
    parent,
    limit,
  );
  return rows.map(headOf);
}

/** Attempts that count, and the newest sign that one of them changed. */
export function* attemptsIn(
  run: string,
): Verb<{ readonly count: number; readonly newest: number; readonly endedAt: number }> {
  const row = yield* one<{ count: number; newest: number | null; endedAt: number | null }>(
    "select count(*) as count, max(seq) as newest, max(ended_at) as endedAt from attempt where run = ? and cut = 0",
    run,
  );
  return { count: row?.count ?? 0, newest: row?.newest ?? 0, endedAt: row?.endedAt ?? 0 };
}

/** A question that waits for somebody, by the number of its row. */
export interface OpenAsk {
  readonly seq: number;
  readonly leaf: string;
  readonly iteration: string;
  readonly ask: Ask;
  readonly dueAt: number | undefined;
  readonly since: number;
}
interface RawAsk {
  readonly seq: number;
  readonly leaf: string;
  readonly iteration: string;
  readonly ask: string;
  readonly due_at: number | null;
  readonly started_at: number;
}
const openAskOf = (row: RawAsk): OpenAsk => ({
  seq: row.seq,
  leaf: row.leaf,
  iteration: row.iteration,
  ask: JSON.parse(row.ask) as Ask,
  dueAt: row.due_at ?? undefined,
  since: row.started_at,
});
const asking = "cut = 0 and attempt.status = 'waiting' and ask is not null";

export function* asksOf(run: string): Verb<readonly OpenAsk[]> {
  const rows = yield* all<RawAsk>(
    `select seq, leaf, iteration, ask, due_at, started_at from attempt where run = ? and ${asking} order by seq`,
    run,
  );
  return rows.map(openAskOf);
}

export interface RunOpenAsk extends OpenAsk {
  readonly run: string;
  readonly workflow: string;
}
/** Runs that go on, whatever else they do meanwhile. */
const goingOn: readonly RunStatus[] = ["ready", "running", "waiting"];
/** What runs ask, the oldest first, behind the row of that number. By the index of what asks: `cross` keeps the order. */
export function* openAsks(
  behind: number,
  limit: number,
  statuses: readonly RunStatus[] = goingOn,
): Verb<readonly RunOpenAsk[]> {
  const rows = yield* all<RawAsk & { readonly run: string; readonly workflow: string }>(
    `select seq, leaf, iteration, ask, due_at, started_at, attempt.run, run.workflow
     from attempt cross join run on run.id = attempt.run
     where seq > ? and ${asking} and run.status in (select value from json_each(?)) order by seq limit ?`,
    behind,
    JSON.stringify(statuses),
    limit,
  );
  return rows.map((row) => ({ ...openAskOf(row), run: row.run, workflow: row.workflow }));
}

/** An attempt by the number of its row. */
export interface NumberedAttempt {
  readonly seq: number;
  readonly run: string;
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly status: string;
  readonly output: unknown;
  readonly isCut: boolean;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** Undefined where no agent works. */
  readonly memory: AgentMemory | undefined;
}
export function* attemptNumbered(seq: number): Verb<NumberedAttempt | undefined> {
  const row = yield* one<{
    seq: number;
    run: string;
    leaf: string;
    iteration: string;
    attempt: number;
    status: string;
    output: string | null;
    cut: number;
    started_at: number;
    ended_at: number | null;
    memory: string | null;
  }>(
    "select seq, run, leaf, iteration, attempt, status, output, cut, started_at, ended_at, memory from attempt where seq = ?",
    seq,
  );
  return (
    row && {
      seq: row.seq,
      run: row.run,
      leaf: row.leaf,
      iteration: row.iteration,
      attempt: row.attempt,
      status: row.status,
      output: row.output === null ? undefined : (JSON.parse(row.output) as unknown),
      isCut: row.cut !== 0,
      startedAt: row.started_at,
      endedAt: row.ended_at ?? undefined,
      memory: row.memory === null ? undefined : readMemory(JSON.parse(row.memory)),
    }
  );
}

/** What one attempt was told and said, oldest first, so many lines of it. */
export function* saidBy(
  attempt: number,
  limit: number,
): Verb<readonly { readonly at: number; readonly kind: string; readonly text: string }[]> {
  return yield* all<{ at: number; kind: string; text: string }>(
    "select at, kind, text from said where attempt = ? order by n limit ?",
    attempt,
    limit,
  );
}
