/** The changes that time travel made to a run: their rows, and what a run was before them. */
import { all, one, run as exec, type Verb } from "../sql.ts";
import { framesOf, type Frame } from "./frames.ts";
import { runById, type RunRow } from "./store.ts";

/** A folder whose files a change moved. */
export interface MovedFiles {
  readonly folder: string;
  /** What its files were before, and what they became. */
  readonly saved: string;
  readonly to: string;
}
/** What a run was, so that it can be that again. */
export type Before = Pick<RunRow, "status" | "outcome" | "output" | "error" | "settledAt">;
/** A rewind, or what took rewinds back. */
export interface RunChange {
  readonly number: number;
  /** The frame the run was at afterwards. */
  readonly frame: number;
  /** The first change that it took back. */
  readonly undoes: number | undefined;
  readonly before: Before;
  readonly files: readonly MovedFiles[];
  /** The newest row there was. */
  readonly newest: number;
  readonly cut: readonly number[];
  readonly brought: readonly number[];
  readonly by: string;
  readonly at: number;
  /** Undefined while it is under way, or was cut short. */
  readonly doneAt: number | undefined;
}

export function* changesOf(run: string): Verb<readonly RunChange[]> {
  const rows = yield* all<{
    number: number;
    frame: number;
    undoes: number | null;
    before: string;
    files: string;
    newest: number;
    cut: string;
    brought: string;
    by: string;
    at: number;
    done_at: number | null;
  }>("select * from rewind where run = ? order by number", run);
  return rows.map((row) => ({
    number: row.number,
    frame: row.frame,
    undoes: row.undoes ?? undefined,
    before: JSON.parse(row.before) as Before,
    files: JSON.parse(row.files) as readonly MovedFiles[],
    newest: row.newest,
    cut: JSON.parse(row.cut) as readonly number[],
    brought: JSON.parse(row.brought) as readonly number[],
    by: row.by,
    at: row.at,
    doneAt: row.done_at ?? undefined,
  }));
}

/** A run as time travel sees it. */
export interface Seen {
  readonly row: RunRow;
  readonly frames: readonly Frame[];
  readonly changes: readonly RunChange[];
  /** The newest row it ever had. */
  readonly newest: number;
  /** Rows that something else took out, such as a failure that was tried again. */
  readonly others: readonly CutRow[];
}
interface CutRow {
  readonly seq: number;
  readonly cut: number;
}
export function* seeRun(run: string): Verb<Seen | undefined> {
  const row = yield* runById(run);
  if (row === undefined) return undefined;
  const newest = yield* one<{ seq: number | null }>("select max(seq) as seq from attempt where run = ?", run);
  const changes = yield* changesOf(run);
  const numbers = new Set(changes.map(({ number }) => number));
  const cut = yield* all<CutRow>("select seq, cut from attempt where run = ? and cut > 0", run);
  return {
    row,
    frames: yield* framesOf(run),
    changes,
    newest: newest?.seq ?? 0,
    others: cut.filter((one) => !numbers.has(one.cut)),
  };
}

/** The number of the next change: every cut has its own. */
export const nextNumber = ({ changes, others }: Seen): number =>
  Math.max(changes.at(-1)?.number ?? 0, ...others.map(({ cut }) => cut)) + 1;

/** The rows that counted just before this change: everything since is unrolled, newest first. */
export function countedBefore({ frames, changes, others }: Seen, number: number): ReadonlySet<number> {
  let counted = new Set(frames.map(({ seq }) => seq));
  let known = others;
  for (const change of changes.toReversed()) {
    if (change.number < number) break;
    for (const { seq, cut } of known) if (cut > change.number) counted.add(seq);
    known = known.filter(({ cut }) => cut < change.number);
    const brought = new Set(change.brought);
    counted = new Set([...counted].filter((seq) => seq <= change.newest && !brought.has(seq)));
    for (const seq of change.cut) counted.add(seq);
  }
  return counted;
}

/** Nobody takes the run until the change is done: what it does to files is not done yet. Answers the new fence. */
export function* holdRun(seen: Seen, change: RunChange): Verb<number | undefined> {
  const { row } = seen;
  const fence = yield* moveRun(row, row.fence, {
    status: "cancelled",
    error: `the rewind to frame ${change.frame} was cut short: say it again, or take it back with --undo`,
    outcome: undefined,
    output: undefined,
    settledAt: change.at,
  });
  if (fence !== undefined) yield* keepChange(row.id, change);
  return fence;
}

/** The rows follow in one transaction. Answers false when the run is no longer as it was seen. */
export function* makeChange(row: RunRow, fence: number, change: RunChange, after: Before): Verb<boolean> {
  const moved = yield* moveRun(row, fence, after);
  if (moved === undefined) return false;
  yield* exec(
    "update attempt set status = 'lost', ended_at = ? where run = ? and status = 'running' and cut = 0",
    change.at,
    row.id,
  );
  yield* exec(
    "update attempt set cut = ? where seq in (select value from json_each(?))",
    change.number,
    JSON.stringify(change.cut),
  );
  // Only now: the places of what comes back may have been taken since.
  yield* exec(
    "update attempt set cut = 0 where seq in (select value from json_each(?))",
    JSON.stringify(change.brought),
  );
  yield* keepChange(row.id, change);
  return true;
}

function* moveRun({ id }: RunRow, fence: number, to: Before): Verb<number | undefined> {
  const row = yield* one<{ fence: number }>(
    "update run set status = ?, outcome = ?, output = ?, error = ?, settled_at = ?, wake_at = null, owner = null, fence = fence + 1 where id = ? and fence = ? returning fence",
    to.status,
    to.outcome ?? null,
    to.output === undefined ? null : JSON.stringify(to.output),
    to.error ?? null,
    to.settledAt ?? null,
    id,
    fence,
  );
  return row?.fence;
}

function* keepChange(run: string, change: RunChange): Verb<void> {
  yield* exec(
    "insert into rewind (run, number, frame, undoes, before, files, newest, cut, brought, by, at, done_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (run, number) do update set frame = excluded.frame, undoes = excluded.undoes, files = excluded.files, newest = excluded.newest, cut = excluded.cut, brought = excluded.brought, by = excluded.by, at = excluded.at, done_at = excluded.done_at",
    run,
    change.number,
    change.frame,
    change.undoes ?? null,
    JSON.stringify(change.before),
    JSON.stringify(change.files),
    change.newest,
    JSON.stringify(change.cut),
    JSON.stringify(change.brought),
    change.by,
    change.at,
    change.doneAt ?? null,
  );
}
