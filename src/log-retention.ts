/** What is kept of agents' sessions goes when it is old, and the oldest when there is too much. */
import { readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { runLogName } from "./adapters/logs/log-paths.ts";
import { all, one, run as exec, type Sql, type Verb } from "./sql.ts";

/** Logs taken together. */
const atOnce = 100;
/** All logs of one folder together take no more than this on the disk, unless the operator says otherwise. */
export const mostLogBytes = 2 * 1024 * 1024 * 1024;

export interface LogOrder {
  /** Logs of what ended before this instant go. */
  readonly before: number;
  readonly how: "look" | "free";
  readonly mostBytes: number;
}
interface Log {
  readonly path: string;
  readonly bytes: number;
  /** Undefined while it is written. */
  readonly endedAt: number | undefined;
}

/** The logs of tickets' sessions below a folder; a path elsewhere is left alone. Answers how many went. */
export async function retireTicketLogs(sql: Sql, folder: string, order: LogOrder): Promise<number> {
  const isTickets = await sql.read(() => one("select 1 from sqlite_schema where name = 'agent_session'"));
  if (isTickets === undefined) return 0;
  const rows = (await sql.read(() => keptLogs())).filter(
    ({ path }) => dirname(resolve(path)) === resolve(folder),
  );
  const logs = await Promise.all(
    rows.map(async ({ path, endedAt }) => ({
      path,
      bytes: await bytesOf(path),
      endedAt: endedAt ?? undefined,
    })),
  );
  const gone = new Set(goingOf(logs, order).map(({ path }) => path));
  const going = rows.filter(({ path }) => gone.has(path));
  if (order.how === "look") return going.length;
  for (let at = 0; at < going.length; at += atOnce) {
    const some = going.slice(at, at + atOnce);
    await Promise.all(some.map(({ path }) => rm(path, { force: true })));
    await sql.commit(() => forgetLogs(some.map(({ id }) => id)));
  }
  return going.length;
}
function* keptLogs(): Verb<
  readonly { readonly id: number; readonly path: string; readonly endedAt: number | null }[]
> {
  return yield* all<{ id: number; path: string; endedAt: number | null }>(
    "select id, log_path as path, ended_at as endedAt from agent_session where log_path is not null",
  );
}
function* forgetLogs(ids: readonly number[]): Verb<void> {
  yield* exec(
    "update agent_session set log_path = null where id in (select value from json_each(?))",
    JSON.stringify(ids),
  );
}

/** The logs of workflow runs beside their database, a folder a run; one of a run that nobody knows any more goes too. */
export async function retireRunLogs(sql: Sql, folder: string, order: LogOrder): Promise<number> {
  const names = await namesIn(folder);
  if (names.length === 0) return 0;
  const runs = await sql.read(() =>
    all<{ id: string; settledAt: number | null }>("select id, settled_at as settledAt from run"),
  );
  const ends = new Map(runs.map(({ id, settledAt }) => [runLogName(id), settledAt]));
  const logs = await Promise.all(
    names
      .filter((name) => /^[0-9a-f]{24}$/u.test(name))
      .map(async (name): Promise<Log> => {
        const path = join(folder, name);
        const files = await namesIn(path);
        const sizes = await Promise.all(files.map((file) => bytesOf(join(path, file))));
        const end = ends.has(name) ? ends.get(name) : 0;
        return { path, bytes: sizes.reduce((sum, size) => sum + size, 0), endedAt: end ?? undefined };
      }),
  );
  const going = goingOf(logs, order);
  if (order.how === "free") for (const { path } of going) await rm(path, { recursive: true, force: true });
  return going.length;
}

/** What is too old, then the oldest until the rest is little enough; never what is still written. */
function goingOf(logs: readonly Log[], { before, mostBytes }: LogOrder): readonly Log[] {
  const ended = logs
    .flatMap((log) => (log.endedAt === undefined ? [] : { ...log, endedAt: log.endedAt }))
    .toSorted((one, other) => one.endedAt - other.endedAt);
  let left = logs.reduce((sum, { bytes }) => sum + bytes, 0);
  return ended.filter(({ endedAt, bytes }) => {
    if (endedAt >= before && left <= mostBytes) return false;
    left -= bytes;
    return true;
  });
}

async function bytesOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
}
