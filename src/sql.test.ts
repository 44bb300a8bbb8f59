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

test("the first of a turn is on disk before the turn ends, and those after it share one transaction", async () => {
  const transactions: number[] = [];
  const path = join(mkdtempSync(join(tmpdir(), "sql-")), "t.db");
  const sql = openSqlite(path, { onCommit: () => transactions.push(done.length) });
  sql.script("create table t (id integer primary key)");
  const done: number[] = [];
  const keep = async (id: number): Promise<void> => {
    await sql.commit(() => run("insert into t values (?)", id));
    done.push(id);
  };
  const ended = new Promise<readonly number[]>((resolve) => {
    setImmediate(() => resolve([...done]));
  });
  await keep(1);
  await Promise.all([keep(2), keep(3), keep(4)]);
  expect(await ended).toEqual([1]);
  expect(done).toEqual([1, 2, 3, 4]);
  expect(transactions).toEqual([0, 1]);
  sql.close();
});

test("more than one transaction takes is still written whole", async () => {
  const sql = open();
  sql.script("create table t (id integer primary key)");
  const all600 = Array.from({ length: 600 }, (_, id) => id);
  await Promise.all(all600.map((id) => sql.commit(() => run("insert into t values (?)", id))));
  expect(await sql.read(() => one("select count(*) as n from t"))).toEqual({ n: 600 });
  sql.close();
});

test("whoever asks for one row gets the first, and what it changed is kept", async () => {
  const sql = open();
  sql.script("create table t (id integer primary key, v text)");
  const first = await sql.commit(() =>
    one<{ id: number }>("insert into t (v) values ('a'), ('b'), ('c') returning id"),
  );
  expect(first).toEqual({ id: 1 });
  expect(await sql.read(() => all("select v from t order by id"))).toEqual([
    { v: "a" },
    { v: "b" },
    { v: "c" },
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

test("a statement is planned once, whatever its arguments are", async () => {
  const sql = open();
  sql.script(`create table t (id integer primary key, v text not null, w text not null default '?');
    create index newer on t (id) where v = 'new'`);
  const planOf = (v: string) =>
    sql.read(() => all<{ detail: string }>("explain query plan select id from t where v = ? order by id", v));
  // With an eye on what is bound SQLite takes the index for the one and not for the other, and plans anew each time.
  expect(await planOf("new")).toEqual(await planOf("old"));
  sql.close();
});

test("a question mark within quotes or a comment is no argument", async () => {
  const sql = open();
  sql.script(`create table t (id integer primary key, v text, "odd?" text)`);
  await sql.commit(() =>
    run(`insert into t (id, v, "odd?") values (?, 'why?', ?), (2, 'it''s?', null)`, 1, "so"),
  );
  const rows = await sql.read(() =>
    all(
      `select v, "odd?" as odd -- which?
       from t where id >= ? order by id limit ?`,
      1,
      5,
    ),
  );
  expect(rows).toEqual([
    { v: "why?", odd: "so" },
    { v: "it's?", odd: null },
  ]);
  sql.close();
});
