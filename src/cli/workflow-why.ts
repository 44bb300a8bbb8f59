import { existsSync } from "node:fs";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { definitionOf, historyOf, waitsOf, type Happened, type RunRow, type Waits } from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import { age } from "../says.ts";
import type { Sql } from "../sql.ts";
import { bold, oneLine, plain, type Answer } from "./output.ts";
import { unblocking } from "./unblocking.ts";
import type { WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, exitOf, runNamed } from "./workflow-desk.ts";

/** Why a run is where it is, and the exact line that carries it on. Never empty for a run that is not over. */
export async function why(text: string, options: WorkflowOptions): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    const waits = row.settledAt === undefined ? await sql.read(() => waitsOf(row.id)) : [];
    const attempts = await sql.read(() => historyOf(row.id));
    const file = await fileOf(sql, row);
    const isEdited = file.is === "edited";
    const reasons = reasonsOf(row, waits, attempts, systemClock().now());
    const next = nextOf(row, waits);
    const edited =
      file.is === "edited"
        ? [`its file was edited since: the difference is shown by \`forgehand workflow resume ${row.id}\``]
        : file.is === "broken"
          ? [`nobody can carry it on before its file is put right: ${plain(file.why)}`]
          : [];
    return {
      schema: "why/1",
      data: {
        run: row.id,
        status: row.status,
        outcome: row.outcome ?? null,
        reasons,
        next,
        edited: isEdited,
      },
      text: [
        `${bold(row.id)} ${row.workflow}: ${row.status}${row.outcome === undefined ? "" : `, ${row.outcome}`}`,
        ...[...reasons, ...edited].map((reason) => `Because ${reason}`),
        ...next.map((line) => `You can: ${line}`),
      ].join("\n"),
      exit:
        row.status === "waiting"
          ? exitCodes.waiting
          : row.settledAt === undefined
            ? exitCodes.ok
            : exitOf(row),
    };
  });
}

/** How its file stands to it; of a run that is over nobody asks. */
async function fileOf(
  sql: Sql,
  row: RunRow,
): Promise<{ readonly is: "same" | "edited" } | { readonly is: "broken"; readonly why: string }> {
  if (row.source === undefined || row.settledAt !== undefined) return { is: "same" };
  const { loadWorkflow, readDefinition } = await import("../adapters/workflows/file.ts");
  try {
    const before = await sql.read(() => definitionOf(row.id));
    // Reading it is quick, loading it is not.
    if (existsSync(row.source) && readDefinition(row.source).hash === before?.hash) return { is: "same" };
    const { editOf } = await import("./workflow-definition.ts");
    const edit = await editOf(sql, row, await loadWorkflow(row.source));
    return { is: edit === undefined ? "same" : "edited" };
  } catch (error) {
    return { is: "broken", why: error instanceof Error ? error.message : String(error) };
  }
}

function reasonsOf(
  row: RunRow,
  waits: readonly Waits[],
  attempts: readonly Happened[],
  now: number,
): readonly string[] {
  if (row.settledAt !== undefined)
    return [
      row.error === undefined
        ? `it is over since ${new Date(row.settledAt).toISOString()}`
        : oneLine(row.error),
    ];
  const atWork = attempts.filter(({ status }) => status === "running");
  const isOrphan = row.status === "running" && (row.owner === undefined || isDead(row.owner));
  const by = row.owner === undefined ? "" : ` by process ${row.owner.pid} on ${row.owner.host}`;
  return [
    ...(isOrphan ? [`the process that carried it on${by} is gone`] : []),
    ...(row.status === "paused" ? ["it is held until somebody resumes it"] : []),
    ...(row.status === "ready" ? ["nobody carries it on at the moment"] : []),
    ...(isOrphan
      ? []
      : atWork.map((one) => `${placeOf(one)} is at work for ${age(now - one.startedAt)}${by}`)),
    ...waits.map((wait) => {
      const since = age(now - wait.since);
      if (wait.ask !== undefined) {
        const again = wait.ask.again === undefined ? "" : ` (asked again: ${wait.ask.again})`;
        const auto = wait.dueAt === undefined ? "" : `, answered by itself in ${age(wait.dueAt - now)}`;
        return `${placeOf(wait)} waits for ${since} for an answer${auto}: ${oneLine(wait.ask.text)}${again}`;
      }
      const error = attempts.findLast(
        (one) => one.leaf === wait.leaf && one.iteration === wait.iteration,
      )?.error;
      const due = wait.dueAt === undefined ? "" : ` until ${new Date(wait.dueAt).toISOString()}`;
      return error === undefined
        ? `${placeOf(wait)} waits for time${due}`
        : `${placeOf(wait)} is tried again${due}; it failed: ${oneLine(error)}`;
    }),
  ];
}

const placeOf = ({ leaf, iteration }: { readonly leaf: string; readonly iteration: string }): string =>
  oneLine(iteration === "" ? leaf : `${leaf} (iteration ${iteration})`);

/** The lines that carry it on; an answer alone is enough where `up` runs. */
function nextOf(row: RunRow, waits: readonly Waits[]): readonly string[] {
  if (row.status === "failed") return [`forgehand retry ${row.id}`];
  if (row.settledAt !== undefined) return [];
  const isCarried = row.status === "running" && row.owner !== undefined && !isDead(row.owner);
  const resume = isCarried ? [] : [`forgehand resume ${row.id}   # or leave it to \`forgehand workflow up\``];
  return [...unblocking(row.id, waits), ...resume];
}
