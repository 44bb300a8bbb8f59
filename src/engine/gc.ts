/** What ended runs no longer need goes after a while: transcripts, memories, the outputs of attempts that came to nothing. */
import { all, change, one, run as exec, type Sql, type Verb } from "../sql.ts";
import { refsOf } from "./files.ts";
import type { Snapshots } from "./host.ts";
import { runById } from "./store.ts";

/** How long an ended run keeps everything, unless somebody says otherwise. */
export const keptDays = 30;
export const dayMs = 86_400_000;
/** Rows one commit takes away, so that whoever writes beside it hardly waits. */
const atOnce = 500;
/** An output of a failed or lost attempt that is shorter stays: people may want to read it. */
const smallBytes = 4_096;
/** Free pages one step gives back to the disk. */
const pagesAtOnce = 200;

/** Deletes the snapshots whose refs begin so, in the repository that a folder is in. */
export type Forget = Snapshots["forget"];

export interface Freed {
  /** The runs that gave something up. */
  readonly runs: readonly string[];
  readonly lines: number;
  readonly memories: number;
  readonly outputs: number;
  readonly cached: number;
  /** Of text, before any page is given back. */
  readonly bytes: number;
}

/**
 * Frees what runs that ended before an instant kept beside their rows, outputs and results, and kept outputs that
 * nobody may use any more. In small commits; killed in the middle, the next call does the rest.
 */
export async function collectGarbage(
  sql: Sql,
  order: {
    readonly before: number;
    readonly now: number;
    readonly how: "look" | "free";
    readonly forget?: Forget | undefined;
  },
): Promise<Freed> {
  const { before, now, how, forget } = order;
  const runs = await sql.read(() => bulkyRuns(before));
  const freed = { runs: [] as string[], lines: 0, memories: 0, outputs: 0, cached: 0, bytes: 0 };
  for (const run of runs) {
    const bulk = await sql.read(() => bulkOf(run));
    const total = bulk.lines + bulk.memories + bulk.outputs;
    if (total > 0) freed.runs.push(run);
    freed.lines += bulk.lines;
    freed.memories += bulk.memories;
    freed.outputs += bulk.outputs;
    freed.bytes += bulk.bytes;
    if (how === "look") continue;
    if (forget !== undefined) await forgetFiles(sql, run, forget);
    await freeRun(sql, run, before, now);
  }
  const expired = await sql.read(() => expiredCache(now));
  freed.cached = expired.rows;
  freed.bytes += expired.bytes;
  if (how === "look") return freed;
  while ((await sql.commit(() => dropExpired(now))) === atOnce);
  await giveBackPages(sql);
  return freed;
}

/** Looks once a day, however often it is asked; undefined when it was too early. */
export async function collectDaily(sql: Sql, now: number, forget?: Forget): Promise<Freed | undefined> {
  if (!(await sql.commit(() => takeDay(now)))) return undefined;
  return await collectGarbage(sql, { before: now - keptDays * dayMs, now, how: "free", forget });
}
function* takeDay(now: number): Verb<boolean> {
  const taken = yield* change(
    "insert into chore (name, at) values ('gc', ?) on conflict (name) do update set at = excluded.at where at <= excluded.at - ?",
    now,
    dayMs,
  );
  return taken > 0;
}

function* bulkyRuns(before: number): Verb<readonly string[]> {
  const rows = yield* all<{ id: string }>(
    "select id from run where settled_at < ? and (cleaned_at is null or cleaned_at < settled_at) order by settled_at",
    before,
  );
  return rows.map(({ id }) => id);
}

