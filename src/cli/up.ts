import { readFileSync } from "node:fs";
import { pino } from "pino";
import { readEnvironment } from "../config-environment.ts";
import { openForgehand } from "../main.ts";
import { runtimeAgents } from "./agents.ts";
import { fail, terminal } from "./output.ts";

/** How long runs may go on after SIGTERM before they are interrupted; a second signal does not wait. */
const drainMs = 30 * 60_000;

/** Serves until SIGTERM or SIGINT. */
export async function up(options: { readonly database?: string | undefined }): Promise<void> {
  try {
    const read = readEnvironment(process.env, (path) => readFileSync(path, "utf8"));
    const environment = options.database === undefined ? read : { ...read, database: options.database };
    // Logs go to stderr: stdout is for data.
    const log = pino({ level: environment.logLevel, base: null }, pino.destination(2));
    const forgehand = await openForgehand({ environment, agents: runtimeAgents(environment), log });
    terminal.err(`forgehand serves at ${forgehand.url} (webhooks: ${forgehand.url}/webhooks/github), database ${environment.database}\n`);
    await signalled();
    terminal.err("draining: runs go on, nothing new starts; signal again to interrupt them\n");
    const hurry = signalled().then(() => forgehand.stop(0));
    await Promise.race([forgehand.stop(drainMs), hurry]);
    process.exit(0);
  } catch (error) {
    fail(error, { schema: "up/1" });
    process.exit(process.exitCode ?? 1);
  }
}

const signalled = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
