import { exitCodes } from "../problems.ts";
import type { Answer } from "./output.ts";
import { plain, terminal } from "./output.ts";
import {
  atWorkflows,
  databaseOf,
  hearInterrupt,
  lineOf,
  openDesk,
  type WorkflowOptions,
} from "./workflow-desk.ts";

/** Carries every run of a workflow file on: what is answered, due, interrupted or orphaned, until SIGINT or SIGTERM. */
export async function up(options: WorkflowOptions): Promise<Answer> {
  const database = databaseOf(options);
  return await atWorkflows(options, "made", async (sql) => {
    const heard = hearInterrupt();
    const desk = openDesk(sql, database, {
      takes: ({ source }) => source !== undefined,
      onAttempt: (told) => terminal.err(`${plain(told.run)} ${lineOf(told)}`),
      onLeft: () => undefined,
    });
    desk.engine.poke();
    terminal.err(`carrying on the runs in ${database}; interrupt to stop\n`);
    await heard.interrupt;
    heard.stop();
    terminal.err("stopping: what is at work has a moment to end, and goes on at the next start\n");
    await desk.close();
    return { schema: "workflow-up/1", data: { database }, text: "", exit: exitCodes.ok };
  });
}
