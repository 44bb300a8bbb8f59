import type { Sql } from "../sql.ts";
import { attemptsOf } from "./attempts.ts";
import { answerRun, type Answered } from "./answer.ts";
import { givenTo, openGiven } from "./given.ts";
import type { Host } from "./host.ts";
import { goLive, type Live, type LiveOptions } from "./live.ts";
import {
  beat,
  breakRun,
  strayRuns,
  claim,
  claimable,
  disown,
  giveBack,
  heldBy,
  nextWake,
  runById,
  type Owner,
  type RunRow,
} from "./store.ts";
import type { Attempt } from "./rows.ts";
import type { AnyWorkflow } from "./workflow.ts";

export interface EngineOptions {
  readonly sql: Sql;
  readonly clock: { now(): number; until(instant: number, signal?: AbortSignal): Promise<void> };
  readonly random: () => number;
  readonly owner: Owner;
  /** Certain only about owners on this host; others are dead when their heartbeat stops. */
  readonly isDead: (owner: Owner) => boolean;
  readonly workflows: readonly AnyWorkflow[];
  /** The workflow of a run that none of `workflows` is, such as one from a file; undefined when this process has none. Asked at every look. */
  readonly workflowOf?: (run: RunRow) => Promise<AnyWorkflow | undefined>;
  readonly checkDeterminism: boolean;
  /** What tasks may ask of this machine: a shell, agents, worktrees. */
  readonly host?: Host;
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  /** What an operator can do about an error of the database, where that is known. */
  readonly remedyOf?: (error: unknown) => string | undefined;
  /** Ends what dead owners and cancelled runs may have left at work under these names, before anything else begins. */
  readonly sweep?: (runs: readonly string[]) => Promise<unknown>;
  /** Runs of one lane share a place to work in and never work at the same time; by default each has its own. */
  readonly laneOf?: (run: string) => string;
  /** The runs this process carries on; by default all whose workflow it has. */
  readonly takes?: (run: RunRow) => boolean;
  /** Told of every attempt that begins and ends here. */
  readonly onAttempt?: LiveOptions["onAttempt"];
  /** Told when a run has left this process, for good or to wait. */
  readonly onLeft?: (run: string) => void;
}
export interface Engine {
  /** Something was started, cancelled or answered: look again. */
  poke(): void;
  /**
   * Stops taking runs, lets the ones at work go on for a while, then interrupts them; they continue at the next start.
   * A task that does not hear its signal is waited for 90 s; then its run stays this process's until it dies.
   */
  down(drainMs: number): Promise<void>;
  /** Somebody answers what a leaf waits for: an approval, a choice, a question, a signal. */
  answer(run: string, leaf: string, answer: unknown, by?: string): Promise<Answered>;
  run(id: string): Promise<RunRow | undefined>;
  attempts(id: string): Promise<readonly Attempt[]>;
  /** A run at work here goes on with an edited workflow. Throws when the run's input does not fit it; then it goes on as it is. */
  use(run: string, edited: AnyWorkflow): void;
  /** Runs at work in this process. */
  atWork(): readonly string[];
}

/** Runs read in one look. */
const batch = 1_000;
/** Runs taken side by side, so that their claims share a commit. */
const takenAtOnce = 64;
/** A sign of life for other hosts, and how long without one counts as dead. */
const beatMs = 10_000;
const deadMs = 60_000;
const restMs = 2_000;
/** Why a sleep ends before its time: without a reason an error is made for each. */
const woken = "something happened meanwhile";
/** How long an interrupted task has to end: an agent that ignores SIGTERM is killed within a minute. */
const endMs = 90_000;

