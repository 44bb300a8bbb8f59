import { existsSync } from "node:fs";
import { join } from "node:path";
import { runLogsBeside } from "../adapters/logs/log-paths.ts";
import { systemClock } from "../adapters/clock.ts";
import { keptDays, migrateEngine } from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import { retire, type LogPlaces, type Retired } from "../retention.ts";
import { one, openSqlite } from "../sql.ts";
import { ownSettings } from "./own-settings.ts";
import { Failure, table, terminal, type Answer } from "./output.ts";
import { databaseProblem } from "../problems-database.ts";
import { defaultDatabase } from "./workflow-database.ts";
import { snapshotsBeside } from "../workflow-snapshots.ts";

interface GcOptions {
  readonly database?: string | undefined;
  readonly days?: string | undefined;
  readonly dryRun?: true | undefined;
}

/** Frees what ended runs no longer need, in the database that is named, or in both of this folder. */
export async function gc(options: GcOptions): Promise<Answer> {
  const days = daysOf(options.days);
  const environment = ownSettings();
  const wanted =
    options.database === undefined ? [environment.database, defaultDatabase] : [options.database];
  const found = wanted.filter((path) => existsSync(path));
  if (found.length === 0) {
    throw new Failure(
      exitCodes.notFound,
      `there is no database at ${wanted.join(" or ")}; name one with --database PATH`,
    );
  }
  const how = options.dryRun === true ? "look" : "free";
  const freed: (Retired & { readonly database: string })[] = [];
  for (const database of found)
    freed.push({
      database,
      ...(await freeIn(database, {
        days,
        how,
        logs: {
          ticketLogs: join(environment.dataDir, "logs"),
          runLogs: runLogsBeside(database),
          mostBytes: environment.logBytes,
        },
      })),
    });
  const verb = how === "look" ? "would free" : "freed";
  return {
    schema: "gc/1",
    data: { days, dryRun: how === "look", databases: freed },
    text: [
      `${verb} what runs kept that ended more than ${days} days ago`,
      table(
        ["DATABASE", "RUNS", "LINES", "MEMORIES", "OUTPUTS", "CACHED", "LOGS", "KB"],
        freed.map((one) => [
          one.database,
          ...[one.runs.length, one.lines, one.memories, one.outputs, one.cached, one.logs].map(String),
          String(Math.round(one.bytes / 1_024)),
        ]),
        terminal.isTty,
      ),
    ].join("\n"),
  };
}

async function freeIn(
  database: string,
  order: { readonly days: number; readonly how: "look" | "free"; readonly logs: LogPlaces },
): Promise<Retired> {
  try {
    const sql = openSqlite(database);
    try {
      // A file of somebody else gets no tables of ours.
      if (
        (await sql.read(() => one("select 1 from sqlite_schema where name = 'engine_migration'"))) ===
        undefined
      )
        throw new Failure(exitCodes.usage, `${database} is no database of forgehand's`);
      await migrateEngine(sql);
      return await retire(sql, {
        ...order,
        now: systemClock().now(),
        forget: snapshotsBeside(database).forget,
      });
    } finally {
      sql.close();
    }
  } catch (error) {
    throw databaseProblem(error, database) ?? error;
  }
}

function daysOf(text: string | undefined): number {
  const days = text === undefined ? keptDays : Number(text);
  if (text?.trim() === "" || !Number.isInteger(days) || days < 0 || days > 36_500)
    throw new Failure(exitCodes.usage, `--days takes a whole number of days, such as 30, not "${text}"`);
  return days;
}
