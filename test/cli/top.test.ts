/** `forgehand top` on a terminal that a test holds: what stands there, and what keys do to the database. */
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { topParts } from "../../src/cli/top.ts";
import { showTop } from "../../src/cli/top/screen.ts";
import { readEnvironment } from "../../src/config-environment.ts";
import { all, openSqlite, type Sql } from "../../src/sql.ts";
import { openStore } from "../../src/store/store.ts";
import { noRuns } from "../../src/store/steps.ts";
import { fillDatabase, issueIn, type Filled } from "./filled.ts";
import { run } from "./run.ts";

let filled: Filled;
let sql: Sql;
beforeEach(async () => {
  filled = await fillDatabase();
  sql = openSqlite(join(filled.dir, "forgehand.db"));
});
afterEach(() => {
  sql.close();
  filled.close();
});

/** A terminal of 30 lines: what is drawn last is what stands there. */
function openTerminal() {
  const frames: string[] = [];
  const stdout = Object.assign(new EventEmitter(), {
    columns: 110,
    rows: 30,
    isTTY: true,
    write: (text: string, done?: unknown): boolean => {
      frames.push(text);
      if (typeof done === "function") (done as () => void)();
      return true;
    },
  }) as unknown as NodeJS.WriteStream;
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => stdin,
    unref: () => stdin,
  }) as unknown as NodeJS.ReadStream & PassThrough;
  const screen = (): string =>
    stripVTControlCharacters(frames.findLast((frame) => frame.includes("forgehand")) ?? "");
  return {
    stdin,
    stdout,
    screen,
    raw: () => frames.join(""),
    shows: (words: string | RegExp) => expect.poll(screen, { timeout: 120_000 }).toMatch(words),
  };
}

// Ink draws nothing before the end where it is told that nobody looks, as CI says.
vi.hoisted(() => {
  process.env["CI"] = "false";
});

test("the board stands there, keys give orders once they are confirmed, and what an agent says can be read", async () => {
  const terminal = openTerminal();
  const store = openStore(sql, noRuns);
  const parts = topParts({ sql, store, environment: readEnvironment({}, () => "") });
  const over = showTop({ ...parts, stdin: terminal.stdin, stdout: terminal.stdout });
  await terminal.shows(/9 open, 2 wait for a person/u);
  const ref = `acme/web#${issueIn("In Review")}`;
  await terminal.shows(new RegExp(`${ref} +In Review`, "u"));
  await terminal.shows(/forgehand is not running/u);
  // A title that would colour the terminal does not.
  expect(terminal.raw()).not.toContain("In Review\u001b[31m");
  terminal.stdin.write("/review");
  await terminal.shows(/filter: review/u);
  terminal.stdin.write("\r");
  terminal.stdin.write("l");
  await terminal.shows(/I read .*the issue\./u);
  await terminal.shows(/tool +Read src\/page\.ts/u);
  terminal.stdin.write("l");
  await terminal.shows(/a approve/u);
  terminal.stdin.write("j");
  terminal.stdin.write("k");
  terminal.stdin.write("a");
  await terminal.shows(/approve acme\/web#\d+\? y \/ n/u);
  terminal.stdin.write("n");
  await terminal.shows(/not done/u);
  terminal.stdin.write("a");
  await terminal.shows(/\? y \/ n/u);
  terminal.stdin.write("y");
  await terminal.shows(/it goes to Merging/u);
  const items = await sql.read(() =>
    all<{ name: string; ticket: string }>("select name, ticket from inbox where source = 'operator'"),
  );
  expect(items).toEqual([{ name: "human.approved", ticket: `github:77#${issueIn("In Review")}` }]);
  terminal.stdin.write("q");
  await over;
});

test("without a terminal it says what prints the same", async () => {
  const { code, err } = await run(["top"], { FORGEHAND_DATABASE: filled.database });
  expect([code, err]).toEqual([4, expect.stringContaining("`forgehand ps` prints the same once")]);
});