/** One process's executor: claims what is ready, due or orphaned, and carries each run on in memory. */
export function openEngine(options: EngineOptions): Engine {
  const { sql, clock, owner, log } = options;
  const byName = new Map(options.workflows.map((one) => [one.name, one]));
  const live = new Map<string, Live>();
  const house: House = { options, byName, live, strange: new Set(), poke: () => poke() };
  let asked = false;
  let busy: Promise<void> | undefined;
  let closing = false;
  let sleep = new AbortController();
  let lastBeat = 0;

  const look = async (): Promise<void> => {
    while (asked && !closing) {
      asked = false;
      sleep.abort(woken);
      try {
        await tellLive();
        await endStrays(house);
        const isWell = await takeAll(house, () => closing);
        await heartbeat();
        if (!isWell) wakeAt(clock.now() + restMs);
        else if (!asked && !closing) wakeAt(await sql.read(nextWake));
      } catch (error) {
        log.error({ error }, "the engine met trouble and rests");
        wakeAt(clock.now() + restMs);
      }
    }
  };
  const poke = (): void => {
    asked = true;
    busy ??= look().finally(() => {
      busy = undefined;
      if (asked && !closing) poke();
    });
  };
  const wakeAt = (wake: number | undefined): void => {
    const next = Math.min(wake ?? Infinity, live.size > 0 ? lastBeat + beatMs : Infinity);
    if (next === Infinity) return;
    sleep = new AbortController();
    clock.until(next, sleep.signal).then(poke, () => undefined);
  };
  const heartbeat = async (): Promise<void> => {
    if (live.size === 0 || clock.now() - lastBeat < beatMs) return;
    lastBeat = clock.now();
    await sql.commit(() => beat(owner, lastBeat));
  };
  /** Runs at work here that were cancelled or taken are ended; the others may have been answered. */
  const tellLive = async (): Promise<void> => {
    if (live.size === 0) return;
    const known = [...live.values()];
    const held = await sql.read(() => heldBy(owner));
    for (const one of known) {
      if (held.has(one.run)) one.nudge();
      else one.abort("cancelled");
    }
  };
  return {
    poke,
    answer: async (run, leaf, answer, by) => {
      const answered = await sql.commit(() => answerRun(run, leaf, answer, clock.now(), by));
      poke();
      return answered;
    },
    run: (id) => sql.read(() => runById(id)),
    attempts: (id) => sql.read(() => attemptsOf(id)),
    use: (run, edited) => live.get(run)?.use(edited),
    atWork: () => [...live.keys()],
    down: async (drainMs) => {
      closing = true;
      sleep.abort();
      await busy;
      const all = Promise.allSettled([...live.values()].map((one) => one.ended));
      const within = async (ms: number): Promise<void> => {
        const patience = new AbortController();
        await Promise.race([all, clock.until(clock.now() + ms, patience.signal).catch(() => undefined)]);
        patience.abort();
      };
      await within(drainMs);
      for (const one of live.values()) one.abort("shutdown");
      await within(endMs);
      await sql.commit(() => giveBack(owner, [...live.keys()]));
    },
  };
}

/** What taking a run needs of the engine around it. */
interface House {
  readonly options: EngineOptions;
  readonly byName: ReadonlyMap<string, AnyWorkflow>;
  readonly live: Map<string, Live>;
  /** Runs of workflows that this process does not have; each is said once. */
  readonly strange: Set<string>;
  poke(): void;
}

/** Takes whatever is free, page after page. A run that cannot be taken holds up nobody else; answers whether all went well. */
async function takeAll(house: House, isClosing: () => boolean): Promise<boolean> {
  const { sql, clock } = house.options;
  let isWell = true;
  for (let last: RunRow | undefined; !isClosing();) {
    const after = last;
    const rows = await sql.read(() => claimable(clock.now(), batch, after));
    isWell = (await takePage(house, rows, isClosing)) && isWell;
    last = rows.at(-1);
    if (rows.length < batch) break;
  }
  return isWell;
}
async function takePage(house: House, rows: readonly RunRow[], isClosing: () => boolean): Promise<boolean> {
  const { options } = house;
  const { log } = options;
  const free = rows.filter((row) => mayTake(house, row));
  // What a dead owner left at work is ended before anything is done twice.
  const orphaned = free.filter((row) => row.owner !== undefined).map((row) => row.id);
  if (orphaned.length > 0) await options.sweep?.(orphaned);
  let isWell = true;
  for (let at = 0; at < free.length && !isClosing(); at += takenAtOnce) {
    const taken = free.slice(at, at + takenAtOnce).map((row) =>
      take(house, row).catch((error: unknown) => {
        isWell = false;
        log.error({ run: row.id, error }, "the run could not be taken; it is tried again soon");
      }),
    );
    await Promise.all(taken);
  }
  return isWell;
}

