/** What bootstrap works with on this host: a folder of its own that goes with it, and words for what went wrong. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "../adapters/clock.ts";
import { readEnvironment, type Environment } from "../config-environment.ts";
import { secretValues } from "../config-secrets.ts";
import { Trouble, type Clock } from "../ports.ts";
import { exitCodes, problemOf, type ExitCode } from "../problems.ts";
import { redactKnown } from "../secrets.ts";
import { Failure, oneLine, terminal } from "./output.ts";
import { ownEnvironment } from "./own-environment.ts";
import { troubleProblem } from "./trouble.ts";
import { hearInterrupt } from "./workflow-desk.ts";

export interface BootstrapDesk {
  /** Of the process alone: commands run with it, and what is in the settings file is not for them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly environment: Environment;
  readonly searchPath: string;
  readonly clock: Clock;
  /** Empty, private, and gone afterwards. */
  readonly dir: string;
  readonly redact: (text: string) => string;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What a killed run left is taken away by the first that comes a day later. */
const leftoverMs = 86_400_000;

export async function atDesk<Result>(work: (desk: BootstrapDesk) => Promise<Result>): Promise<Result> {
  const { env } = process;
  const told = ownEnvironment(env);
  const environment = readEnvironment(told, (path) => readFileSync(path, "utf8"));
  const clock = systemClock();
  const redact = redactKnown(secretValues(environment, told, new Map()));
  const dir = makeFolder(resolve(environment.dataDir, "bootstrap"), clock.now());
  const heard = hearInterrupt();
  const interrupt = new AbortController();
  void heard.interrupt.then(() => interrupt.abort());
  try {
    return await work({
      env,
      environment,
      searchPath: env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
      clock,
      dir,
      redact,
      tell: (line) => terminal.err(`${oneLine(redact(line))}\n`),
      signal: interrupt.signal,
    });
  } catch (error) {
    if (interrupt.signal.aborted)
      throw new Failure(exitCodes.cancelled, "it was interrupted; run the same command again", {
        cause: error,
      });
    throw failureOf(error, environment, redact);
  } finally {
    heard.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function makeFolder(root: string, now: number): string {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(root)) {
      const left = statSync(join(root, name), { throwIfNoEntry: false });
      if (left !== undefined && now - left.mtimeMs > leftoverMs)
        rmSync(join(root, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(root, "work-"));
  } catch (error) {
    if (problemOf(error)?.code === "database-full") throw error;
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Failure(
      exitCodes.permission,
      `${root} cannot be written (${why}). Name a folder that can: FORGEHAND_DATA_DIR=PATH forgehand bootstrap …`,
      { cause: error },
    );
  }
}

const exitsByCode: readonly (readonly [RegExp, ExitCode])[] = [
  [/forbidden|auth|owner|rejected/u, exitCodes.permission],
  [/gone|missing-repo/u, exitCodes.notFound],
  [/unavailable|rate-limited|network|moving/u, exitCodes.remote],
  [/missing|bare|unmerged|too-large/u, exitCodes.usage],
];

/** Trouble with the world in the words of the command line. */
function failureOf(error: unknown, { github }: Environment, redact: (text: string) => string): unknown {
  if (!(error instanceof Trouble)) return error;
  const problem = github === undefined ? undefined : troubleProblem(error, github);
  if (problem !== undefined) return problem;
  const exit = exitsByCode.find(([pattern]) => pattern.test(error.code))?.[1] ?? exitCodes.failed;
  return new Failure(exit, redact(error.message), { cause: error });
}
