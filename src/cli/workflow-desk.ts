/** The database that workflow runs of this folder live in, and the engine that carries one on in the foreground. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { sweep } from "../adapters/agent-process.ts";
import { systemClock } from "../adapters/clock.ts";
import { isDead, thisProcess } from "../adapters/owner.ts";
import {
  migrateEngine,
  openEngine,
  runsLike,
  waitsOf,
  type AnyWorkflow,
  type RunRow,
  type Told,
  type Waits,
} from "../engine/index.ts";
import { exitCodes, type ExitCode } from "../problems.ts";
import { openSqlite, type Sql } from "../sql.ts";
import { Failure, oneLine, terminal } from "./output.ts";
import { databaseProblem } from "./trouble.ts";
import type { Machine } from "./workflow-machine.ts";

export interface WorkflowOptions {
  readonly database?: string | undefined;
  readonly json?: boolean | undefined;
}
export const defaultDatabase = ".forgehand/workflows.db";
/** How long the tasks at work may go on after an interrupt. */
const drainMs = 5_000;
/** Another process may answer or cancel this run; only the database tells. */
const lookMs = 1_000;

/** Opens the database, works on it and closes it. */
export async function atWorkflows<Result>(
  { database = defaultDatabase }: WorkflowOptions,
  wants: "made" | "there",
  work: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  if (wants === "there" && !existsSync(database)) {
    throw new Failure(
      exitCodes.notFound,
      `no workflow has run here: there is no ${database}. Start one with \`forgehand workflow run FILE\`, or name the database with --database PATH`,
    );
  }
  try {
    mkdirSync(dirname(database), { recursive: true });
    const sql = openSqlite(database);
    try {
      await migrateEngine(sql);
      return await work(sql);
    } finally {
      sql.close();
    }
  } catch (error) {
    throw databaseProblem(error, database) ?? error;
  }
}

/** The one run a person means by the beginning of its id, or by `latest`. */
export async function runNamed(sql: Sql, text: string): Promise<RunRow> {
  const found = await sql.read(() => runsLike(text === "latest" ? "" : text));
  const exact = found.find(({ id }) => id === text);
  const [first, second] = found;
  if (exact !== undefined) return exact;
  if (first === undefined) {
    throw new Failure(exitCodes.notFound, `no run is called "${text}"; see \`forgehand workflow ps\``);
  }
  if (second === undefined || text === "latest") return first;
  throw new Failure(
    exitCodes.usage,
    `"${text}" may be ${found.map(({ id }) => id).join(" or ")}: give more of it`,
  );
}

/** Carries one run on in this process until it ends, or only people can carry it on. */
export async function carryOn(
  sql: Sql,
  run: string,
  workflow: AnyWorkflow,
  { host, marks }: Machine,
): Promise<RunRow> {
  const clock = systemClock();
  let wake: () => void = () => undefined;
  const owner = thisProcess();
  const errors: string[] = [];
  const engine = openEngine({
    sql,
    clock,
    random: Math.random,
    owner,
    isDead,
    workflows: [workflow],
    checkDeterminism: true,
    takes: ({ id }) => id === run,
    log: { info: () => undefined, error: (_fields, message) => void errors.push(message) },
    host,
    sweep: (runs) => sweep(...runs.map(marks.of)),
    onAttempt: (told) => terminal.err(lineOf(told)),
    onLeft: () => wake(),
  });
  const within = async (ms: number, happens: Promise<void>): Promise<void> => {
    const patience = new AbortController();
    const over = clock.until(clock.now() + ms, patience.signal).catch(() => undefined);
    await Promise.race([happens, over]);
    patience.abort();
  };
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    wake();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupt);
  try {
    for (;;) {
      const left = new Promise<void>((resolve) => (wake = resolve));
      engine.poke();
      const before = await engine.run(run);
      if (before === undefined) throw new Failure(exitCodes.notFound, `the run ${run} is gone`);
      if (isElsewhere(before, owner)) {
        throw new Failure(
          exitCodes.locked,
          `${run} is carried on by process ${before.owner?.pid ?? "?"} on ${before.owner?.host ?? "another host"}`,
        );
      }
      if (await isLeft(sql, before)) return before;
      await within(lookMs, left);
      if (interrupted) break;
    }
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.removeListener(signal, interrupt);
    // A task that does not hear its signal may hold its run, not this command.
    await within(2 * drainMs, engine.down(drainMs));
  }
  const row = await engine.run(run);
  if (row === undefined) throw new Failure(exitCodes.notFound, `the run ${run} is gone`);
  return row;
}

const isElsewhere = (
  { status, owner }: RunRow,
  me: { readonly pid: number; readonly host: string },
): boolean =>
  status === "running" &&
  owner !== undefined &&
  !(owner.pid === me.pid && owner.host === me.host) &&
  !isDead(owner);

/** Over, or nothing but an answer carries it on. */
async function isLeft(sql: Sql, row: RunRow): Promise<boolean> {
  if (row.status === "finished" || row.status === "failed" || row.status === "cancelled") return true;
  if (row.status !== "waiting") return false;
  const waits = await sql.read(() => waitsOf(row.id));
  return (
    waits.some(({ ask }) => ask !== undefined) &&
    waits.every(({ dueAt, ask }) => ask !== undefined && dueAt === undefined)
  );
}

const marks: Readonly<Record<Told["status"], string>> = {
  running: "▸",
  finished: "✓",
  failed: "✗",
  lost: "…",
  waiting: "⏸",
};
function lineOf({ leaf, iteration, attempt, status, error }: Told): string {
  const where = iteration === "" ? leaf : `${leaf} (iteration ${iteration})`;
  const again = attempt > 1 ? `, attempt ${attempt}` : "";
  return `${marks[status]} ${oneLine(where)}${again}${error === undefined ? "" : `: ${oneLine(error).slice(0, 300)}`}\n`;
}

/** What the process ends with: the outcome where there is one, else the state. */
export function exitOf({ status, outcome }: RunRow): ExitCode {
  if (outcome === "met") return exitCodes.ok;
  if (outcome === "not met" || outcome === "compensated") return exitCodes.notMet;
  if (outcome === "unknown") return exitCodes.unknown;
  if (status === "failed") return exitCodes.failed;
  if (status === "cancelled") return exitCodes.cancelled;
  return exitCodes.waiting;
}

/** The line to type for each thing that waits for somebody. */
export function unblocking(run: string, waits: readonly Waits[]): readonly string[] {
  return waits.flatMap(({ leaf, ask }) => {
    const to = `forgehand workflow answer ${run} ${leaf}`;
    switch (ask?.is) {
      case undefined:
        return [];
      case "approve":
        return [`forgehand workflow approve ${run} ${leaf}`, `forgehand workflow deny ${run} ${leaf}`];
      case "choose":
        return [`${to} '${JSON.stringify({ choice: ask.options[0] ?? "" })}'`];
      case "rank":
        return [`${to} '${JSON.stringify({ order: ask.options })}'`];
      case "question":
      case "signal":
        return [`${to} 'JSON'   # ${JSON.stringify(ask.schema)}`];
    }
  });
}
