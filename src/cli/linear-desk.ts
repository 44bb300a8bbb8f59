/** Linear's sign-in for commands: the database that holds it, made where there is none. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { systemClock } from "../adapters/clock.ts";
import { isDead, thisProcess } from "../adapters/owner.ts";
import { type Environment } from "../config-environment.ts";
import { migrateEngine } from "../engine/index.ts";
import { openLinear, type Linear } from "../linear.ts";
import { Trouble } from "../ports.ts";
import { exitCodes, Problem } from "../problems.ts";
import { openSqlite } from "../sql.ts";
import { makeLease, migrate } from "../store/database.ts";
import type { LinearWorkspace } from "../store/linear-workspaces.ts";
import type { Store } from "../store/store.ts";
import { ownSettings } from "./own-settings.ts";
import { atDesk, deskStore } from "./database.ts";
import { Failure, terminal } from "./output.ts";
import { databaseProblem } from "../problems-database.ts";

export interface LinearAtDesk extends Linear {
  readonly environment: Environment;
  readonly store: Store;
}
interface Where {
  readonly database?: string | undefined;
  /** To say what to type when Linear does not answer. */
  readonly command: string;
}

/** Works with Linear's sign-in, and closes the database only once nothing of Linear's is on its way into it. */
export async function atLinear<Result>(
  where: Where,
  wants: "read" | "write" | "make",
  work: (linear: LinearAtDesk) => Promise<Result>,
): Promise<Result> {
  if (wants === "make") await makeDatabase(where);
  try {
    return await atDesk(where, wants === "read" ? "read" : "write", async ({ environment, store }) => {
      // A command tells its own user; whoever serves is told by the row.
      const linear = openLinear({ environment, store, page: () => undefined });
      try {
        return await work({ ...linear, environment, store });
      } finally {
        await linear.desk.settled();
      }
    });
  } catch (error) {
    if (error instanceof Trouble)
      throw new Problem(
        "linear-unreachable",
        { why: error.message, command: where.command },
        { cause: error },
      );
    throw error;
  }
}

/** Signing in may come before the first start. */
async function makeDatabase(where: Where): Promise<void> {
  const { dataDir, ...environment } = ownSettings();
  const path = where.database ?? environment.database;
  if (existsSync(path)) return;
  try {
    for (const folder of [dataDir, dirname(path)]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const sql = openSqlite(path);
    const owner = thisProcess();
    try {
      makeLease(sql);
      const store = deskStore(sql);
      const taken = await store.takeInstance(owner, isDead, systemClock().now());
      if (taken !== "taken")
        throw new Failure(
          exitCodes.locked,
          `process ${taken.pid} is making ${path} just now: try again in a moment`,
        );
      await migrateEngine(sql);
      await migrate(sql);
      await store.leaveInstance(owner);
    } finally {
      sql.close();
    }
  } catch (error) {
    throw databaseProblem(error, path) ?? error;
  }
}

/** An interrupt between Linear's answer and storing it would lose the tokens: it waits for the few seconds that takes. */
export async function unhurried<Result>(work: () => Promise<Result>): Promise<Result> {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const wait = (): void => terminal.err("waiting for Linear's answer, so that no token is lost …\n");
  for (const signal of signals) process.on(signal, wait);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.off(signal, wait);
  }
}

/** The workspaces a person means: the one that is named, or all. */
export async function workspacesNamed(
  store: Store,
  name: string | undefined,
): Promise<readonly LinearWorkspace[]> {
  const rows = await store.linearWorkspaces();
  const wanted = name?.toLowerCase();
  const found =
    wanted === undefined
      ? rows
      : rows.filter((row) => [row.id, row.name, row.urlKey].some((one) => one.toLowerCase() === wanted));
  if (found.length > 0) return found;
  const known = rows.map((row) => row.urlKey).join(", ");
  throw new Problem("linear-workspace-unknown", {
    workspace: name ?? "",
    known: known === "" ? "none" : known,
  });
}
