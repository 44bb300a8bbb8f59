import type { Sql } from "../sql.ts";
import { ApprovalAnswer, goLive, type Live } from "./live.ts";
import {
  answerLeaf,
  attemptsOf,
  beat,
  breakRun,
  claim,
  claimable,
  giveBack,
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
  readonly checkDeterminism: boolean;
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  /** Ends what a dead owner may have left running under this name, before the next attempt begins. */
  readonly sweep?: (run: string) => Promise<unknown>;
  /** Told when a run has left this process, for good or to wait. */
  readonly onLeft?: (run: string) => void;
}
export interface Engine {
  /** Something was started, cancelled or answered: look again. */
  poke(): void;
  /** Stops taking runs, lets the ones at work go on for a while, then interrupts them; they continue at the next start. */
  down(drainMs: number): Promise<void>;
  /** A person finishes a waiting approval. */
  approve(
    run: string,
    leaf: string,
    answer: { readonly decision: "approved" | "denied"; readonly by: string; readonly note: string },
  ): Promise<"answered" | "nothing waits">;
  run(id: string): Promise<RunRow | undefined>;
  attempts(id: string): Promise<readonly Attempt[]>;
  /** Runs at work in this process. */
  atWork(): readonly string[];
}

/** Runs read in one look. */
const batch = 1_000;
/** A sign of life for other hosts, and how long without one counts as dead. */
const beatMs = 10_000;
const deadMs = 60_000;
const restMs = 2_000;

/** One process's executor: claims what is ready, due or orphaned, and carries each run on in memory. */
export function openEngine(options: EngineOptions): Engine {
  const { sql, clock, owner, log } = options;
  const byName = new Map(options.workflows.map((one) => [one.name, one]));
  const live = new Map<string, Live>();
  const house: House = { options, byName, live, poke: () => poke() };
  let asked = false;
  let busy: Promise<void> | undefined;
  let closing = false;
  let sleep = new AbortController();
  let lastBeat = 0;

  const look = async (): Promise<void> => {
    while (asked && !closing) {
      asked = false;
      sleep.abort();
      try {
        await endCancelled();
        for (const row of await sql.read(() => claimable(clock.now(), batch)))
          if (mayTake(house, row)) await take(house, row);
        await heartbeat();
        if (!asked && !closing) await wakeAt(await sql.read(nextWake));
      } catch (error) {
        log.error({ error }, "the engine met trouble and rests");
        await wakeAt(clock.now() + restMs);
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
  const wakeAt = async (wake: number | undefined): Promise<void> => {
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
  const endCancelled = async (): Promise<void> => {
    for (const one of live.values()) {
      const row = await sql.read(() => runById(one.run));
      if (row?.status === "cancelled") one.abort("cancelled");
    }
  };
  return {
    poke,
    approve: async (run, leaf, answer) => {
      const answered = await sql.commit(() =>
        answerLeaf(run, leaf, ApprovalAnswer.parse(answer), clock.now()),
      );
      poke();
      return answered;
    },
    run: (id) => sql.read(() => runById(id)),
    attempts: (id) => sql.read(() => attemptsOf(id)),
    atWork: () => [...live.keys()],
    down: async (drainMs) => {
      closing = true;
      sleep.abort();
      await busy;
      const all = Promise.allSettled([...live.values()].map((one) => one.ended));
      const patience = new AbortController();
      await Promise.race([all, clock.until(clock.now() + drainMs, patience.signal).catch(() => undefined)]);
      patience.abort();
      for (const one of live.values()) one.abort("shutdown");
      await all;
      await sql.commit(() => giveBack(owner));
    },
  };
}

/** What taking a run needs of the engine around it. */
interface House {
  readonly options: EngineOptions;
  readonly byName: ReadonlyMap<string, AnyWorkflow>;
  readonly live: Map<string, Live>;
  poke(): void;
}

/** A run is free when nobody has it, or its owner is dead: certain on this host, after a silence elsewhere. */
function mayTake({ options: { owner, clock, isDead }, live }: House, row: RunRow): boolean {
  if (live.has(row.id)) return false;
  if (row.status !== "running" || row.owner === undefined) return true;
  const isMine =
    row.owner.pid === owner.pid && row.owner.startedAt === owner.startedAt && row.owner.host === owner.host;
  if (isMine) return true;
  return row.owner.host === owner.host ? isDead(row.owner) : clock.now() - row.heartbeatAt > deadMs;
}

async function take(house: House, row: RunRow): Promise<void> {
  const { options, byName, live } = house;
  const { sql, clock, owner, log } = options;
  const workflow = byName.get(row.workflow);
  if (workflow === undefined) {
    log.error(
      { run: row.id, workflow: row.workflow },
      "no such workflow here; the run waits for a process that has it",
    );
    return;
  }
  // What a dead owner left at work is ended before anything is done twice.
  if (row.owner !== undefined) await options.sweep?.(row.id);
  const attempts = await sql.commit(() => claim(row.id, row.fence, owner, clock.now()));
  if (attempts === undefined) return;
  const started = goLive(workflow, row, row.fence + 1, attempts, {
    sql,
    now: () => clock.now(),
    random: options.random,
    checkDeterminism: options.checkDeterminism,
    onFailed: (failed) => log.error(failed, "an attempt failed"),
  });
  live.set(row.id, started);
  started.ended
    .then((how) => log.info({ run: row.id, workflow: row.workflow, how }, "run left"))
    .catch((error: unknown) => failRun(options, row, error))
    .finally(() => {
      live.delete(row.id);
      options.onLeft?.(row.id);
      house.poke();
    });
}

/** A render that throws is the workflow's bug: the run fails with its words instead of being taken again for ever. */
async function failRun({ sql, clock, log }: EngineOptions, row: RunRow, error: unknown): Promise<void> {
  const text = error instanceof Error ? error.message : String(error);
  log.error({ run: row.id, error: text }, "run broke");
  await sql.commit(() => breakRun(row.id, row.fence + 1, text, clock.now()));
}
