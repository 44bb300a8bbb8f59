import { collectDaily, collectGarbage, dayMs, keptDays, type Forget, type Freed } from "./engine/index.ts";
import type { Clock } from "./ports.ts";
import { mostLogBytes, retireRunLogs, retireTicketLogs, type LogOrder } from "./log-retention.ts";
import type { Sql } from "./sql.ts";

/** What a database and the logs beside it gave up. */
export interface Retired extends Freed {
  /** Logs of agents. */
  readonly logs: number;
}

/** Where logs of agents lie; undefined where there are none. */
export interface LogPlaces {
  readonly ticketLogs: string | undefined;
  readonly runLogs: string | undefined;
  /** Together they take no more of the disk. */
  readonly mostBytes?: number | undefined;
}

/** Frees what ended longer ago than so many days: never a run's row, its output, nor anything of the ledger. */
export async function retire(
  sql: Sql,
  order: {
    readonly now: number;
    readonly days: number;
    readonly how: "look" | "free";
    readonly logs: LogPlaces;
    readonly forget?: Forget | undefined;
  },
): Promise<Retired> {
  const { now, how, logs, forget } = order;
  const before = now - order.days * dayMs;
  const freed = await collectGarbage(sql, { before, now, how, forget });
  const { mostBytes = mostLogBytes } = logs;
  return { ...freed, logs: await retireLogs(sql, logs, { before, how, mostBytes }) };
}

async function retireLogs(sql: Sql, { ticketLogs, runLogs }: LogPlaces, order: LogOrder): Promise<number> {
  const ofTickets = ticketLogs === undefined ? 0 : await retireTicketLogs(sql, ticketLogs, order);
  const ofRuns = runLogs === undefined ? 0 : await retireRunLogs(sql, runLogs, order);
  return ofTickets + ofRuns;
}

/** Looks once a day, however often it is asked; undefined when it was too early. */
export async function retireOfToday(
  sql: Sql,
  now: number,
  logs: LogPlaces,
  forget?: Forget,
): Promise<Retired | undefined> {
  const freed = await collectDaily(sql, now, forget);
  if (freed === undefined) return undefined;
  const { mostBytes = mostLogBytes } = logs;
  const order: LogOrder = { before: now - keptDays * dayMs, how: "free", mostBytes };
  return { ...freed, logs: await retireLogs(sql, logs, order) };
}

/** Looks at once and then every day; trouble is logged, and the next day tries again. Answers how to stop it. */
export function retireDaily(parts: {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly logs: LogPlaces;
  readonly forget?: Forget;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}): () => Promise<void> {
  const { sql, clock, log, forget } = parts;
  const ending = new AbortController();
  const look = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        const freed = await retireOfToday(sql, clock.now(), parts.logs, forget);
        if (freed !== undefined && freed.bytes + freed.logs > 0)
          log.info({ ...freed, runs: freed.runs.length }, "what old runs kept was freed");
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
