import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pino } from "pino";
import { readEnvironment, requireGitHub, type Environment } from "../config-environment.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import { updateDesk } from "../update/desk.ts";
import { versionsFolder } from "../update/state.ts";
import { ownVersion } from "../version.ts";
import { systemClock } from "../adapters/clock.ts";
import { runtimeAgents } from "./agents.ts";
import { ownLinearRules } from "./linear-rules.ts";
import { envelope, fail, print, terminal } from "./output.ts";
import { ownPrices } from "./prices.ts";
import { hearSignals, tellServing } from "./supervised.ts";
import { serverBundles } from "./servers.ts";
import { databaseProblem, troubleProblem } from "./trouble.ts";
import { databaseOf } from "./workflow-desk.ts";

/** How long runs may go on after SIGTERM before they are interrupted; a second signal does not wait. */
const drainMs = 30 * 60_000;

interface UpOptions {
  readonly database?: string | undefined;
  readonly json?: true | undefined;
}

/** Serves until SIGTERM or SIGINT. */
export async function up(options: UpOptions): Promise<void> {
  try {
    // Heard from the start: a signal that comes while everything opens is answered as soon as it is open.
    const signals = hearSignals();
    if (options.database === undefined && isOnlyWorkflows()) {
      const { up: carry } = await import("./workflow-up.ts");
      terminal.err(
        "no GitHub App is set, so no tickets are served (`forgehand doctor` says what is missing)\n",
      );
      print(await carry({}), options);
      process.exit();
    }
    const environment = settle(options);
    // Logs go to stderr: stdout is for data.
    const log = pino({ level: environment.logLevel, base: null }, pino.destination(2));
    const forgehand = await open(environment, log);
    tellServing({ url: forgehand.url, version: ownVersion() });
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
    const hurry = signals.second.then(() => forgehand.stop(0));
    await Promise.all([Promise.race([forgehand.stop(drainMs), hurry]), runs.close()]);
    process.exit(0);
  } catch (error) {
    fail(error, { ...options, schema: "up/1" });
    process.exit();
  }
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
    const updates = updateDesk({
      folder: versionsFolder(environment.dataDir),
      version: ownVersion(),
      env: process.env,
      now: systemClock().now,
    });
    return await openForgehand({ environment, agents, bundles, prices, linearRules, updates, log });
  } catch (error) {
    throw (
      troubleProblem(error, requireGitHub(environment)) ??
      databaseProblem(error, environment.database) ??
      error
    );
  }
}
