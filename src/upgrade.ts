/** A database is brought up to date all at once or not at all, and a copy of it is kept from before. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { copyDatabase } from "./backup/copy.ts";
import { migrateEngine, NewerEngine, pendingEngine } from "./engine/index.ts";
import { Problem, problemOf } from "./problems.ts";
import { all, openSqlite, type Sql } from "./sql.ts";
import { migrate, migrations, NewerDatabase, pendingStore } from "./store/database.ts";
import { ownVersion } from "./version.ts";

/** Of what is missing, so much is named. */
const maxNamed = 5;
/** Copies kept of the database from before its upgrades. */
const maxKept = 5;

/** Where such copies lie. */
export const backupsBeside = (database: string): string => join(dirname(resolve(database)), "backups");

export interface UpgradeOptions {
  readonly database: string;
  readonly now: number;
  /** Those that ship, when left out. */
  readonly known?: ReturnType<typeof migrations>;
}

/**
 * Brings an opened database up to date. One that exists already is copied first, and all that is due is one
 * transaction; what is new is simply made. Answers the copy, where one was made.
 */
export async function bringUpToDate(sql: Sql, options: UpgradeOptions): Promise<string | undefined> {
  const { database, known = migrations() } = options;
  const due = await pending(sql, database, known);
  if (due.scripts.length === 0) {
    const missing = await missingIn(sql, known);
    if (missing.length === 0) return undefined;
    throw new Problem("database-unlike", { path: database, what: missing.slice(0, maxNamed).join(", ") });
  }
  if (due.isNew) {
    await migrateEngine(sql);
    await migrate(sql);
    return undefined;
  }
  const copy = await copyBefore(database, ownVersion(), options.now);
  try {
    sql.script(due.scripts.join("\n"));
  } catch (error) {
    const why = problemOf(error)?.told.what ?? (error instanceof Error ? error.message : String(error));
    throw new Problem("upgrade-failed", { path: database, why, backup: copy }, { cause: error });
  }
  return copy;
}

async function pending(sql: Sql, database: string, known: ReturnType<typeof migrations>) {
  try {
    const engine = (await pendingEngine(sql)).map(({ script }) => script);
    const store = await pendingStore(sql, known);
    return { scripts: [...engine, ...store], isNew: store.length === known.length };
  } catch (error) {
    if (error instanceof NewerDatabase || error instanceof NewerEngine)
      throw new Problem("database-newer", { path: database, why: error.message }, { cause: error });
    throw error;
  }
}

/** What a database that says it is up to date lacks beside one that is made now: its migrations were others. */
async function missingIn(sql: Sql, known: ReturnType<typeof migrations>): Promise<readonly string[]> {
  const model = openSqlite(":memory:");
  try {
    const engine = (await pendingEngine(model)).map(({ script }) => script);
    model.script([...engine, ...(await pendingStore(model, known))].join("\n"));
    const here = new Set(await partsOf(sql));
    // Of a whole table that is missing its name says enough.
    return (await partsOf(model)).filter(
      (part) => !here.has(part) && (!part.includes(".") || here.has(part.slice(0, part.indexOf(".")))),
    );
  } finally {
    model.close();
  }
}

/** Everything by its name, and the columns of tables and views by theirs. */
const partsOf = async (sql: Sql): Promise<readonly string[]> =>
  (
    await sql.read(() =>
      all<{ part: string }>(
        `select name as part from sqlite_schema
         union all select schema.name || '.' || info.name from sqlite_schema as schema, pragma_table_info(schema.name) as info
           where schema.type in ('table', 'view')`,
      ),
    )
  ).map(({ part }) => part);

/** Copies a database aside before something is done to it, and lets go of the oldest of such copies. */
export async function copyBefore(database: string, version: string, now: number): Promise<string> {
  const folder = backupsBeside(database);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stamp = new Date(now).toISOString().replaceAll(/[-:.]/gu, "");
  const path = join(folder, `before-${version}-${stamp}.db`);
  // One of this very moment is whole: whoever made it died afterwards.
  if (existsSync(path)) return path;
  const half = `${path}.making`;
  rmSync(half, { force: true });
  await copyDatabase(database, half);
  renameSync(half, path);
  const kept = readdirSync(folder)
    .filter((name) => /^before-.*\.db$/u.test(name))
    .map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }))
    .toSorted((one, other) => other.at - one.at || (one.name < other.name ? 1 : -1));
  for (const { name } of kept.slice(maxKept)) rmSync(join(folder, name), { force: true });
  return path;
}
