/** The sessions of a run's agents, and one of its tasks with what it was given and gave. */
import { placeOf, readMemory, saidBy, type Frame } from "../../engine/index.ts";
import type { RunSession, RunTask, TaskAttempt } from "../../ports-dashboard-runs.ts";
import { ticketBehind } from "../../state-machine/ticket-id.ts";
import { shown } from "../../untrusted.ts";
import type { Workshop } from "../workshop.ts";
import type { RunDesk } from "./run-desk.ts";
import { statusOf } from "./run-tree.ts";

/** Shown of one value; the JSON of the page has no more. */
const longestJson = 20_000;
const longestPrompt = 20_000;
/** Sessions and tries of one task that are shown, the newest. */
const mostSessions = 200;
const mostTries = 20;
/** Lines of a transcript before its prompt. */
const linesToPrompt = 5;

/** JSON as people read it, and no more than so much of it. */
export function jsonOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value, null, 2) ?? "null";
  return shown(
    text.length > longestJson
      ? `${text.slice(0, longestJson)}\n… ${text.length - longestJson} more characters`
      : text,
  );
}

/** Whoever worked in it: the sessions on the bill of a ticket, or the attempts that had an agent. */
export async function sessionsIn(
  store: Workshop["store"],
  run: string,
  frames: readonly Frame[],
): Promise<readonly RunSession[]> {
  if (ticketBehind(run) === undefined)
    return frames.flatMap((frame) => fromAttempt(frame) ?? []).slice(-mostSessions);
  const rows = await store.sessionsOfRun(run, mostSessions);
  return rows.map((row) => {
    const [, leaf, iteration = "", attempt] =
      /^(.{1,300}?)@([\d.]{0,50})#(\d{1,6})/u.exec(row.key.slice(run.length + 1)) ?? [];
    return {
      name: String(row.id),
      task: leaf === undefined ? undefined : placeOf({ leaf, iteration }),
      attempt: attempt === undefined ? undefined : Number(attempt),
      role: row.role,
      runtime: row.runtime,
      model: row.model ?? undefined,
      inputTokens: row.inputTokens,
      outputTokens: row.outputTokens,
      usd: row.usd,
      usdIsGuess: row.pricedBy === "guess",
      startedAt: row.startedAt,
      endedAt: row.endedAt ?? undefined,
      outcome: row.outcome ?? undefined,
    };
  });
}

function fromAttempt(frame: Frame): RunSession | undefined {
  const known = readMemory(frame.memory);
  return (
    known && {
      name: `a${frame.seq}`,
      task: placeOf(frame),
      attempt: frame.attempt,
      role: frame.leaf,
      runtime: known.agent,
      model: known.models.at(-1),
      inputTokens: known.usage.inputTokens,
      outputTokens: known.usage.outputTokens,
      usd: known.usage.usd,
      usdIsGuess: false,
      startedAt: frame.startedAt,
      endedAt: frame.endedAt,
      outcome: frame.endedAt === undefined ? undefined : frame.status,
    }
  );
}

export interface TaskParts {
  readonly store: Workshop["store"];
  readonly desk: RunDesk;
}
/** Undefined where it has not begun by this frame. */
export async function taskOf(
  parts: TaskParts,
  task: string,
  frames: readonly Frame[],
  sessions: readonly RunSession[],
): Promise<RunTask | undefined> {
  const own = frames.filter((frame) => placeOf(frame) === task).slice(-mostTries);
  if (own.length === 0) return undefined;
  const attempts = await Promise.all(
    own.map(async (frame): Promise<TaskAttempt> => {
      const theirs = sessions.filter(
        (one) => one.task === task && (one.attempt === undefined || one.attempt === frame.attempt),
      );
      const prompt = await promptOf(parts, frame.seq, theirs);
      return {
        frame: frame.number,
        attempt: frame.attempt,
        status: statusOf(frame),
        startedAt: frame.startedAt,
        endedAt: frame.endedAt,
        dueAt: frame.dueAt,
        error: frame.error === undefined ? undefined : shown(frame.error.slice(0, longestJson)),
        output: jsonOf(frame.output),
        effect: frame.effect,
        folder: frame.folder,
        prompt: prompt === undefined ? undefined : shown(prompt.slice(0, longestPrompt)),
        sessions: theirs,
      };
    }),
  );
  return { task, attempts };
}

/** As its transcript has it, or the log of its session. */
async function promptOf(
  { store, desk }: TaskParts,
  seq: number,
  [session]: readonly RunSession[],
): Promise<string | undefined> {
  const said = await desk.sql.read(() => saidBy(seq, linesToPrompt));
  const told = said.find(({ kind }) => kind === "prompt")?.text;
  if (told !== undefined || session === undefined) return told;
  const path = (await store.sessionById(Number(session.name)))?.logPath ?? undefined;
  const log = path === undefined ? undefined : await desk.readLog(path, 0);
  return log?.lines.find(({ type }) => type === "prompt")?.text;
}
