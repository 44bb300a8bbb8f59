import { constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  accessProblem,
  closedPart,
  databaseProblem,
  remedyFor,
  secondInstance,
} from "./problems-database.ts";

const dir = mkdtempSync(join(tmpdir(), "access-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, "x.db");
writeFileSync(file, "");

/** Root may do everything, so a user who may not is played: `refused` says what the system answers for a path. */
const userRefused =
  (refused: Readonly<Record<string, string>>) =>
  (path: string, mode: number): void => {
    const code = refused[path.replace(/\/\.$/u, "")];
    // A disk that may only be read refuses nothing but writing.
    if (code !== undefined && (code !== "EROFS" || mode === constants.W_OK))
      throw Object.assign(new Error(code), { code });
  };
const cannotOpen = Object.assign(new Error("unable to open database file"), { code: "SQLITE_CANTOPEN" });

describe("what keeps a user from a database is named", () => {
  test("a file that is closed", () => {
    expect(databaseProblem(cannotOpen, file, userRefused({ [file]: "EACCES" }))).toMatchObject({
      code: "database-closed",
      exitCode: 6,
      values: { path: file, closed: file },
      cause: cannotOpen,
    });
  });
  test("a folder that is closed, the first on the way", () => {
    const look = userRefused({ [dir]: "EACCES", [file]: "EACCES" });
    expect(databaseProblem(cannotOpen, file, look)).toMatchObject({
      code: "database-closed",
      values: { closed: dir },
    });
    expect(closedPart(join(dir, "mcp.yml"), look)).toBe(dir);
  });
  test("a folder that is not there", () => {
    expect(databaseProblem(cannotOpen, join(dir, "gone", "deep", "x.db"))).toMatchObject({
      code: "database-unopenable",
      exitCode: 4,
      values: { why: `there is no folder ${join(dir, "gone")}` },
    });
  });
  test("a folder in its place", () => {
    expect(databaseProblem(cannotOpen, dir)?.told.what).toContain("it is a folder");
  });
  test("a file beside it that cannot be written, though the database can", () => {
    const error = Object.assign(new Error("attempt to write"), { code: "SQLITE_READONLY_CANTINIT" });
    const problem = databaseProblem(error, file, userRefused({ [`${file}-shm`]: "EACCES" }));
    expect(problem).toMatchObject({ code: "database-readonly", values: { closed: `${file}-shm` } });
    expect(problem?.told.do).toContain(`${file}-shm`);
  });
  test("a disk that may only be read, whatever SQLite says", () => {
    const look = userRefused({ [file]: "EROFS", [dir]: "EROFS" });
    expect(databaseProblem(cannotOpen, file, look)).toMatchObject({ code: "database-readonly", exitCode: 6 });
  });
  test("a folder that could not be made", () => {
    const error = Object.assign(new Error("EACCES"), {
      code: "EACCES",
      syscall: "mkdir",
      path: "/else/where",
    });
    expect(databaseProblem(error, file)).toMatchObject({
      code: "database-closed",
      values: { closed: "/else/where" },
    });
  });
  test("a table that was taken away", () => {
    const error = Object.assign(new Error("no such table: ledger"), { code: "SQLITE_ERROR" });
    expect(databaseProblem(error, file)).toMatchObject({
      code: "database-broken",
      values: { path: file, why: "no such table: ledger" },
    });
  });
  test("nothing, for who may do all, and for what is no error of a database", () => {
    expect(accessProblem(file)).toBeUndefined();
    expect(databaseProblem(cannotOpen, file)?.code).toBe("database-unopenable");
    expect(databaseProblem(new Error("bug"), file)).toBeUndefined();
  });
});

test("a full disk is told of with its path, and with what helps", () => {
  const error = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
  expect(remedyFor(error, file)).toMatch(new RegExp(`${file} is full.*Free space there`, "u"));
  expect(remedyFor(new Error("bug"), file)).toBeUndefined();
});

test("whoever has the database is told with the time", () => {
  const { message } = secondInstance("/db", { pid: 7, host: "h", since: 0 });
  expect(message).toContain("process 7 on h, since 1970-01-01T00:00:00.000Z.");
});
