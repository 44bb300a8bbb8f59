/** What a run of a workflow did, as its summary tells it: from its rows alone. */
import { historyOf, saidIn, usedIn, type RunRow } from "../engine/index.ts";
import type { Told } from "../shell/summaries.ts";
import type { Sql } from "../sql.ts";

export async function workflowStory(sql: Sql, row: RunRow): Promise<Told> {
  const settledAt = row.settledAt ?? row.createdAt;
  const [spoken, used, history] = await Promise.all([
    sql.read(() => saidIn(row.id)),
    sql.read(() => usedIn(row.id)),
    sql.read(() => historyOf(row.id)),
  ]);
  const heard = spoken
    .filter(({ agent }) => agent !== undefined)
    .flatMap(({ lines }) => lines.filter(({ kind }) => kind !== "prompt" && kind !== "usage"));
  const failed = history.findLast(({ status }) => status === "failed");
  return {
    story: {
      workflow: row.workflow,
      ended: row.status === "finished" || row.status === "failed" ? row.status : "cancelled",
      tookMs: settledAt - row.createdAt,
      end:
        row.error ?? endOf(row, failed === undefined ? undefined : `${failed.leaf}: ${failed.error ?? ""}`),
      sessions: spoken.flatMap(({ leaf, agent, models }) =>
        agent === undefined
          ? []
          : { role: leaf, by: models.length === 0 ? agent : `${agent} (${models.join(", ")})` },
      ),
      tools: heard.flatMap(({ kind, text }) => (kind === "tool" ? text : [])),
      folder: row.folder,
      checks: [],
      inputTokens: used.inputTokens,
      outputTokens: used.outputTokens,
      usd: used.usd,
      usdIsGuess: false,
    },
    words: heard.map(({ kind, text }) => `${kind}: ${text}`),
  };
}

function endOf({ outcome, output, status }: RunRow, failed: string | undefined): string | undefined {
  if (status === "failed") return failed;
  if (outcome !== undefined && outcome !== "met") return outcome;
  return output === undefined ? undefined : JSON.stringify(output);
}
