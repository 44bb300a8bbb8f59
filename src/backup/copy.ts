/** Copies of a database that is in use, and what one tells of itself; knows nothing of what its rows mean. */
import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";

/** All that is left, in one step: a copy that pauses begins anew whenever somebody writes. */
const allPages = 2 ** 31 - 1;
const busyMs = 5_000;

/** How far a file has come: the newest migration of the store and of the engine; 0 where there is none. */
export interface Versions {
  readonly store: number;
  readonly engine: number;
}

/**
 * A copy of the database as it is at one moment, in one file that only this user may read. Whoever works on the original
 * goes on; nobody is said to work on the copy. The target must not be there.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  writeFileSync(to, "", { mode: 0o600, flag: "wx" });
  const source = new Database(from, { readonly: true, fileMustExist: true, timeout: busyMs });
  try {
    await source.backup(to, { progress: () => allPages });
  } finally {
    source.close();
  }
  const copy = new Database(to, { fileMustExist: true });
  try {
    // One file, without a log beside it.
    copy.pragma("journal_mode = delete");
    if (hasTable(copy, "instance")) copy.exec("delete from instance");
  } finally {
    copy.close();
  }
}

/** What is wrong with the file as a database, read to its end; undefined when nothing is. */
export function faultOf(path: string): string | undefined {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyMs });
    try {
      const answer = db.pragma("integrity_check(1)", { simple: true });
      return answer === "ok" ? undefined : String(answer);
    } finally {
      db.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Undefined where there is no database of ours at this path. */
export function versionsIn(path: string): Versions | undefined {
  if (!existsSync(path)) return undefined;
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyMs });
  try {
    const newest = (table: string): number =>
      hasTable(db, table)
        ? Number(db.prepare(`select coalesce(max(number), 0) from ${table}`).pluck().get())
        : 0;
    return hasTable(db, "store_migration")
      ? { store: newest("store_migration"), engine: newest("engine_migration") }
      : undefined;
  } finally {
    db.close();
  }
}

/** Equal as long as no migration has touched the database. */
export function shapeOf(path: string): string {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyMs });
  try {
    const tables = db.prepare("select type, name, sql from sqlite_schema order by type, name").raw().all();
    const done = ["store_migration", "engine_migration"].map((table) =>
      hasTable(db, table) ? db.prepare(`select number from ${table} order by number`).raw().all() : [],
    );
    return createHash("sha256")
      .update(JSON.stringify([tables, done]))
      .digest("hex");
  } finally {
    db.close();
  }
}

const hasTable = (db: Database.Database, name: string): boolean =>
  db.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(name) !== undefined;
