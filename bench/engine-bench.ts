import { readFileSync, statSync } from "node:fs";
import { performance } from "node:perf_hooks";
import Database from "better-sqlite3";
import type { AnyWorkflow } from "../src/engine/index.ts";
import { built } from "./built.ts";

const silent = { info: () => undefined, error: () => undefined };

/** One engine on a file, carrying one run after the other to its end. */
export async function openBenchEngine(path: string, workflows: readonly AnyWorkflow[]) {
  const { openSqlite } = await built("sql");
  const { migrateEngine, openEngine, startRun } = await built("engine");
  const { systemClock } = await built("clock");
  const { isDead, thisProcess } = await built("owner");
  const sql = openSqlite(path);
  await migrateEngine(sql);
  const clock = systemClock();
  const ended = new Map<string, () => void>();
  const engine = openEngine({
    sql,
    clock,
    random: Math.random,
    owner: thisProcess(),
    isDead,
    workflows,
    checkDeterminism: true,
    log: silent,
    onLeft: (run) => ended.get(run)?.(),
  });
  let runs = 0;
  return {
    sql,
    /** Milliseconds from the order until the run is over. */
    run: async (workflow: string): Promise<number> => {
      runs += 1;
      const run = `${workflow}/${runs}`;
      const over = new Promise<void>((resolve) => ended.set(run, resolve));
      const start = performance.now();
      await sql.commit(() => startRun({ run, workflow, input: {}, at: clock.now() }));
      engine.poke();
      await over;
      const took = performance.now() - start;
      const row = await engine.run(run);
      if (row?.status !== "finished") throw new Error(`${run} is ${row?.status}: ${row?.error}`);
      return took;
    },
    close: async () => {
      await engine.down(0);
      sql.close();
    },
  };
}

/** Bare commits of one small row, as durable as ours: the floor of what a step can cost. */
export function rawCommits(path: string) {
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("create table if not exists raw (id integer primary key, text text)");
  const insert = database.prepare("insert into raw (text) values ('nothing')");
  return {
    commit: (count: number): number[] =>
      Array.from({ length: count }, () => {
        const start = performance.now();
        insert.run();
        return performance.now() - start;
      }),
    close: () => database.close(),
  };
}

/** Bytes of the pages a database holds, those still in its log included. */
export function bytesIn(path: string): number {
  const database = new Database(path, { readonly: true });
  const pages = Number(database.pragma("page_count", { simple: true }));
  const bytes = pages * Number(database.pragma("page_size", { simple: true }));
  database.close();
  return bytes;
}

/**
 * Commits in the write-ahead log: with `synchronous=FULL` each is one fsync. A frame that ends a commit says how large
 * the database is then; all others say 0.
 */
export function commitsIn(path: string): number {
  const log = `${path}-wal`;
  if (statSync(log).size < 32) return 0;
  const bytes = readFileSync(log);
  const frame = 24 + bytes.readUInt32BE(8);
  const salt = bytes.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + frame <= bytes.length; at += frame) {
    if (!bytes.subarray(at + 8, at + 16).equals(salt)) break;
    if (bytes.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}
