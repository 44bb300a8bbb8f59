/** Another process's commits are heard of, and nothing is once it was stopped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchDatabase } from "../../src/adapters/database-watch.ts";
import { openSqlite, run, type Sql } from "../../src/sql.ts";

let dir: string;
let mine: Sql;
let theirs: Sql;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "watch-"));
  mine = openSqlite(join(dir, "db"));
  mine.script("create table word (text text)");
  theirs = openSqlite(join(dir, "db"));
});
afterEach(() => {
  theirs.close();
  rmSync(dir, { recursive: true });
});
const write = (): Promise<void> => theirs.commit(() => run("insert into word values ('x')"));

it("hears of each commit of another, and of none of its own", async () => {
  let heard = 0;
  const stop = watchDatabase(
    join(dir, "db"),
    () => mine.version(),
    () => (heard += 1),
  );
  try {
    await mine.commit(() => run("insert into word values ('own')"));
    await setTimeout(200);
    expect(heard).toBe(0);
    await write();
    await expect.poll(() => heard, { timeout: 5_000 }).toBe(1);
  } finally {
    stop();
    mine.close();
  }
});

it("asks for nothing once it is stopped, also when both ways to look were due at once", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  try {
    let asked = 0;
    const version = (): number => {
      asked += 1;
      return mine.version();
    };
    const stop = watchDatabase(join(dir, "db"), version, () => undefined);
    // What it does every second is due before what the file system is about to make it do.
    vi.advanceTimersByTime(995);
    await write();
    while (vi.getTimerCount() < 2) await setImmediate();
    vi.advanceTimersByTime(5);
    expect(asked).toBe(2);
    stop();
    vi.advanceTimersByTime(5_000);
    expect(asked).toBe(2);
    mine.close();
  } finally {
    vi.useRealTimers();
  }
});
