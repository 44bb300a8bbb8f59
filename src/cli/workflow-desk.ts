/** The database that workflow runs of this folder live in, and the engine that carries one on in the foreground. */
import { existsSync } from "node:fs";
import { systemClock } from "../adapters/clock.ts";
import { isDead, thisProcess } from "../adapters/owner.ts";
import { runLogsBeside } from "../adapters/logs/log-paths.ts";
import { watchDatabase } from "../adapters/database-watch.ts";
import {
  historyOf,
  migrateEngine,
  NewerEngine,
  openEngine,
  runsLike,
  type Engine,
  type RunRow,
  type Told,
} from "../engine/index.ts";
import { exitCodes, type ExitCode } from "../problems.ts";
import { retireOfToday, type LogPlaces } from "../retention.ts";
import { openSqlite, type Sql } from "../sql.ts";
import { orphansEnder } from "./orphans.ts";
import { Failure, oneLine, plain, terminal } from "./output.ts";
import { databaseProblem } from "../problems-database.ts";
import { defaultDatabase, type WorkflowOptions } from "./workflow-database.ts";
import { makeFolder } from "./workflow-folder.ts";
import type { Library } from "./workflow-library.ts";
import { snapshotsBeside } from "../workflow-snapshots.ts";

/** How long the tasks at work may go on after an interrupt. */
const drainMs = 5_000;
/** Another process may carry this run on; only the database tells. */
const lookMs = 300;

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
    makeFolder(database);
    const sql = openSqlite(database);
    try {
      await migrateEngine(sql);
      return await work(sql);
    } finally {
      sql.close();
    }
  } catch (error) {
    if (error instanceof NewerEngine)
      throw new Failure(exitCodes.usage, `${database}: ${error.message}`, { cause: error });
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

/** An engine in this process that carries runs of workflow files on, hears what other processes say, and reloads edits. */
export interface Desk {
  readonly engine: Engine;
  readonly library: Library;
  /** Where its agents' logs lie. */
  readonly logs: LogPlaces;
  /** Lets what is at work go on for a while, interrupts it, and stops. */
  close(): Promise<void>;
}
export async function openDesk(
  sql: Sql,
  database: string,
  options: {
    readonly takes: (row: RunRow) => boolean;
    readonly onAttempt: (told: Told) => void;
    readonly onLeft: () => void;
  },
): Promise<Desk> {
  // Only what carries runs on needs a machine: commands that read start without it.
  const [{ openMachine }, { openLibrary }, { openSummaries }, { summaryVerbs }, { workflowStory }] =
    await Promise.all([
      import("./workflow-machine.ts"),
      import("./workflow-library.ts"),
      import("../shell/summaries.ts"),
      import("../ticket-summaries.ts"),
      import("./workflow-story.ts"),
    ]);
  const clock = systemClock();
  const { host, logBytes } = openMachine(database);
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const summaries = openSummaries({
    clock,
    log: quiet,
    ...summaryVerbs(sql),
    tell: (row) => workflowStory(sql, row),
    summariser: undefined,
  });
  const library = openLibrary(sql, (line) => terminal.err(`${plain(line)}\n`));
  const engine = openEngine({
    sql,
    clock,
    random: Math.random,
    owner: thisProcess(),
    isDead,
    workflows: [],
    workflowOf: library.workflowOf,
    checkDeterminism: true,
    log: { info: () => undefined, error: tellTrouble() },
    host,
    sweep: orphansEnder(database),
    ...options,
    onLeft: () => {
      summaries.poke();
      options.onLeft();
    },
  });
  library.reloadInto(engine);
  const unwatch = watchDatabase(database, () => sql.version(), engine.poke);
  return {
    engine,
    library,
    logs: { ticketLogs: undefined, runLogs: runLogsBeside(database), mostBytes: logBytes },
    close: async () => {
      unwatch();
      // A task that does not hear its signal may hold its run, not this command.
      await within(2 * drainMs, engine.down(drainMs));
      await summaries.stop();
      // What just ended; a full or busy disk may wait for the next one who looks.
      await summaries.write().catch(() => undefined);
      library.close();
    },
  };
}

/** Says what is wrong with the machine, once. What went wrong with an attempt is told by `onAttempt`. */
function tellTrouble(): (fields: object, message: string) => void {
  let told = "";
  return (fields, message) => {
    if (!("error" in fields) || !(fields.error instanceof Error)) return;
    const line = `${oneLine(message)}: ${oneLine(fields.error.message)}\n`;
    if (line !== told) terminal.err(line);
    told = line;
  };
}

/** Waits for something, but no longer than this. */
export async function within(ms: number, happens: Promise<void>): Promise<void> {
  const clock = systemClock();
  const patience = new AbortController();
  const over = clock.until(clock.now() + ms, patience.signal).catch(() => undefined);
  await Promise.race([happens, over]);
  patience.abort();
}

/** Carries one run on in this process until it ends, or only people can carry it on; follows it where another has it. */
export async function carryOn(sql: Sql, database: string, run: string): Promise<RunRow> {
  const heard = hearInterrupt();
  let wake: () => void = () => undefined;
  const desk = await openDesk(sql, database, {
    takes: ({ id }) => id === run,
    onAttempt: (told) => terminal.err(lineOf(told)),
    onLeft: () => wake(),
  });
  const { engine, library } = desk;
  const follow = openFollower(sql, run);
  try {
    for (;;) {
      const left = new Promise<void>((resolve) => (wake = resolve));
      engine.poke();
      const row = await runThere(engine, run);
      if (isLeft(row)) return row;
      if (isElsewhere(row, thisProcess())) await follow(row);
      else if (library.why(run) !== undefined && !engine.atWork().includes(run))
        throw new Failure(exitCodes.usage, `${run} is held: ${library.why(run) ?? ""}`);
      await within(lookMs, Promise.race([left, heard.interrupt]));
      if (heard.is()) break;
    }
  } finally {
    heard.stop();
    await desk.close();
    // A full or busy disk may wait until tomorrow; this run has its result.
    await retireOfToday(sql, systemClock().now(), desk.logs, snapshotsBeside(database).forget).catch(
      () => undefined,
    );
  }
  return await runThere(engine, run);
}

async function runThere(engine: Engine, run: string): Promise<RunRow> {
  const row = await engine.run(run);
  if (row === undefined) throw new Failure(exitCodes.notFound, `the run ${run} is gone`);
  return row;
}

/** Hears the first SIGINT or SIGTERM; the second ends the process as it would have. */
export function hearInterrupt(): {
  readonly interrupt: Promise<void>;
  is(): boolean;
  stop(): void;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  let heard = false;
  const stop = (): void => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.removeListener(signal, hear);
  };
  const hear = (): void => {
    heard = true;
    resolve();
    // Not at once: while a child runs, whoever ends it with us would find nobody else listening, and end us too.
    setImmediate(stop);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, hear);
  return { interrupt: promise, is: () => heard, stop };
}

/** Shows what another process does in a run. */
function openFollower(sql: Sql, run: string): (row: RunRow) => Promise<void> {
  const shown = new Map<string, string>();
  return async ({ owner }) => {
    if (shown.size === 0)
      terminal.err(
        `${run} is carried on by process ${owner?.pid ?? "?"} on ${owner?.host ?? "another host"}; following it\n`,
      );
    for (const one of await sql.read(() => historyOf(run))) {
      const key = `${one.leaf}@${one.iteration}#${one.attempt}`;
      if (shown.get(key) !== one.status) terminal.err(lineOf({ run, ...one }));
      shown.set(key, one.status);
    }
  };
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
const isLeft = ({ status, settledAt, wakeAt }: RunRow): boolean =>
  settledAt !== undefined || status === "paused" || (status === "waiting" && wakeAt === undefined);

const marks: Readonly<Record<Told["status"], string>> = {
  running: "▸",
  finished: "✓",
  failed: "✗",
  lost: "…",
  waiting: "⏸",
};
export function lineOf({ leaf, iteration, attempt, status, error }: Told): string {
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
