import { existsSync } from "node:fs";
import { systemClock } from "../adapters/clock.ts";
import { exitCodes } from "../problems.ts";
import { retireDaily } from "../retention.ts";
import type { Sql } from "../sql.ts";
import { plain, terminal, type Answer } from "./output.ts";
import { databaseOf, type WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, hearInterrupt, lineOf, openDesk, within, type Desk } from "./workflow-desk.ts";
import { snapshotsBeside } from "../workflow-snapshots.ts";

/** Old runs give up what they kept without a word. */
const silent = { info: () => undefined, error: () => undefined };

/** How often a database that is not there yet is looked for. */
const lookMs = 2_000;

/** Carries the runs in a database on, as soon as there is one; answers how to stop. */
export function carryAll(database: string): { close(): Promise<void> } {
  const { promise: closing, resolve: close } = Promise.withResolvers<void>();
  const done = (async (): Promise<void> => {
    let isOver = false;
    void closing.then(() => (isOver = true));
    while (!isOver && !existsSync(database)) await within(lookMs, closing);
    if (isOver) return;
    await atWorkflows({ database }, "there", async (sql) => {
      const desk = await openAll(sql, database);
      await closing;
      await desk.close();
    });
    // Tickets are served all the same.
  })().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    terminal.err(`the runs in ${database} are not carried on: ${plain(why)}\n`);
  });
  return {
    close: async () => {
      close();
      await done;
    },
  };
}

async function openAll(sql: Sql, database: string): Promise<Desk> {
  const desk = await openDesk(sql, database, {
    takes: ({ source }) => source !== undefined,
    onAttempt: (told) => terminal.err(`${plain(told.run)} ${lineOf(told)}`),
    onLeft: () => undefined,
  });
  desk.engine.poke();
  terminal.err(`carrying on the runs in ${database}\n`);
  const stopRetiring = retireDaily({
    sql,
    clock: systemClock(),
    logs: desk.logs,
    forget: snapshotsBeside(database).forget,
    log: silent,
  });
  return {
    ...desk,
    close: async () => {
      await stopRetiring();
      await desk.close();
    },
  };
}

/** Carries every run of a workflow file on: what is answered, due, interrupted or orphaned, until SIGINT or SIGTERM. */
export async function up(options: WorkflowOptions): Promise<Answer> {
  const database = databaseOf(options);
  return await atWorkflows(options, "made", async (sql) => {
    const heard = hearInterrupt();
    const desk = await openAll(sql, database);
    await heard.interrupt;
    heard.stop();
    terminal.err("stopping: what is at work has a moment to end, and goes on at the next start\n");
    await desk.close();
    return { schema: "workflow-up/1", data: { database }, text: "", exit: exitCodes.ok };
  });
}
