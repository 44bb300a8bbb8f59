/** Takes an agent's session over in this terminal, in its folder, and hands it back. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import {
  disown,
  pauseRun,
  runById,
  sessionsIn,
  unpauseRun,
  type RunRow,
  type Session,
} from "../engine/index.ts";
import { exitCodes } from "../problems.ts";
import type { Sql } from "../sql.ts";
import { ownSettings } from "./own-settings.ts";
import { orphansEnder } from "./orphans.ts";
import { Failure, terminal, type Answer } from "./output.ts";
import { databaseOf, type WorkflowOptions } from "./workflow-database.ts";
import { atWorkflows, runNamed } from "./workflow-desk.ts";

/** How long a process may take to end what it had at work. */
const patienceMs = 90_000;
const lookMs = 100;

/** Holds a run: what is at work ends, nothing begins, until `resume`. */
export async function pause(text: string, options: WorkflowOptions): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    await hold(sql, row, databaseOf(options));
    return {
      schema: "pause/1",
      data: { run: row.id },
      text: `${row.id} is held`,
      hint: `forgehand resume ${row.id}`,
    };
  });
}

/** Opens the agent's own program on its session; when it ends, the run may go on from there. */
export async function attach(
  text: string,
  task: string | undefined,
  options: WorkflowOptions & { readonly print?: boolean | undefined },
): Promise<Answer> {
  return await atWorkflows(options, "there", async (sql) => {
    const row = await runNamed(sql, text);
    const session = await sessionOf(sql, row, task);
    const [program = "", ...argv] = commandFor(session);
    const folder = session.folder ?? row.folder ?? process.cwd();
    const line = `cd ${quoted(folder)} && ${[program, ...argv].map(quoted).join(" ")}`;
    const data = { run: row.id, leaf: session.leaf, agent: session.agent, session: session.session, folder };
    if (options.print === true) return { schema: "attach/1", data, text: line };
    if (!existsSync(folder)) {
      throw new Failure(
        exitCodes.notFound,
        `the folder of "${session.leaf}" is gone: ${folder}; go back before it with \`forgehand rewind ${row.id} --frame N\``,
      );
    }
    if (row.settledAt === undefined) await hold(sql, row, databaseOf(options));
    terminal.err(`${row.id} is held while you work in ${folder}; end the session to hand it back\n`);
    const code = await talk(program, argv, folder);
    if (row.settledAt === undefined) await sql.commit(() => unpauseRun(row.id));
    return {
      schema: "attach/1",
      data: { ...data, ended: code ?? null },
      text: `${row.id} may go on: "${session.leaf}" continues in the session you worked in`,
      hint: `forgehand resume ${row.id}`,
    };
  });
}

async function sessionOf(sql: Sql, row: RunRow, task: string | undefined): Promise<Session> {
  const sessions = await sql.read(() => sessionsIn(row.id));
  const found = sessions.findLast(({ leaf }) => task === undefined || leaf === task);
  if (found !== undefined) return found;
  throw new Failure(
    exitCodes.notFound,
    task === undefined
      ? `no agent of ${row.id} has a session to take over; see \`forgehand inspect ${row.id}\``
      : `"${task}" of ${row.id} has no agent's session; those who have: ${[...new Set(sessions.map(({ leaf }) => leaf))].join(", ") || "none"}`,
  );
}

/** How each agent opens a session of its own for a person. */
function commandFor({ agent, session, leaf }: Session): readonly string[] {
  const { runtimes } = ownSettings();
  if (agent === "claude-code") return [runtimes["claude-code"], "--resume", session];
  if (agent === "codex") return [runtimes.codex, "resume", session];
  throw new Failure(
    exitCodes.usage,
    `${agent}, which works on "${leaf}", cannot be taken over in a terminal; read it with \`forgehand chat\``,
  );
}

/** Nobody works on it any more when this returns. */
async function hold(sql: Sql, row: RunRow, database: string): Promise<void> {
  const clock = systemClock();
  if (!(await sql.commit(() => pauseRun(row.id, clock.now()))))
    throw new Failure(exitCodes.usage, `${row.id} is ${row.status}: there is nothing to hold`);
  const end = clock.now() + patienceMs;
  for (;;) {
    const now = await sql.read(() => runById(row.id));
    if (now?.owner === undefined) return;
    if (isDead(now.owner)) {
      await orphansEnder(database)([row.id]);
      await sql.commit(() => disown([row.id]));
      return;
    }
    if (clock.now() > end) {
      throw new Failure(
        exitCodes.locked,
        `process ${now.owner.pid} has not let go of ${row.id} yet; it is held: try again in a while`,
      );
    }
    await clock.until(clock.now() + lookMs);
  }
}

/** The agent's program on this terminal, without what forgehand itself was told. */
async function talk(program: string, argv: readonly string[], folder: string): Promise<number | null> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("FORGEHAND_")),
  );
  // An interrupt is for the program that has the terminal.
  const leave = (): void => undefined;
  process.on("SIGINT", leave);
  return await new Promise<number | null>((resolve, reject) => {
    const child = spawn(program, argv, { cwd: folder, env, stdio: "inherit" });
    child.once("error", (error) =>
      reject(
        new Failure(exitCodes.notFound, `${program} cannot be started: ${error.message}`, { cause: error }),
      ),
    );
    child.once("close", resolve);
  }).finally(() => process.removeListener("SIGINT", leave));
}

const quoted = (word: string): string =>
  /^[\w./:=@-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
