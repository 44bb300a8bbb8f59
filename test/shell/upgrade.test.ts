/** Migrations of a database that is there: all or none, and a copy from before. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { faultOf, shapeOf, versionsIn } from "../../src/backup/copy.ts";
import { migrateEngine } from "../../src/engine/index.ts";
import { all, openSqlite, type Sql } from "../../src/sql.ts";
import { migrate, migrations } from "../../src/store/database.ts";
import { backupsBeside, bringUpToDate, copyBefore } from "../../src/upgrade.ts";

let dir: string;
let database: string;
let sql: Sql;
const added = (number: number, text: string) => ({ number, name: `000${number}-added.sql`, text });
const newest = migrations().at(-1)?.number ?? 0;
const now = Date.UTC(2026, 0, 5);
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "upgrade-"));
  database = join(dir, "forgehand.db");
  sql = openSqlite(database);
  await migrateEngine(sql);
  await migrate(sql);
  sql.script("insert into setting (key, value, actor, at) values ('mine', 'kept', 'me', 1)");
});
afterEach(() => {
  sql.close();
  rmSync(dir, { recursive: true, force: true });
});
const kept = (): readonly string[] => readdirSync(backupsBeside(database));
const tables = async () =>
  (await sql.read(() => all<{ name: string }>("select name from sqlite_schema where type = 'table'"))).map(
    ({ name }) => name,
  );

test("nothing is copied where nothing is due, nor for a database that is only now made", async () => {
  expect(await bringUpToDate(sql, { database, now })).toBeUndefined();
  const path = join(dir, "new", "forgehand.db");
  rmSync(join(dir, "new"), { recursive: true, force: true });
  const fresh = openSqlite(join(dir, "fresh.db"));
  expect(await bringUpToDate(fresh, { database: path, now })).toBeUndefined();
  fresh.close();
  expect(readdirSync(dir)).not.toContain("backups");
});

test.each([
  ["a table", "drop table cost_day", "cost_day"],
  ["a column", "alter table web_session drop column kind", "web_session.kind"],
  ["an index", "drop index ticket_over", "ticket_over"],
  ["a table of the engine", "drop table run_order", "run_order"],
])(
  "one that lacks %s and says it is up to date is refused in words, and is left as it is",
  async (_what, drop, named) => {
    sql.script(drop);
    await expect(bringUpToDate(sql, { database, now })).rejects.toMatchObject({
      code: "database-unlike",
      told: { what: expect.stringContaining(`keeps there: ${named}.`) as string },
    });
    expect(readdirSync(dir)).not.toContain("backups");
  },
);

test("before a migration the database is copied, whole, and the migration is made", async () => {
  const known = [...migrations(), added(newest + 1, "create table later (a integer);")];
  const copy = (await bringUpToDate(sql, { database, now, known })) ?? "";
  expect(await tables()).toContain("later");
  expect(faultOf(copy)).toBeUndefined();
  expect(versionsIn(copy)?.store).toBe(newest);
  expect(versionsIn(database)?.store).toBe(newest + 1);
  expect(shapeOf(copy)).not.toBe(shapeOf(database));
  const before = openSqlite(copy, { readonly: true });
  expect(await before.read(() => all("select value from setting where key = 'mine'"))).toEqual([
    { value: "kept" },
  ]);
  before.close();
});

test("where the second of two migrations fails, neither is made, and the copy is named", async () => {
  const shape = shapeOf(database);
  const known = [
    ...migrations(),
    added(newest + 1, "create table later (a integer); update setting set value = 'changed';"),
    added(newest + 2, "insert into nowhere values (1);"),
  ];
  const failed = await bringUpToDate(sql, { database, now, known }).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: "upgrade-failed" });
  expect(String(failed)).toContain(join(backupsBeside(database), kept()[0] ?? "?"));
  expect(await tables()).not.toContain("later");
  expect(await sql.read(() => all("select value from setting where key = 'mine'"))).toEqual([
    { value: "kept" },
  ]);
  expect(shapeOf(database)).toBe(shape);
  expect(await bringUpToDate(sql, { database, now: now + 1 })).toBeUndefined();
});

test("a database of a newer version is refused and left as it is", async () => {
  sql.script("insert into store_migration (number, name) values (999, 'later')");
  await expect(bringUpToDate(sql, { database, now })).rejects.toMatchObject({ code: "database-newer" });
  sql.script("delete from store_migration where number = 999; insert into engine_migration values (999)");
  await expect(bringUpToDate(sql, { database, now })).rejects.toMatchObject({ code: "database-newer" });
});

test("the last five copies are kept", async () => {
  for (let day = 0; day < 7; day += 1) await copyBefore(database, "1.0.0", now + day * 86_400_000);
  expect(kept()).toHaveLength(5);
  expect(kept().some((name) => name.includes("20260105T"))).toBe(false);
  expect(kept().some((name) => name.includes("20260111T"))).toBe(true);
});
