import { systemClock } from "../adapters/clock.ts";
import { exitCodes } from "../problems.ts";
import { retireDaily } from "../shell/retention.ts";
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

/** Old runs give up what they kept without a word. */
const silent = { info: () => undefined, error: () => undefined };

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
    const stopRetiring = retireDaily({ sql, clock: systemClock(), logDir: undefined, log: silent });
    desk.engine.poke();
    terminal.err(`carrying on the runs in ${database}; interrupt to stop\n`);
    await heard.interrupt;
    heard.stop();
    terminal.err("stopping: what is at work has a moment to end, and goes on at the next start\n");
    await stopRetiring();
    await desk.close();
    return { schema: "workflow-up/1", data: { database }, text: "", exit: exitCodes.ok };
  });
}
