/** `forgehand up --supervised`: a parent that starts what serves, and can put another version in its place. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { execa } from "execa";
import { pino } from "pino";
import { systemClock } from "../adapters/clock.ts";
import { usualDrainMinutes } from "../config-environment.ts";
import { exitCodes } from "../problems.ts";
import { launch } from "../update/launcher.ts";
import { versionsFolder } from "../update/state.ts";
import { ownVersion } from "../version.ts";
import { ownSettings } from "./own-settings.ts";
import { Failure, fail } from "./output.ts";
import { hearSignals } from "./supervised.ts";

/** Where npm itself would fetch a version; undefined where there is no npm to ask. */
async function registryOfNpm(): Promise<string | undefined> {
  const { stdout, failed } = await execa("npm", ["config", "get", "registry"], {
    reject: false,
    timeout: 20_000,
    stdin: "ignore",
  });
  return !failed && URL.canParse(stdout.trim()) ? stdout.trim().replace(/\/+$/u, "") : undefined;
}

/** A child that drains may take a moment longer than it was given. */
const slackMs = 2 * 60_000;
const settleMs = 5_000;

export interface SuperviseOptions {
  readonly database?: string | undefined;
  readonly json?: true | undefined;
  readonly healthSeconds: string;
}

export async function supervise(options: SuperviseOptions): Promise<void> {
  try {
    const signals = hearSignals();
    let tellChild = (): void => undefined;
    const hangUp = (): void => tellChild();
    process.on("SIGHUP", hangUp);
    const environment = ownSettings();
    // As below it: a program without a log file ends with the terminal that was closed, a service does not.
    if (process.stdin.isTTY && environment.logFile === undefined) process.off("SIGHUP", hangUp);
    const healthMs = secondsOf(options.healthSeconds) * 1_000;
    const drainMs = (environment.drainMinutes ?? usualDrainMinutes) * 60_000 + slackMs;
    const log = pino({ level: environment.logLevel, base: null }, pino.destination(2));
    const argv = [
      ...(options.database === undefined ? [] : ["--database", options.database]),
      ...(options.json === true ? ["--json"] : []),
    ];
    const code = await launch({
      folder: versionsFolder(resolve(environment.dataDir)),
      own: { program: realpathSync(process.argv[1] ?? ""), version: ownVersion() },
      argv,
      env: process.env,
      database: resolve(options.database ?? environment.database),
      registry: environment.registry ?? (await registryOfNpm()),
      clock: systemClock(),
      fetch: globalThis.fetch,
      limits: { healthMs, settleMs: Math.min(settleMs, healthMs / 4), drainMs },
      log: (fields, message) => log.info({ launcher: process.pid, ...fields }, message),
      signals,
      hearHangUps: (hear) => (tellChild = hear),
    });
    process.exit(code);
  } catch (error) {
    fail(error, { ...options, schema: "up/1" });
    process.exit();
  }
}

function secondsOf(text: string): number {
  const seconds = Number(/^\d{1,5}$/u.exec(text)?.[0] ?? Number.NaN);
  if (seconds >= 1) return seconds;
  throw new Failure(
    exitCodes.usage,
    `--health-seconds takes a whole number of seconds from 1 on, not "${text}"`,
  );
}