interface Bulk {
  readonly lines: number;
  readonly memories: number;
  readonly outputs: number;
  readonly bytes: number;
}
function* bulkOf(run: string): Verb<Bulk> {
  const said = yield* one<{ rows: number; bytes: number | null }>(
    "select count(*) as rows, sum(length(text)) as bytes from said where attempt in (select seq from attempt where run = ?)",
    run,
  );
  const kept = yield* one<{ memories: number; outputs: number | null; bytes: number | null }>(
    `select count(memory) as memories, sum(${isBulky}) as outputs, sum(ifnull(length(memory), 0) + iif(${isBulky}, length(output), 0)) as bytes from attempt where run = ?`,
    run,
  );
  return {
    lines: said?.rows ?? 0,
    memories: kept?.memories ?? 0,
    outputs: kept?.outputs ?? 0,
    bytes: (said?.bytes ?? 0) + (kept?.bytes ?? 0),
  };
}
const isBulky = `(status in ('failed', 'lost') and ifnull(length(output), 0) > ${smallBytes})`;

async function freeRun(sql: Sql, run: string, before: number, now: number): Promise<void> {
  while ((await sql.commit(() => dropLines(run, before))) === atOnce);
  while ((await sql.commit(() => dropBulk(run, before))) === atOnce);
  await sql.commit(() => markCleaned(run, before, now));
}

/** The files of a run are forgotten with its other bulk, unless a run that was made of it may still go back to them. */
async function forgetFiles(sql: Sql, run: string, forget: Forget): Promise<void> {
  const row = await sql.read(() => runById(run));
  const isParent = await sql.read(() =>
    one("select 1 from run where parent = ? and cleaned_at is null", run),
  );
  if (row === undefined || isParent !== undefined) return;
  const folders = await sql.read(() =>
    all<{ folder: string }>("select distinct folder from attempt where run = ? and folder is not null", run),
  );
  // First the rows, so that nobody goes back to files that are half gone.
  await sql.commit(() => exec("update attempt set snapshot = null, baseline = null where run = ?", run));
  // A repository that is gone has nothing to forget.
  for (const { folder } of folders) await forget(folder, refsOf(row)).catch(() => undefined);
}

/** Somebody may have begun this run again in the meantime: then it keeps what is left. */
const isStillOver = "exists (select 1 from run where run.id = ? and run.settled_at < ?)";

function* dropLines(run: string, before: number): Verb<number> {
  return yield* change(
    `delete from said where (attempt, n) in (select attempt, n from said where attempt in (select seq from attempt where run = ?) limit ${atOnce}) and ${isStillOver}`,
    run,
    run,
    before,
  );
}
function* dropBulk(run: string, before: number): Verb<number> {
  return yield* change(
    `update attempt set memory = null, output = iif(${isBulky}, null, output) where seq in (select seq from attempt where run = ? and (memory is not null or ${isBulky}) limit ${atOnce}) and ${isStillOver}`,
    run,
    run,
    before,
  );
}
function* markCleaned(run: string, before: number, now: number): Verb<void> {
  yield* exec("delete from cached where scope = ?", `run:${run}`);
  yield* exec("update run set cleaned_at = ? where id = ? and settled_at < ?", now, run, before);
}

function* expiredCache(now: number): Verb<{ readonly rows: number; readonly bytes: number }> {
  const found = yield* one<{ rows: number; bytes: number | null }>(
    "select count(*) as rows, sum(length(output)) as bytes from cached where expires_at < ?",
    now,
  );
  return { rows: found?.rows ?? 0, bytes: found?.bytes ?? 0 };
}
function* dropExpired(now: number): Verb<number> {
  return yield* change(
    `delete from cached where (scope, key) in (select scope, key from cached where expires_at < ? limit ${atOnce})`,
    now,
  );
}

/** Free pages go back to the disk bit by bit, where the database was made so that they can. */
async function giveBackPages(sql: Sql): Promise<void> {
  const read = async (name: "auto_vacuum" | "freelist_count"): Promise<number> =>
    (await sql.read(() => one<Record<string, number>>(`pragma ${name}`)))?.[name] ?? 0;
  if ((await read("auto_vacuum")) !== 2) return;
  for (let left = await read("freelist_count"); left > 0;) {
    sql.script(`pragma incremental_vacuum(${pagesAtOnce})`);
    const now = await read("freelist_count");
    if (now >= left) return;
    left = now;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