/** A run cancelled while its owner died may have left an agent at work: it is ended before its lane is used again. */
async function endStrays({ options: { sql, sweep }, live }: House): Promise<void> {
  const strays = (await sql.read(strayRuns)).filter((run) => !live.has(run));
  if (strays.length === 0) return;
  await sweep?.(strays);
  await sql.commit(() => disown(strays));
}

/** A run is free when nobody has it, or its owner is dead: certain on this host, after a silence elsewhere. */
function mayTake({ options, live }: House, row: RunRow): boolean {
  const { owner, clock, isDead, laneOf = (run: string) => run, takes } = options;
  if (live.has(row.id) || takes?.(row) === false) return false;
  // Another run of its lane is still ending here.
  if ([...live.keys()].some((other) => laneOf(other) === laneOf(row.id))) return false;
  if (row.status !== "running" || row.owner === undefined) return true;
  const isMine =
    row.owner.pid === owner.pid && row.owner.startedAt === owner.startedAt && row.owner.host === owner.host;
  if (isMine) return true;
  return row.owner.host === owner.host ? isDead(row.owner) : clock.now() - row.heartbeatAt > deadMs;
}

async function take(house: House, row: RunRow): Promise<void> {
  const { options, byName, live, strange } = house;
  const { sql, clock, owner, log } = options;
  const workflow =
    row.source === undefined
      ? byName.get(row.workflow)
      : await (options.workflowOf?.(row) ?? byName.get(row.workflow));
  if (workflow === undefined) {
    if (!strange.has(row.id))
      log.error(
        { run: row.id, workflow: row.workflow },
        "no such workflow here; the run waits for a process that has it",
      );
    strange.add(row.id);
    return;
  }
  const given = row.replays ? openGiven(await sql.read(() => givenTo(row.id))) : undefined;
  const attempts = await sql.commit(() => claim(row.id, row.fence, owner, clock.now()));
  if (attempts === undefined) return;
  try {
    live.set(row.id, goLive(workflow, row, row.fence + 1, attempts, { ...liveOptions(options, row), given }));
  } catch (error) {
    await failRun(options, row, error);
    options.onLeft?.(row.id);
    return;
  }
  live
    .get(row.id)
    ?.ended.then((how) => log.info({ run: row.id, workflow: row.workflow, how }, "run left"))
    .catch((error: unknown) => failRun(options, row, error))
    // What could not even be written down stays this process's run, and is taken again.
    .catch((error: unknown) => log.error({ run: row.id, error }, "the end of the run could not be written"))
    .finally(() => {
      live.delete(row.id);
      options.onLeft?.(row.id);
      house.poke();
    });
}

const liveOptions = (
  { sql, clock, random, checkDeterminism, host, log, onAttempt, remedyOf }: EngineOptions,
  row: RunRow,
): LiveOptions => ({
  sql,
  now: () => clock.now(),
  until: (instant, signal) => clock.until(instant, signal),
  random,
  checkDeterminism,
  host,
  onFailed: (failed) => log.error(failed, "an attempt failed"),
  onAttempt: onAttempt ?? (() => undefined),
  onTrouble: (error) => {
    const remedy = remedyOf?.(error);
    const more = remedy === undefined ? "" : `. ${remedy}`;
    log.error({ run: row.id, error }, `the database cannot be written; it is tried again soon${more}`);
  },
});

/** A render that throws is the workflow's bug: the run fails with its words instead of being taken again for ever. */
async function failRun({ sql, clock, log, host }: EngineOptions, row: RunRow, error: unknown): Promise<void> {
  const said = error instanceof Error ? error.message : String(error);
  const text = host?.redact(said) ?? said;
  log.error({ run: row.id, error: text }, "run broke");
  await sql.commit(() => breakRun(row.id, row.fence + 1, text, clock.now()));
}
