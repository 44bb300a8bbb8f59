/** Serves the tickets of a repository of this host in this process, or follows whoever does. */
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { localHome } from "../home-local.ts";
import { openForgehand, type Forgehand } from "../main.ts";
import type { Agent } from "../ports-agents.ts";
import { Problem } from "../problems.ts";
import { openSqlite } from "../sql.ts";
import { forgeTicketId, hereInstallation } from "../state-machine/ticket-id.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import { deskStore, versionOf } from "./database.ts";
import { followTicket, lastLine, type Stop } from "./local-follow.ts";
import type { Ground, LocalRepository } from "./local-repository.ts";
import { terminal } from "./output.ts";
import { ownPrices } from "./prices.ts";
import { serverBundles } from "./servers.ts";
import { databaseProblem } from "../problems-database.ts";
import { within } from "./workflow-desk.ts";

export interface Serving {
  readonly repository: LocalRepository;
  readonly ground: Ground;
  readonly agents: ReadonlyMap<string, Agent>;
}

const lookMs = 200;
/** What follows a stop, such as the worktree that is dropped, has this long. */
const settleMs = 10_000;
/** Turns of agents that are at work for other tickets when this one has stopped. */
const drainMs = 5_000;
/** The log begins anew when it has grown beyond this. */
const maxLogBytes = 20 * 1024 * 1024;
/** Whoever serves has noticed by then what a person just wrote into a file. */
const noticedMs = 3_000;

export const ticketIdOf = ({ place }: Pick<LocalRepository, "place">, number: number): TicketId =>
  forgeTicketId({ id: place.id, installation: hereInstallation }, number);

/** Opens a forgehand on the repository. Its log is kept beside the database. */
export async function openLocal({ repository, ground, agents }: Serving): Promise<Forgehand> {
  const { environment, place, folder, folders, operator, env } = repository;
  const path = join(folder, "forgehand.log");
  if (existsSync(path) && statSync(path).size > maxLogBytes) rmSync(path, { force: true });
  const to = pino.destination({ dest: path, sync: true, mkdir: true, append: true });
  try {
    return await openForgehand({
      environment,
      agents,
      bundles: serverBundles(environment, env),
      prices: ownPrices(environment),
      log: pino({ level: environment.logLevel, base: null }, to),
      home: localHome({
        place,
        folder,
        folders,
        base: ground.base,
        operator,
        env,
        runtimes: [...agents.keys()],
      }),
    });
  } catch (error) {
    throw databaseProblem(error, environment.database) ?? error;
  }
}

export type Carried = Stop | "interrupted";

/**
 * Serves until this ticket is over or waits for a person. Where another process serves, it is followed; should that end
 * before the ticket has stopped, this one takes over.
 */
export async function carryTicket(serving: Serving, number: number): Promise<Carried> {
  const signals = hearSignals();
  try {
    for (;;) {
      const forgehand = await openOrFollow(serving);
      if (forgehand !== undefined) return await serveUntilStop(serving, forgehand, number, signals);
      const followed = await followElsewhere(serving, number, signals);
      if (followed !== "unserved") return followed;
      if (signals.is()) return "interrupted";
    }
  } finally {
    signals.stop();
  }
}

/** Undefined where another process has the database. */
async function openOrFollow(serving: Serving): Promise<Forgehand | undefined> {
  try {
    return await openLocal(serving);
  } catch (error) {
    if (error instanceof Problem && (error.code === "second-instance" || error.code === "database-busy"))
      return undefined;
    throw error;
  }
}

async function serveUntilStop(
  { repository }: Serving,
  forgehand: Forgehand,
  number: number,
  signals: Signals,
): Promise<Carried> {
  const { store } = forgehand;
  const clock = systemClock();
  try {
    const id = ticketIdOf(repository, number);
    const follower = followTicket(
      { store, environment: repository.environment, say },
      id,
      await lastLine(store, id),
    );
    // What kept a merge off the base may be gone.
    await store.hurryMerge(id, clock.now());
    forgehand.shop.poke("outbox");
    for (;;) {
      const stop = await follower.look(clock.now());
      if (stop !== undefined && (await isQuiet(forgehand, stop))) {
        const end = clock.now() + settleMs;
        while (clock.now() < end && !(await forgehand.idle()) && !signals.is())
          await within(lookMs, signals.heard);
        const last = await follower.look(clock.now());
        // What it waited for may have come meanwhile.
        if (last !== undefined) return last;
      }
      await within(lookMs, signals.heard);
      if (signals.is()) {
        say("stopping: agents have a moment to end, and go on at the next `forgehand run`");
        return "interrupted";
      }
    }
  } finally {
    await forgehand.stop(drainMs);
  }
}

/** Nothing unread that may lead it on at once. */
const isQuiet = async ({ store }: Forgehand, { stored }: Stop): Promise<boolean> =>
  stored.ticket.run === undefined && (await store.unread(0, 1)).length === 0;

async function followElsewhere(
  { repository }: Serving,
  number: number,
  signals: Signals,
): Promise<Carried | "unserved"> {
  const { environment } = repository;
  const clock = systemClock();
  const sql = openSqlite(environment.database, { readonly: true });
  try {
    const store = deskStore(sql);
    if ((await versionOf(sql)) === undefined) {
      // Whoever makes the database has only begun.
      await within(lookMs, signals.heard);
      return "unserved";
    }
    const id = ticketIdOf(repository, number);
    say("another forgehand serves this repository; following it");
    const follower = followTicket({ store, environment, say }, id, await lastLine(store, id));
    let stoppedAt: number | undefined;
    for (;;) {
      const owner = await store.instanceOwner();
      if (owner === undefined || isDead(owner)) return "unserved";
      const stop = await follower.look(clock.now());
      stoppedAt = stop === undefined ? undefined : (stoppedAt ?? clock.now());
      const isSettled = stoppedAt !== undefined && clock.now() - stoppedAt >= noticedMs;
      if (stop !== undefined && isSettled && (await store.unread(0, 1)).length === 0) return stop;
      await within(lookMs, signals.heard);
      if (signals.is()) return "interrupted";
    }
  } finally {
    sql.close();
  }
}

/** Says a line to who waits; whatever others wrote in it is on one line and plain already. */
export const say = (line: string): void => terminal.err(`${line}\n`);

interface Signals {
  readonly heard: Promise<void>;
  is(): boolean;
  stop(): void;
}

export function hearSignals(): Signals {
  const { promise, resolve } = Promise.withResolvers<void>();
  let is = false;
  const hear = (): void => {
    is = true;
    resolve();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, hear);
  return {
    heard: promise,
    is: () => is,
    stop: () => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, hear);
    },
  };
}
