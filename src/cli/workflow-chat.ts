import { saidIn, usageInWords, usedIn, type Spoken } from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import { bold, dim, Failure, oneLine, plain, type Answer } from "./output.ts";
import { atWorkflows, runNamed, type WorkflowOptions } from "./workflow-desk.ts";

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
    const shown = spoken.filter((one) => (task === undefined ? one.agent !== undefined : one.leaf === task));
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

const dataOf = ({ startedAt, agent, session, error, lines, ...spoken }: Spoken) => ({
  ...spoken,
  startedAt: new Date(startedAt).toISOString(),
  agent: agent ?? null,
  session: session ?? null,
  error: error ?? null,
  lines: lines.map(({ at, kind, text }) => ({ at: new Date(at).toISOString(), kind, text })),
});

/** One attempt: who, where, and then each line under what it is. */
function partOf({
  leaf,
  iteration,
  attempt,
  agent,
  models,
  status,
  error,
  startedAt,
  lines,
}: Spoken): string {
  const where = iteration === "" ? leaf : `${leaf} (iteration ${iteration})`;
  const who = agent === undefined ? "" : `, ${agent}${models.length === 0 ? "" : ` on ${models.join(", ")}`}`;
  const when = new Date(startedAt).toISOString().slice(0, 19).replace("T", " ");
  return [
    bold(oneLine(`── ${where}, attempt ${attempt}${who}, ${status}, ${when} UTC`)),
    ...lines.map(({ kind, text }) => `${dim(kind.padEnd(8))}${indented(text)}`),
    ...(error === undefined ? [] : [`${dim("failed".padEnd(8))}${indented(error)}`]),
  ].join("\n");
}

const indented = (text: string): string => plain(text.trimEnd()).replaceAll("\n", "\n        ");
