/** What pages of runs need of this machine: the engine's rows and the logs of what was said. */
import { logPath, runLogFolder } from "./adapters/logs/log-paths.ts";
import { readLogPiece } from "./adapters/logs/log-piece.ts";
import type { RunDesk } from "./shell/pages/run-desk.ts";
import type { Sql } from "./sql.ts";

export interface RunDeskOptions {
  readonly sql: Sql;
  readonly database: string;
}

export function openRunDesk({ sql, database }: RunDeskOptions): RunDesk {
  return {
    sql,
    readLog: readLogPiece,
    logOf: ({ run, leaf, iteration, attempt }) =>
      logPath(runLogFolder(database, run), `${run}/${leaf}@${iteration}#${attempt}`),
  };
}
