import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pino } from "pino";
import { readEnvironment, requireGitHub, type Environment } from "../config-environment.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import { runtimeAgents } from "./agents.ts";
import { envelope, fail, terminal } from "./output.ts";
import { troubleProblem } from "./trouble.ts";

/** How long runs may go on after SIGTERM before they are interrupted; a second signal does not wait. */
const drainMs = 30 * 60_000;

interface UpOptions {
  readonly database?: string | undefined;
  readonly json?: true | undefined;
}

/** Serves until SIGTERM or SIGINT. */
export async function up(options: UpOptions): Promise<void> {
  try {
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
    await signalled();
    terminal.err("draining: runs go on, nothing new starts; signal again to interrupt them\n");
    const hurry = signalled().then(() => forgehand.stop(0));
    await Promise.race([forgehand.stop(drainMs), hurry]);
    process.exit(0);
  } catch (error) {
    fail(error, { ...options, schema: "up/1" });
    process.exit();
  }
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
    return await openForgehand({ environment, agents: runtimeAgents(environment), log });
  } catch (error) {
    throw troubleProblem(error, requireGitHub(environment)) ?? error;
  }
}

const signalled = (): Promise<void> =>
  new Promise((resolveSignal) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolveSignal());
  });
