/**
 * The parent of the forgehand that serves: starts it, starts it again after a crash, and puts another version in its
 * place. It outlives versions, so it knows nothing of the database but how to copy it, and reads where things stand from
 * one file: whenever it dies, the next launcher ends in the old version or the new one.
 */
import { existsSync, rmSync } from "node:fs";
import { shapeOf } from "../backup/copy.ts";
import { swapDatabase } from "../backup/swap.ts";
import type { Clock } from "../ports.ts";
import { copyBefore } from "../upgrade.ts";
import { startChild, trialVariable, type Child } from "./child.ts";
import { currentVersion, programOf, switchTo } from "./current.ts";
import { proveHealth, type HealthLimits } from "./health.ts";
import { install, pruneVersions, Unfit } from "./install.ts";
import { readUpdate, writeUpdate, type UpdateState } from "./state.ts";

export interface LauncherOptions {
  /** Where versions lie. */
  readonly folder: string;
  /** The program the launcher came with: what runs until an update was made. */
  readonly own: { readonly program: string; readonly version: string };
  /** What the child is given behind `up`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly database: string;
  /** Undefined where neither a setting nor npm names one. */
  readonly registry: string | undefined;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  readonly limits: HealthLimits & { readonly drainMs: number };
  readonly log: (fields: object, message: string) => void;
  /** Signals to this process: the first drains, the next hurries. */
  readonly signals: { readonly first: Promise<void>; readonly second: Promise<void> };
  /** Calls back at each SIGHUP to this process, which is meant for whoever serves. */
  readonly hearHangUps?: (hear: () => void) => void;
}

const lookMs = 500;
/** How often a new version may be started on trial: a power cut in the middle of one is not its fault. */
const maxTries = 2;
const firstWaitMs = 1_000;
const mostWaitMs = 60_000;
/** Who served this long is not in a crash loop. */
const steadyMs = 5 * 60_000;
const endMs = 10_000;

/** Serves until it is told to stop or there is no point in starting again; answers the exit code. */
export async function launch(options: LauncherOptions): Promise<number> {
  const { clock, log, signals } = options;
  const stopped = signals.first.then(() => "stop" as const);
  let isStopping = false;
  void stopped.then(() => (isStopping = true));
  let failures = 0;
  let child = await resumed(options);
  options.hearHangUps?.(() => child.hangUp());
  let startedAt = clock.now();
  for (;;) {
    const watching = new AbortController();
    const asked = watch(options, watching.signal);
    const next = await Promise.race([stopped, asked, child.ended.then((how) => ({ ended: how }))]);
    watching.abort();
    if (next === "stop") return await stop(child, options);
    if ("ended" in next) {
      const { ended } = next;
      if (ended === 0) return 0;
      // What never served is not mended by trying again: whoever started us reads why.
      if (!child.hasServed() && failures === 0) return typeof ended === "number" ? ended : 1;
      failures = clock.now() - startedAt > steadyMs ? 1 : failures + 1;
      const waitMs = Math.min(mostWaitMs, firstWaitMs * 2 ** (failures - 1));
      log({ ended, waitMs }, "forgehand ended and is started again");
      const rest = new AbortController();
      await Promise.race([stopped, clock.until(clock.now() + waitMs, rest.signal).catch(() => undefined)]);
      rest.abort();
      if (isStopping) return 0;
      child = startCurrent(options);
    } else child = await update(options, next, child, stopped);
    startedAt = clock.now();
  }
}

/** Where an update was cut short it is carried on, or taken back. */
async function resumed(options: LauncherOptions): Promise<Child> {
  const state = readUpdate(options.folder);
  switch (state?.step) {
    case "drained":
    case "trial":
      options.log({ version: state.version, step: state.step }, "an update was cut short and goes on");
      return await tryOut(options, state);
    case "rolling-back":
      return rollBack(options, state, state.why ?? "its roll-back was cut short");
    default:
      return startCurrent(options);
  }
}

function startCurrent(options: LauncherOptions): Child {
  const { folder, own, log } = options;
  const version = currentVersion(folder);
  const program = version === undefined ? undefined : programOf(folder, version);
  if (version !== undefined && program === undefined)
    log({ version }, "the version that should run is not there any more; the launcher's own is started");
  log({ version: program === undefined ? own.version : version }, "starting");
  return startChild({ ...options, program: program ?? own.program });
}

async function stop(child: Child, { limits, signals }: LauncherOptions): Promise<number> {
  void signals.second.then(() => child.tell("hurry"));
  const how = await child.end("drain", limits.drainMs);
  return typeof how === "number" ? how : 1;
}

