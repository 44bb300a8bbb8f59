import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pino } from "pino";
import { systemClock } from "../adapters/clock.ts";
import { findPlace } from "../adapters/local/place.ts";
import { openLogFile } from "../adapters/logs/log-file.ts";
import type { Feed } from "../config-feed.ts";
import { formerDataDir, requireGitHub, usualDrainMinutes, type Environment } from "../config-environment.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import { updateDesk } from "../update/desk.ts";
import { versionsFolder } from "../update/state.ts";
import { ownVersion } from "../version.ts";
import { readTracing } from "../config-observability.ts";
import { ownEnvironment } from "./own-environment.ts";
import { ownSettings } from "./own-settings.ts";
import { runtimeAgents } from "./agents.ts";
import { awaitApp } from "./app-arrival.ts";
import { ownLinearRules } from "./linear-rules.ts";
import { envelope, fail, print, terminal } from "./output.ts";
import { ownPrices } from "./prices.ts";
import { hearSignals, tellServing } from "./supervised.ts";
import { serverBundles } from "./servers.ts";
import { databaseProblem } from "../problems-database.ts";
import { troubleProblem } from "./trouble.ts";
import { databaseOf } from "./workflow-database.ts";
import type { Signals } from "./local-up.ts";
import type { LocalRepository } from "./local-repository.ts";

interface UpOptions {
  readonly database?: string | undefined;
  readonly json?: true | undefined;
}

/** Serves until SIGTERM or SIGINT. */
export async function up(options: UpOptions): Promise<void> {
  try {
    // Heard from the start: a signal that comes while everything opens is answered as soon as it is open.
    const signals = hearSignals();
    tellFormerFolder();
    if (options.database === undefined && !isApp() && (await withoutApp(signals, options)) === "ended")
      process.exit();
    const environment = settle(options);
    const log = pino({ level: environment.logLevel, base: null }, logPlace(environment));
    const forgehand = await open(environment, log);
    tellServing({ url: forgehand.url, version: ownVersion() });
    const webhooks = `${forgehand.url}/webhooks/github`;
    if (options.json === true)
      terminal.out(
        envelope("up/1", {
          url: forgehand.url,
          webhooks,
          feed: environment.feed?.is ?? "webhook",
          database: environment.database,
        }),
      );
    else
      terminal.err(
        `forgehand serves at ${forgehand.url} (${newsInWords(environment.feed, webhooks)}), database ${environment.database}\n`,
      );
    const { carryAll } = await import("./workflow-up.ts");
    const runs = carryAll(databaseOf({}));
    await signals.first;
    terminal.err("draining: runs go on, nothing new starts; signal again to interrupt them\n");
    const drainMs = drainOf(environment);
    const hurry = signals.second.then(() => forgehand.stop(0));
    await Promise.all([Promise.race([forgehand.stop(drainMs), hurry]), runs.close()]);
    process.exit(0);
  } catch (error) {
    fail(error, { ...options, schema: "up/1" });
    process.exit();
  }
}

/** How long runs may go on after SIGTERM before they are interrupted; a second signal does not wait. */
const drainOf = ({ drainMinutes }: Environment): number => (drainMinutes ?? usualDrainMinutes) * 60_000;

function newsInWords(feed: Feed | undefined, webhooks: string): string {
  if (feed?.is === "pull") return "GitHub's news: asked for every few seconds, no public URL needed";
  if (feed?.is === "smee") return `GitHub's news: through ${feed.url}, whose operator can read them`;
  return `webhooks: ${webhooks}`;
}

const isApp = (): boolean => ownSettings().github !== undefined;

/**
 * Serves what needs no App: the tickets of this repository, the workflows of this folder. Goes on to the App as soon as
 * `forgehand init` has written one: what is at work may end first, as at a signal.
 */
async function withoutApp(signals: Signals, options: UpOptions): Promise<"ended" | "an App"> {
  const local = await localHere();
  const hasWorkflows = existsSync(databaseOf({}));
  if (local === undefined && !hasWorkflows) return "an App";
  const arrival = awaitApp(systemClock(), isApp, (line) => terminal.err(`${line}\n`));
  const first = Promise.race([signals.first, arrival.arrived]);
  if (local !== undefined) {
    const { upLocal } = await import("./local-up.ts");
    const drainMs = drainOf(ownSettings());
    await upLocal(local, { ...signals, first }, { ...options, drainMs });
  } else await upWorkflows(first);
  arrival.stop();
  if (!arrival.isHere()) {
    if (local === undefined)
      print({ schema: "workflow-up/1", data: { database: databaseOf({}) }, text: "" }, options);
    return "ended";
  }
  terminal.err("a GitHub App is set up now: going on with its tickets\n");
  return "an App";
}

async function upWorkflows(ended: Promise<void>): Promise<void> {
  const { carryAll } = await import("./workflow-up.ts");
  terminal.err(
    "no GitHub App is set, so no tickets are served (`forgehand init` sets one up; this process takes it up by itself)\n",
  );
  const runs = carryAll(databaseOf({}));
  await ended;
  terminal.err("stopping: what is at work has a moment to end, and goes on at the next start\n");
  await runs.close();
}

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
  const { dataDir } = ownSettings();
  if (dataDir !== formerDataDir || process.env["FORGEHAND_DATA_DIR"] !== undefined) return;
  terminal.err(
    `using ${resolve(dataDir)}, where a database lies already; set FORGEHAND_DATA_DIR=${resolve(dataDir)} to keep it so from any folder, or move it to the folder for state that \`forgehand help environment\` names\n`,
  );
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

/** Paths are kept in the database, where other commands look them up from other folders: they are made absolute. */
function settle(options: UpOptions): Environment {
  const read = ownSettings();
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
    const tracing = readTracing(ownEnvironment());
    return await openForgehand({ tracing, environment, agents, bundles, prices, linearRules, updates, log });
  } catch (error) {
    throw (
      troubleProblem(error, requireGitHub(environment)) ??
      databaseProblem(error, environment.database) ??
      error
    );
  }
}
