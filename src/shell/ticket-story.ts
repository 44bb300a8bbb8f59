/** What a run of a ticket did, as the summary tells it. */
import type { Happened, RunRow } from "../engine/index.ts";
import type { LogLine } from "../session-logs.ts";
import { ticketOfRun } from "../state-machine/ticket.ts";
import type { SessionSummary } from "../store/sessions.ts";
import { checkSchema, treeSchema } from "../workflows/build-steps.ts";
import { reportSchema } from "../workflows/report.ts";
import type { Told } from "./summaries.ts";
import { textOf } from "./view.ts";
import type { Workshop } from "./workshop.ts";

export interface TicketStoryParts {
  readonly store: Pick<Workshop["store"], "sessionsOf" | "endSessionsOf">;
  readonly historyOf: (run: string) => Promise<readonly Happened[]>;
  /** The lines of these kinds that are kept of a session; undefined when they are gone. */
  readonly linesIn: (path: string, kinds: ReadonlySet<LogLine["type"]>) => readonly LogLine[] | undefined;
}

/** Reads the story of an ended run together. Sessions that nobody closed, because a signal or a crash came first, end with it. */
export async function ticketStory(
  { store, historyOf, linesIn }: TicketStoryParts,
  row: RunRow,
): Promise<Told> {
  const settledAt = row.settledAt ?? row.createdAt;
  await store.endSessionsOf(row.id, settledAt);
  const history = await historyOf(row.id);
  const sessions = (await store.sessionsOf(ticketOfRun(row.id))).filter(({ run }) => run === row.id);
  const heard = sessions.flatMap(({ logPath }) =>
    logPath === null ? [] : (linesIn(logPath, heardKinds) ?? []),
  );
  return {
    story: {
      workflow: row.workflow,
      ended: row.status === "finished" || row.status === "failed" ? row.status : "cancelled",
      tookMs: settledAt - row.createdAt,
      end: row.error ?? eventIn(row),
      sessions: sessions.map(({ role, ...session }) => ({ role, by: whoIn(session) })),
      tools: heard.flatMap(({ type, text }) => (type === "tool" ? text : [])),
      folder: history.flatMap(({ output }) => treeSchema.safeParse(output).data?.path ?? []).at(-1),
      checks: history.flatMap(({ leaf, output }) => {
        const green = /(?:^|\/)check$/u.test(leaf) ? checkSchema.safeParse(output).data?.green : undefined;
        return green === undefined ? [] : green ? "green" : "red";
      }),
      inputTokens: sessions.reduce((sum, one) => sum + one.inputTokens, 0),
      outputTokens: sessions.reduce((sum, one) => sum + one.outputTokens, 0),
      usd: sessions.reduce((sum, one) => sum + one.usd, 0),
      usdIsGuess: sessions.some(({ pricedBy }) => pricedBy === "guess"),
    },
    words: heard.map(({ type, text }) => `${type}: ${text}`),
  };
}

const heardKinds: ReadonlySet<LogLine["type"]> = new Set(["text", "tool", "waiting", "result"]);

const whoIn = ({ runtime, model }: Pick<SessionSummary, "runtime" | "model">): string =>
  model === null ? runtime : `${runtime} (${model})`;

/** The event a run reports, in plain words. */
function eventIn({ id, output }: RunRow): string | undefined {
  const report = reportSchema.safeParse((output as { event?: unknown } | undefined)?.event);
  return report.success ? textOf({ ...report.data, run: id }) : undefined;
}
