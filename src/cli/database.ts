import { existsSync } from "node:fs";
import { defaultConfig, policyOf, type RepoConfig } from "../config.ts";
import type { Environment } from "../config-environment.ts";
import { Problem, exitCodes } from "../problems.ts";
import { closedPart, databaseProblem } from "../problems-database.ts";
import type { Place } from "../shell/waits.ts";
import { all, one, openSqlite, type Sql } from "../sql.ts";
import { migrations } from "../store/database.ts";
import { openStore, type Store } from "../store/store.ts";
import { noRuns } from "../store/steps.ts";
import type { Stored } from "../store/tickets.ts";
import { deskEnvironment } from "./local-place.ts";
import { Failure } from "./output.ts";

export interface Desk {
  readonly environment: Environment;
  readonly sql: Sql;
  readonly store: Store;
}
interface DeskOptions {
  readonly database?: string | undefined;
}

/**
 * Opens the database that the environment names, works on it and closes it. It must exist and be of this version: a
 * command never makes or changes tables. One that only reads cannot write by mistake. `ofRuns` is done instead where the
 * file holds a folder's runs and no tickets at all.
 */
export async function atDesk<Result>(
  options: DeskOptions,
  wants: "read" | "write",
  work: (desk: Desk) => Promise<Result>,
  ofRuns?: () => Promise<Result>,
): Promise<Result> {
  const environment = deskEnvironment();
  const path = options.database ?? environment.database;
  if (!existsSync(path)) {
    const closed = closedPart(path);
    if (closed !== undefined) throw new Problem("database-closed", { path, closed });
    throw new Failure(
      exitCodes.notFound,
      `there is no database at ${path}: start \`forgehand up\` once, or in a git repository \`forgehand run "what is to be done"\`, or name it with --database PATH or FORGEHAND_DATABASE`,
    );
  }
  try {
    const sql = openSqlite(path, { readonly: wants === "read" });
    try {
      if (ofRuns !== undefined && (await holds(sql, "run")) && !(await holds(sql, "ticket")))
        return await ofRuns();
      await checkVersion(sql, path);
      return await work({ environment: { ...environment, database: path }, sql, store: deskStore(sql) });
    } finally {
      sql.close();
    }
  } catch (error) {
    throw databaseProblem(error, path) ?? error;
  }
}

/** A command only leaves rows in the inbox; runs are started and stopped by the process that serves. */
export const deskStore = (sql: Sql): Store => openStore(sql, noRuns);

/** Whether the file has such a table. */
export const holds = async (sql: Sql, table: string): Promise<boolean> =>
  (await sql.read(() => one("select 1 from sqlite_schema where type = 'table' and name = ?", table))) !==
  undefined;

/** The newest migration in the file; undefined when it is no database of ours. */
export async function versionOf(sql: Sql): Promise<number | undefined> {
  if (!(await holds(sql, "store_migration"))) return undefined;
  const done = await sql.read(() => all<{ number: number }>("select number from store_migration"));
  return Math.max(0, ...done.map(({ number }) => number));
}

async function checkVersion(sql: Sql, path: string): Promise<void> {
  const found = await versionOf(sql);
  if (found === undefined) throw new Problem("database-broken", { path, why: "it has no tables of ours" });
  const known = migrations().at(-1)?.number ?? 0;
  if (found === known) return;
  throw new Failure(
    exitCodes.usage,
    found > known
      ? `${path} is at version ${found} and this forgehand knows ${known}: use the newer forgehand that wrote it`
      : `${path} is at version ${found} and this forgehand wants ${known}: start \`forgehand up\`, which brings it up to date`,
  );
}

/** The one ticket a person means; says which ones it could be when there are several. */
export async function ticketNamed(store: Store, text: string): Promise<Stored> {
  const found = await store.findTickets(text);
  const [first, ...more] = found;
  if (first === undefined) throw new Problem("ticket-unknown", { ticket: text });
  if (more.length > 0) {
    throw new Failure(
      exitCodes.usage,
      `"${text}" may be ${found.map((stored) => stored.ref).join(" or ")}: name one in full`,
    );
  }
  return first;
}

/** Read once: a list asks for the rules of each of its tickets. */
let usual: RepoConfig | undefined;

export async function rulesFor(store: Store, stored: Stored): Promise<Place> {
  const repo = await store.repoById(stored.repo);
  // Most repositories have no file of their own; then a command need not load what reads one.
  const { config, problems, soundAt } =
    repo === undefined || (repo.config === undefined && Object.keys(repo.personas).length === 0)
      ? { config: (usual ??= defaultConfig()), problems: [], soundAt: undefined }
      : (await import("../config-rules.ts")).rulesIn(repo);
  return { id: stored.repo, owner: repo?.owner ?? "", config, policy: policyOf(config), problems, soundAt };
}
