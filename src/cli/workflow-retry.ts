import { systemClock } from "../adapters/clock.ts";
import { retryRun } from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import { Failure, type Answer } from "./output.ts";
import type { WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, runNamed } from "./workflow-desk.ts";

/** Lets a failed task of a run be tried again. */
export async function retry(
  text: string,
  task: string | undefined,
  options: WorkflowOptions,
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    if (row.source === undefined)
      throw new Failure(
        exitCodes.usage,
        `${row.id} is a run of a ticket: retry the ticket, \`forgehand retry ${row.id.slice(0, row.id.lastIndexOf("/"))}\``,
      );
    if (row.status === "finished" || row.status === "cancelled")
      throw new Failure(
        exitCodes.usage,
        `${row.id} is ${row.status}; do a part of it again with \`forgehand rewind ${row.id} --frame N\``,
      );
    const retried = await sql.commit(() => retryRun(row.id, task, systemClock().now()));
    if (retried === "at work")
      throw new Failure(
        exitCodes.locked,
        `${row.id} is at work, and its tasks are tried again by themselves; \`forgehand why ${row.id}\` tells when`,
      );
    if (retried === "nothing failed")
      throw new Failure(
        exitCodes.usage,
        task === undefined
          ? `no task of ${row.id} ended it by failing${row.error === undefined ? "" : ` (${row.error})`}; go back with \`forgehand rewind ${row.id} --frame N\``
          : `"${task}" of ${row.id} has not failed; see \`forgehand inspect ${row.id}\``,
      );
    const what = retried.leaves.length === 0 ? "what waited" : retried.leaves.join(" and ");
    return {
      schema: "retry/1",
      data: { run: row.id, leaves: retried.leaves },
      text: `${what} of ${row.id} is tried again`,
      hint: `forgehand resume ${row.id}`,
    };
  });
}
