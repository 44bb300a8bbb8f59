import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { collectDaily, collectGarbage, dayMs, keptDays, type Forget, type Freed } from "./engine/index.ts";
import type { Clock } from "./ports.ts";
import { all, one, run as exec, type Sql, type Verb } from "./sql.ts";

/** What a database and the logs beside it gave up. */
export interface Retired extends Freed {
  /** Logs of agents. */
  readonly logs: number;
}

/** Logs taken together. */
const logsAtOnce = 100;

/** Frees what ended longer ago than so many days: never a run's row, its output, nor anything of the ledger. */
export async function retire(
  sql: Sql,
  order: {
    readonly now: number;
    readonly days: number;
    readonly how: "look" | "free";
    /** Where logs of agents lie; a path elsewhere is left alone. */
    readonly logDir: string | undefined;
    readonly forget?: Forget | undefined;
  },
): Promise<Retired> {
  const { now, how, logDir, forget } = order;
  const before = now - order.days * dayMs;
  const freed = await collectGarbage(sql, { before, now, how, forget });
  return { ...freed, logs: logDir === undefined ? 0 : await retireLogs(sql, { before, how, logDir }) };
}

async function retireLogs(
  sql: Sql,
  {
    before,
    how,
    logDir,
  }: { readonly before: number; readonly how: "look" | "free"; readonly logDir: string },
): Promise<number> {
  const isTickets = await sql.read(() => one("select 1 from sqlite_schema where name = 'agent_session'"));
  if (isTickets === undefined) return 0;
  const old = (await sql.read(() => oldLogs(before))).filter(
    ({ path }) => dirname(resolve(path)) === resolve(logDir),
  );
  if (how === "look") return old.length;
  for (let at = 0; at < old.length; at += logsAtOnce) {
    const some = old.slice(at, at + logsAtOnce);
    await Promise.all(some.map(({ path }) => rm(path, { force: true })));
    await sql.commit(() => forgetLogs(some.map(({ id }) => id)));
  }
  return old.length;
}
function* oldLogs(before: number): Verb<readonly { readonly id: number; readonly path: string }[]> {
  return yield* all<{ id: number; path: string }>(
    "select id, log_path as path from agent_session where ended_at < ? and log_path is not null",
    before,
  );
}
function* forgetLogs(ids: readonly number[]): Verb<void> {
  yield* exec(
    "update agent_session set log_path = null where id in (select value from json_each(?))",
    JSON.stringify(ids),
  );
}

/** Looks at once and then every day; trouble is logged, and the next day tries again. Answers how to stop it. */
export function retireDaily(parts: {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly logDir: string | undefined;
  readonly forget?: Forget;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}): () => Promise<void> {
  const { sql, clock, logDir, log, forget } = parts;
  const ending = new AbortController();
  const look = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        const freed = await collectDaily(sql, clock.now(), forget);
        const before = clock.now() - keptDays * dayMs;
        const logs =
          freed === undefined || logDir === undefined
            ? 0
            : await retireLogs(sql, { before, how: "free", logDir });
        if (freed !== undefined && freed.bytes + logs > 0)
          log.info({ ...freed, runs: freed.runs.length, logs }, "what old runs kept was freed");
      } catch (error) {
        log.error({ error }, "what old runs keep could not be freed; it is tried again tomorrow");
      }
      await clock.until(clock.now() + dayMs, ending.signal).catch(() => undefined);
    }
  };
  const looking = look();
  return async () => {
    ending.abort();
    await looking;
  };
}
