import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pino } from "pino";
import { findPlace } from "../adapters/local/place.ts";
import { formerDataDir, readEnvironment, requireGitHub, type Environment } from "../config-environment.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import { runtimeAgents } from "./agents.ts";
import { ownLinearRules } from "./linear-rules.ts";
import { envelope, fail, print, terminal } from "./output.ts";
import { ownPrices } from "./prices.ts";
import { serverBundles } from "./servers.ts";
import { databaseProblem, troubleProblem } from "./trouble.ts";
import { databaseOf } from "./workflow-desk.ts";
import type { Signals } from "./local-up.ts";
import type { LocalRepository } from "./local-repository.ts";
import { readSettings } from "./local-place.ts";

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
    const signals = listen();
    tellFormerFolder();
    if (options.database === undefined && !isApp()) {
      const local = await localHere();
      if (local !== undefined) {
        const { upLocal } = await import("./local-up.ts");
        await upLocal(local, signals, { ...options, drainMs });
        process.exit();
      }
    }
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

const isApp = (): boolean => readSettings(process.env).github !== undefined;

/** Nothing of a GitHub App is set, and workflows have run in this folder. */
const isOnlyWorkflows = (): boolean => !isApp() && existsSync(databaseOf({}));

/** The repository around this folder, where it has tickets of its own. */
async function localHere(): Promise<LocalRepository | undefined> {
  const place = findPlace(process.cwd());
  if (place?.top === undefined) return undefined;
  const { hasTickets, openRepository } = await import("./local-repository.ts");
  const repository = openRepository(process.env, process.cwd());
  return hasTickets(repository) ? repository : undefined;
}

/** Whoever has a database where it used to lie keeps it, and learns where others lie. */
function tellFormerFolder(): void {
  const { dataDir } = readSettings(process.env);
  if (dataDir !== formerDataDir || process.env["FORGEHAND_DATA_DIR"] !== undefined) return;
  terminal.err(
    `using ${resolve(dataDir)}, where a database lies already; set FORGEHAND_DATA_DIR=${resolve(dataDir)} to keep it so from any folder, or move it to the folder for state that \`forgehand help environment\` names\n`,
  );
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
function listen(): Signals {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let heard = 0;
  const hear = (): void => {
    heard += 1;
    (heard === 1 ? first : second).resolve();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, hear);
  return { first: first.promise, second: second.promise };
}
