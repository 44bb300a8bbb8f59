import { logPath, runLogFolder } from "../adapters/logs/log-paths.ts";
import { readSessionLog } from "../adapters/logs/session-log-reader.ts";
import { saidIn, usageInWords, usedIn, type Spoken } from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import { bold, Failure, oneLine, type Answer } from "./output.ts";
import { transcriptOf, type Told } from "../transcript.ts";
import { toldLine } from "./transcript.ts";
import { databaseOf, type WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, runNamed } from "./workflow-desk.ts";

/** What the agents of a run were asked, said and did, oldest first; with a task's name, what that task said. */
export async function chat(
  text: string,
  options: WorkflowOptions & { readonly task?: string | undefined },
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    const spoken = await sql.read(() => saidIn(row.id));
    const used = await sql.read(() => usedIn(row.id));
    const { task } = options;
    const folder = runLogFolder(databaseOf(options), row.id);
    const shown = spoken
      .map((one) => withAnswers(one, row.id, folder))
      .filter((one) => (task === undefined ? one.agent !== undefined : one.leaf === task));
    if (shown.length === 0 && task !== undefined) {
      const leaves = [...new Set(spoken.map(({ leaf }) => leaf))];
      throw new Failure(
        exitCodes.notFound,
        `"${task}" has said nothing in ${row.id}; ${leaves.length === 0 ? "nobody has" : `those who have: ${leaves.join(", ")}`}`,
      );
    }
    const nobody = `no agent has worked in ${row.id} yet; see \`forgehand workflow inspect ${row.id}\``;
    return {
      schema: "workflow-chat/1",
      data: { run: row.id, used: { ...used, usd: used.usd ?? null }, attempts: shown.map(dataOf) },
      text: shown.length === 0 ? nobody : shown.map(partOf).join("\n\n"),
      ...(shown.some(({ agent }) => agent !== undefined)
        ? { hint: `the agents of ${row.id} have used ${usageInWords(used)}` }
        : {}),
    };
  });
}

/** The same with what its tools answered, as far as what the runtime said is still kept. */
function withAnswers(spoken: Spoken, run: string, folder: string): Heard {
  const { leaf, iteration, attempt, lines } = spoken;
  const raw = readSessionLog(logPath(folder, `${run}/${leaf}@${iteration}#${attempt}`));
  // Both are in order; the sort leaves it so where two are of one instant.
  const told = [...lines, ...transcriptOf(raw?.lines ?? [])].toSorted((one, other) => one.at - other.at);
  return { ...spoken, lines: told };
}
type Heard = Omit<Spoken, "lines"> & { readonly lines: readonly Told[] };

const dataOf = ({ startedAt, agent, session, error, lines, ...spoken }: Heard) => ({
  ...spoken,
  startedAt: new Date(startedAt).toISOString(),
  agent: agent ?? null,
  session: session ?? null,
  error: error ?? null,
  lines: lines.map(({ at, kind, text }) => ({ at: new Date(at).toISOString(), kind, text })),
});

/** One attempt: who, where, and then each line under what it is. */
function partOf({ leaf, iteration, attempt, agent, models, status, error, startedAt, lines }: Heard): string {
  const where = iteration === "" ? leaf : `${leaf} (iteration ${iteration})`;
  const who = agent === undefined ? "" : `, ${agent}${models.length === 0 ? "" : ` on ${models.join(", ")}`}`;
  const when = new Date(startedAt).toISOString().slice(0, 19).replace("T", " ");
  return [
    bold(oneLine(`── ${where}, attempt ${attempt}${who}, ${status}, ${when} UTC`)),
    ...lines.map(toldLine),
    ...(error === undefined ? [] : [toldLine({ at: 0, kind: "failed", text: error })]),
  ].join("\n");
}