/** Resolves when somebody asks for another version. */
async function watch({ folder, clock }: LauncherOptions, signal: AbortSignal): Promise<UpdateState> {
  for (;;) {
    const state = readUpdate(folder);
    if (state?.step === "asked") return state;
    await clock.until(clock.now() + lookMs, signal);
  }
}

/** Everything that can be found out is found out while the old version serves; only then is it drained. */
async function update(
  options: LauncherOptions,
  state: UpdateState,
  child: Child,
  stopped: Promise<"stop">,
): Promise<Child> {
  const { folder, limits, log, clock, database } = options;
  const { version, integrity } = state;
  log({ version, by: state.by }, "an update was asked for");
  const ending = new AbortController();
  void stopped.then(() => ending.abort());
  try {
    await install({ ...options, version, integrity, signal: ending.signal });
  } catch (error) {
    // Who is told to stop meanwhile begins anew at the next start.
    if (ending.signal.aborted) return child;
    const why = error instanceof Error ? error.message : String(error);
    log({ version, why, unfit: error instanceof Unfit }, "the update was refused; nothing has changed");
    writeUpdate(folder, { ...state, step: "refused", why });
    return child;
  }
  if (ending.signal.aborted) return child;
  log({ version }, "installed; draining");
  await Promise.race([
    child.end("drain", limits.drainMs),
    stopped.then(() => child.end("hurry", limits.drainMs)),
  ]);
  let copy: string | undefined;
  try {
    copy = existsSync(database) ? await copyBefore(database, version, clock.now()) : undefined;
  } catch (error) {
    // A full disk must not leave nobody serving: without a copy there is no way back, so there is none forward either.
    const why = `${database} could not be copied: ${error instanceof Error ? error.message : String(error)}`;
    log({ version, why }, "the update was refused; nothing has changed");
    writeUpdate(folder, { ...state, step: "refused", why });
    return startCurrent(options);
  }
  const drained = writeUpdate(folder, {
    ...state,
    step: "drained",
    backTo: currentVersion(folder) ?? null,
    ...(copy === undefined ? {} : { copy, shape: shapeOf(copy) }),
  });
  return await tryOut(options, drained);
}

async function tryOut(options: LauncherOptions, state: UpdateState): Promise<Child> {
  const { folder, env, limits, log } = options;
  const { version } = state;
  if (state.tries >= maxTries)
    return rollBack(
      options,
      state,
      state.why ?? `it was started ${state.tries} times and never proved itself`,
    );
  // Counted before it is started: what takes the whole host down does so once more at most.
  const trying = writeUpdate(folder, { ...state, step: "trial", tries: state.tries + 1 });
  switchTo(folder, version);
  const program = programOf(folder, version);
  if (program === undefined) return rollBack(options, trying, "its program is not there any more");
  const child = startChild({ ...options, program, env: { ...env, [trialVariable]: state.id } });
  const why = await proveHealth(child, version, { ...options, ...limits });
  if (why === undefined) {
    writeUpdate(folder, { ...trying, step: "healthy" });
    pruneVersions(folder, [state.backTo ?? undefined]);
    log({ version, from: state.from }, "the update is in place");
    return child;
  }
  await child.end("hurry", endMs);
  return rollBack(options, trying, why);
}

/**
 * The old version again. The database stays as it is unless its tables were changed, which the old version may not
 * understand: then the copy from before takes its place. Nothing is lost with what the new one wrote: while on trial it
 * started nothing and sent nothing, and what it was told is asked of the forge again.
 */
function rollBack(options: LauncherOptions, state: UpdateState, why: string): Child {
  const { folder, database, clock, log } = options;
  const { version, backTo, copy, shape } = state;
  const going = writeUpdate(folder, { ...state, step: "rolling-back", why });
  let restored = state.restored ?? false;
  // Where putting it back was cut short, its log may be aside already, and what is there looks unchanged without it.
  if (copy !== undefined && existsSync(copy) && (restored || isChanged(database, shape))) {
    writeUpdate(folder, { ...going, restored: true });
    restored = true;
    swapDatabase(copy, database, `.before-roll-back-${clock.now()}`);
    for (const log of ["-wal", "-shm"]) rmSync(database + log, { force: true });
  }
  switchTo(folder, backTo ?? undefined);
  log({ version, why, restored }, "the new version was rolled back");
  writeUpdate(folder, { ...going, restored, step: "rolled-back" });
  return startCurrent(options);
}

/** A file that cannot be read any more has changed for certain. */
function isChanged(database: string, shape: string | undefined): boolean {
  try {
    return shapeOf(database) !== shape;
  } catch {
    return true;
  }
}
