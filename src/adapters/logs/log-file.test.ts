import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLogFile } from "./log-file.ts";

let dir: string;
let now: number;
let instead: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "log-file-"));
  now = Date.UTC(2026, 0, 1);
  instead = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const path = () => join(dir, "logs/forgehand.log");
const open = () =>
  openLogFile({
    path: path(),
    clock: { now: () => now },
    instead: (line) => void instead.push(line),
    mostBytes: 10,
  });
const held = (number?: number): string =>
  readFileSync(number === undefined ? path() : `${path()}.${number}`, "utf8");

test("a line is in the file at once, and only its owner reads it", () => {
  open().write("one\n");
  expect(held()).toBe("one\n");
  expect(statSync(path()).mode & 0o077).toBe(0);
});

test("what was there goes on, also after a crash", () => {
  open().write("one\n");
  utimesSync(path(), now / 1000, now / 1000);
  open().write("two\n");
  expect(held()).toBe("one\ntwo\n");
});

test("a full file is turned, and no line is split or lost", () => {
  const log = open();
  for (const line of ["12345\n", "67890\n", "abcde\n"]) log.write(line);
  expect([held(2), held(1), held()]).toEqual(["12345\n", "67890\n", "abcde\n"]);
  log.write("a line longer than a whole file\n");
  expect(held()).toBe("a line longer than a whole file\n");
});

test("a file is turned on another day, one of an earlier process too", () => {
  const log = open();
  log.write("one\n");
  now += 24 * 60 * 60_000;
  log.write("two\n");
  expect([held(1), held()]).toEqual(["one\n", "two\n"]);
  // The system's clock wrote that file, and it is not the first of January.
  open().write("three\n");
  expect([held(2), held(1), held()]).toEqual(["one\n", "two\n", "three\n"]);
});

test("ten files are kept", () => {
  const log = open();
  for (let number = 0; number < 30; number += 1) log.write(`line ${number}\n`.padEnd(10));
  expect(readdirSync(join(dir, "logs"))).toHaveLength(10);
  expect([held(), held(9)]).toEqual(["line 29\n".padEnd(10), "line 20\n".padEnd(10)]);
});

test("moved away by somebody else, it is written there until it is opened anew, and turned only once", () => {
  const log = open();
  log.write("one\n");
  renameSync(path(), join(dir, "logs/mine"));
  log.write("two\n");
  expect(readFileSync(join(dir, "logs/mine"), "utf8")).toBe("one\ntwo\n");
  log.reopen();
  log.write("three\n");
  expect(held()).toBe("three\n");
  expect(existsSync(`${path()}.1`)).toBe(false);
});

test("trouble of the disk ends no process: it is told once, and the line goes elsewhere or into the old file", () => {
  const log = open();
  log.write("12345\n");
  // Folders in the way of the oldest names: the file cannot be turned.
  mkdirSync(`${path()}.8/x`, { recursive: true });
  mkdirSync(`${path()}.9/x`, { recursive: true });
  log.write("67890\n");
  log.write("abcde\n");
  expect(instead).toHaveLength(1);
  expect(instead[0]).toContain(`the log file ${path()} cannot be written`);
  expect(held()).toBe("12345\n67890\nabcde\n");
});

test("a path that cannot be opened is refused at the start", () => {
  mkdirSync(path(), { recursive: true });
  expect(() => open()).toThrow("EISDIR");
});
