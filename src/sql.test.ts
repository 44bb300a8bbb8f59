import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { all, one, openSqlite, run } from "./sql.ts";

const open = () => openSqlite(join(mkdtempSync(join(tmpdir(), "sql-")), "t.db"));

test("verbs that wait together share a transaction, and one that fails takes only itself along", async () => {
  const sql = open();
  sql.script("create table t (id integer primary key, v text not null)");
  const results = await Promise.allSettled([
    sql.commit(() => run("insert into t values (1, 'a')")),
    sql.commit(function* () {
      yield* run("insert into t values (2, 'b')");
      yield* run("insert into t values (3, null)");
    }),
    sql.commit(() => run("insert into t values (4, 'd')")),
  ]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await sql.read(() => all<{ id: number }>("select id from t order by id"))).toEqual([
    { id: 1 },
    { id: 4 },
  ]);
  sql.close();
});

test("a verb that throws between statements leaves nothing behind", async () => {
  const sql = open();
  sql.script("create table t (id integer primary key)");
  const verb = sql.commit(function* () {
    yield* run("insert into t values (1)");
    throw new Error("the caller changed its mind");
  });
  await expect(verb).rejects.toThrow("changed its mind");
  expect(await sql.read(() => one("select * from t"))).toBeUndefined();
  sql.close();
});

test("closing commits what still waits", async () => {
  const sql = open();
  sql.script("create table t (id integer primary key)");
  const waiting = sql.commit(() => one<{ id: number }>("insert into t values (1) returning id"));
  sql.close();
  await expect(waiting).resolves.toEqual({ id: 1 });
});

test("a script of several statements is applied whole or not at all", async () => {
  const sql = open();
  expect(() => sql.script("create table a (id integer); create table a (id integer);")).toThrow(
    "already exists",
  );
  expect(await sql.read(() => all("select name from sqlite_master"))).toEqual([]);
  sql.close();
});
