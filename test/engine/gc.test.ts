import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import {
  collectDaily,
  collectGarbage,
  keepSummary,
  migrateEngine,
  summariesOf,
} from "../../src/engine/index.ts";
import { migrate } from "../../src/store/database.ts";
import { runLogName } from "../../src/adapters/logs/log-paths.ts";
import { retire } from "../../src/retention.ts";
import { all, one, openSqlite, type Sql } from "../../src/sql.ts";
import { temporaryFolder } from "../temporary.ts";

const day = 86_400_000;
const now = 100 * day;
const long = "x".repeat(10_000);

async function opened(): Promise<Sql> {
  const sql = openSqlite(join(temporaryFolder("gc-"), "t.db"));
  await migrateEngine(sql);
  for (const [run, settled] of [
    ["old", 60 * day],
    ["young", 80 * day],
    ["open", undefined],
  ] as const) {
    const status = settled === undefined ? "waiting" : "finished";
    sql.script(
      `insert into run (id, workflow, input, status, output, created_at, settled_at) values ('${run}', 'w', '{}', '${status}', '"result"', 1, ${settled ?? "null"});
       insert into attempt (run, leaf, iteration, attempt, status, output, memory, started_at) values ('${run}', 'a', '', 1, 'failed', '"${long}"', '{"session":"s"}', 1), ('${run}', 'b', '', 1, 'failed', '"short"', null, 1), ('${run}', 'c', '', 1, 'finished', '"${long}"', '{"session":"s"}', 1);
       with recursive n (i) as (select 1 union all select i + 1 from n where i < 1200)
         insert into said (attempt, n, at, kind, text) select (select seq from attempt where run = '${run}' and leaf = 'c'), i, 1, 'text', '${long.slice(0, 500)}' from n;`,
    );
  }
  sql.script(
    `insert into cached (scope, key, output, at, expires_at) values ('global', 'gone', '1', 1, ${now - 1}), ('global', 'good', '1', 1, ${now + 1}), ('global', 'for ever', '1', 1, null)`,
  );
  return sql;
}
const keptOf = async (sql: Sql, run: string) => ({
  lines: (
    await sql.read(() =>
      one<{ n: number }>(
        "select count(*) as n from said where attempt in (select seq from attempt where run = ?)",
        run,
      ),
    )
  )?.n,
  attempts: await sql.read(() =>
    all<{ leaf: string; length: number | null; memory: string | null }>(
      "select leaf, length(output) as length, memory from attempt where run = ? order by leaf",
      run,
    ),
  ),
  run: await sql.read(() => one("select status, output from run where id = ?", run)),
});
const pagesOf = async (sql: Sql): Promise<number> =>
  (await sql.read(() => one<{ page_count: number }>("pragma page_count")))?.page_count ?? 0;

test("an old run gives up what is bulky, and nothing that it came to", async () => {
  const sql = await opened();
  const [young, open, pages] = [await keptOf(sql, "young"), await keptOf(sql, "open"), await pagesOf(sql)];
  const order = { before: now - 30 * day, now };
  const told = await collectGarbage(sql, { ...order, how: "look" });
  expect(told).toMatchObject({ runs: ["old"], lines: 1200, memories: 2, outputs: 1, cached: 1 });
  expect(await pagesOf(sql)).toBe(pages);
  expect(await collectGarbage(sql, { ...order, how: "free" })).toEqual(told);
  expect(await keptOf(sql, "old")).toEqual({
    lines: 0,
    attempts: [
      { leaf: "a", length: null, memory: null },
      { leaf: "b", length: 7, memory: null },
      { leaf: "c", length: long.length + 2, memory: null },
    ],
    run: { status: "finished", output: '"result"' },
  });
  expect(await keptOf(sql, "young")).toEqual(young);
  expect(await keptOf(sql, "open")).toEqual(open);
  expect(await sql.read(() => all("select key from cached order by key"))).toEqual([
    { key: "for ever" },
    { key: "good" },
  ]);
  // The file itself is smaller.
  expect(await pagesOf(sql)).toBeLessThan(pages * 0.8);
  expect(await collectGarbage(sql, { ...order, how: "free" })).toMatchObject({ runs: [], bytes: 0 });
  sql.close();
});

test("no commit takes away more than a few hundred rows", async () => {
  const sql = await opened();
  const most = { rows: 0 };
  const counting: Sql = {
    ...sql,
    commit: async (verb) => {
      const before = await sql.read(() => one<{ n: number }>("select total_changes() as n"));
      const done = await sql.commit(verb);
      const after = await sql.read(() => one<{ n: number }>("select total_changes() as n"));
      most.rows = Math.max(most.rows, (after?.n ?? 0) - (before?.n ?? 0));
      return done;
    },
  };
  await collectGarbage(counting, { before: now - 30 * day, now, how: "free" });
  expect(most.rows).toBeGreaterThan(0);
  expect(most.rows).toBeLessThanOrEqual(500);
  sql.close();
});

