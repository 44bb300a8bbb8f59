import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pino } from "pino";
import {
  readEnvironment,
  requireGitHub,
  usualDrainMinutes,
  type Environment,
} from "../config-environment.ts";
import { openLogFile } from "../adapters/logs/log-file.ts";
import { systemClock } from "../adapters/clock.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import { runtimeAgents } from "./agents.ts";
import { ownLinearRules } from "./linear-rules.ts";
import { envelope, fail, print, terminal } from "./output.ts";
import { ownPrices } from "./prices.ts";
import { serverBundles } from "./servers.ts";
import { databaseProblem, troubleProblem } from "./trouble.ts";
import { databaseOf } from "./workflow-desk.ts";

interface UpOptions {
  readonly database?: string | undefined;
  readonly json?: true | undefined;
}

/** Serves until SIGTERM or SIGINT. */
export async function up(options: UpOptions): Promise<void> {
  try {
    // Heard from the start: a signal that comes while everything opens is answered as soon as it is open.
    const signals = listen();
    if (options.database === undefined && isOnlyWorkflows()) {
      const { up: carry } = await import("./workflow-up.ts");
      terminal.err(
        "no GitHub App is set, so no tickets are served (`forgehand doctor` says what is missing)\n",
      );
      print(await carry({}), options);
      process.exit();
    }
    const environment = settle(options);
    const log = pino({ level: environment.logLevel, base: null }, logPlace(environment));
    const forgehand = await open(environment, log);
    const webhooks = `${forgehand.url}/webhooks/github`;
    if (options.json === true)
      terminal.out(envelope("up/1", { url: forgehand.url, webhooks, database: environment.database }));
    else
      terminal.err(
        `forgehand serves at ${forgehand.url} (webhooks: ${webhooks}), database ${environment.database}\n`,
      );
    const { carryAll } = await import("./workflow-up.ts");
    const runs = carryAll(databaseOf({}));
    await signals.first;
    terminal.err("draining: runs go on, nothing new starts; signal again to interrupt them\n");
    const drainMs = (environment.drainMinutes ?? usualDrainMinutes) * 60_000;
    const hurry = signals.second.then(() => forgehand.stop(0));
    await Promise.all([Promise.race([forgehand.stop(drainMs), hurry]), runs.close()]);
    process.exit(0);
  } catch (error) {
    fail(error, { ...options, schema: "up/1" });
    process.exit();
  }
}

/**
 * To stderr, for stdout is for data; or to a file that is opened anew on SIGHUP, for whoever turns it himself. A service is
 * not ended by that signal, as a program in a terminal is that was closed.
 */
function logPlace({ logFile }: Environment): pino.DestinationStream {
  if (logFile === undefined) {
    if (!process.stdin.isTTY) process.on("SIGHUP", () => undefined);
    return pino.destination(2);
  }
  const file = openLogFile({ path: resolve(logFile), clock: systemClock(), instead: terminal.err });
  process.on("SIGHUP", file.reopen);
  return file;
}

/** Nothing of a GitHub App is set, and workflows have run in this folder. */
function isOnlyWorkflows(): boolean {
  const { github } = readEnvironment(process.env, (path) => readFileSync(path, "utf8"));
  return github === undefined && existsSync(databaseOf({}));
}

/** Paths are kept in the database, where other commands look them up from other folders: they are made absolute. */
function settle(options: UpOptions): Environment {
  const read = readEnvironment(process.env, (path) => readFileSync(path, "utf8"));
  requireGitHub(read);
  return {
    ...read,
    database: resolve(options.database ?? read.database),
    dataDir: resolve(read.dataDir),
  };
}

async function open(environment: Environment, log: pino.Logger): Promise<Forgehand> {
  try {
    const bundles = serverBundles(environment);
    const prices = ownPrices(environment);
    const linearRules = ownLinearRules(environment);
    const agents = runtimeAgents(environment);
    return await openForgehand({ environment, agents, bundles, prices, linearRules, log });
  } catch (error) {
    throw (
      troubleProblem(error, requireGitHub(environment)) ??
      databaseProblem(error, environment.database) ??
      error
    );
  }
}

/** The first signal drains, a second one does not wait; further ones change nothing. */
function listen(): { readonly first: Promise<void>; readonly second: Promise<void> } {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let heard = 0;
  const hear = (): void => {
    heard += 1;
    (heard === 1 ? first : second).resolve();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, hear);
  return { first: first.promise, second: second.promise };
}