test("looked for by itself, it is done once a day", async () => {
  const sql = await opened();
  expect(await collectDaily(sql, now)).toMatchObject({ runs: ["old"] });
  expect(await collectDaily(sql, now + day - 1)).toBeUndefined();
  expect(await collectDaily(sql, now + 20 * day)).toMatchObject({ runs: ["young"] });
  sql.close();
});

test("logs of old sessions go, a path outside the logs and the ledger stay", async () => {
  const sql = await opened();
  await migrate(sql);
  const home = temporaryFolder("gc-logs-");
  const logDir = join(home, "logs");
  mkdirSync(logDir);
  const logs = { ticketLogs: logDir, runLogs: undefined };
  const paths = { old: join(logDir, "old"), young: join(logDir, "young"), outside: join(home, "outside") };
  for (const path of Object.values(paths)) writeFileSync(path, "{}");
  const row = (key: string, path: string, ended: number): string =>
    `('${key}', 'r', 't', 'builder', 'codex', '${path}', 1, ${ended})`;
  sql.script(
    `insert into agent_session (key, run, ticket, role, runtime, log_path, started_at, ended_at) values ${[row("1", paths.old, 60 * day), row("2", paths.young, 80 * day), row("3", paths.outside, 60 * day)].join()}`,
  );
  expect((await retire(sql, { now, days: 30, how: "look", logs })).logs).toBe(1);
  expect(existsSync(paths.old)).toBe(true);
  expect((await retire(sql, { now, days: 30, how: "free", logs })).logs).toBe(1);
  expect(Object.values(paths).map((path) => existsSync(path))).toEqual([false, true, true]);
  expect((await retire(sql, { now, days: 30, how: "free", logs })).logs).toBe(0);
  sql.close();
});

test("where logs take too much the oldest go first, and never one that is written", async () => {
  const sql = await opened();
  await migrate(sql);
  const ticketLogs = temporaryFolder("gc-much-");
  const paths = ["a", "b", "c", "d"].map((name) => join(ticketLogs, name));
  for (const path of paths) writeFileSync(path, "x".repeat(100));
  const ends = [90 * day, 80 * day, 95 * day, "null"];
  sql.script(
    `insert into agent_session (key, run, ticket, role, runtime, log_path, started_at, ended_at) values ${paths.map((path, index) => `('${index}', 'r', 't', 'build', 'codex', '${path}', 1, ${ends[index]})`).join()}`,
  );
  const logs = { ticketLogs, runLogs: undefined, mostBytes: 250 };
  expect((await retire(sql, { now, days: 30, how: "look", logs })).logs).toBe(2);
  expect((await retire(sql, { now, days: 30, how: "free", logs })).logs).toBe(2);
  expect(paths.map((path) => existsSync(path))).toEqual([false, false, true, true]);
  const tight = { ...logs, mostBytes: 1 };
  expect((await retire(sql, { now, days: 30, how: "free", logs: tight })).logs).toBe(1);
  expect(paths.map((path) => existsSync(path))).toEqual([false, false, false, true]);
  sql.close();
});

test("what runtimes said in old runs goes with them, and with runs that nobody knows; a summary stays", async () => {
  const sql = await opened();
  await sql.commit(() => keepSummary("old", 60 * day, { text: "Told.", by: "forgehand", note: undefined }));
  const runLogs = join(temporaryFolder("gc-runs-"), "w.db-logs");
  const logs = { ticketLogs: undefined, runLogs };
  expect((await retire(sql, { now, days: 30, how: "free", logs })).logs).toBe(0);
  const runs = ["old", "young", "open", "unknown"];
  const files = runs.map((run) => join(runLogs, runLogName(run), "one.jsonl.gz"));
  for (const path of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "x");
  }
  writeFileSync(join(runLogs, "notes"), "of somebody else");
  expect((await retire(sql, { now, days: 30, how: "look", logs })).logs).toBe(2);
  expect((await retire(sql, { now, days: 30, how: "free", logs })).logs).toBe(2);
  expect(files.map((path) => existsSync(path))).toEqual([false, true, true, false]);
  expect(existsSync(join(runLogs, "notes"))).toBe(true);
  expect(await sql.read(() => summariesOf(["old"]))).toHaveLength(1);
  sql.close();
});

test("the snapshots of a run are forgotten with its bulk, unless an open run was made of it", async () => {
  const sql = await opened();
  const files =
    "update attempt set folder = '/repo', snapshot = 'abc', baseline = 'def' where run in ('old', 'open')";
  sql.script(`${files}; update run set parent = 'old' where id = 'open'`);
  const forgotten: string[] = [];
  const forget = async (folder: string, prefix: string) => void forgotten.push(`${folder} ${prefix}`);
  const order = { before: now - 30 * day, now, how: "free", forget } as const;
  await collectGarbage(sql, order);
  expect(forgotten).toEqual([]);
  sql.script(
    "update run set parent = null where id = 'open'; update run set cleaned_at = null where id = 'old'",
  );
  await collectGarbage(sql, order);
  expect(forgotten).toEqual([expect.stringMatching(/^\/repo refs\/forgehand\/old-/u)]);
  const kept = await sql.read(() =>
    all("select snapshot from attempt where snapshot is not null and run = 'old'"),
  );
  expect(kept).toEqual([]);
});
