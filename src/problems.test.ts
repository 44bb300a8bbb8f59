import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { ProblemCode } from "./problems.ts";
import { Problem, catalogue, problemOf } from "./problems.ts";
import { openSqlite } from "./sql.ts";

const dir = mkdtempSync(join(tmpdir(), "problems-"));
afterAll(() => rmSync(dir, { recursive: true }));
const thrownBy = (deed: () => void): unknown => {
  try {
    deed();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

describe("every problem says what, why and what to do", () => {
  test.each(Object.keys(catalogue) as ProblemCode[])("%s", (code) => {
    const entry = catalogue[code];
    for (const part of [entry.what, entry.why, entry.do]) expect(part).toMatch(/[.?}]$/u);
    const values = Object.fromEntries(
      [...JSON.stringify(entry).matchAll(/\{(\w+)\}/gu)].map(([, name]) => [name, `<${name}>`]),
    );
    const problem = new Problem(code, values);
    expect(problem.message).not.toMatch(/\{\w+\}|unknown/u);
    expect(problem.exitCode).toBeGreaterThan(0);
  });
});

test.each(["it is in use", "It is in use.", "did you mean PORT?"])(
  "ends once, whoever ends it: %s",
  (wrong) => {
    const { what } = new Problem("environment-wrong", { name: "FORGEHAND_PORT", wrong }).told;
    expect(what).toMatch(/[^.?][.?]$/u);
  },
);

describe("an error of the system is known by what it means to the operator", () => {
  const error = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });
  test.each([
    [error("SQLITE_FULL"), "database-full", 1],
    [error("ENOSPC"), "database-full", 1],
    [error("SQLITE_READONLY_DBMOVED"), "database-readonly", 6],
    [error("SQLITE_NOBINARY"), "database-binary-absent", 4],
    [error("SQLITE_BUSY_SNAPSHOT"), "database-busy", 9],
    [error("SQLITE_CORRUPT_INDEX"), "database-broken", 1],
    [error("EACCES", { syscall: "listen", port: 80 }), "port-forbidden", 6],
    [new Error("outer", { cause: error("SQLITE_FULL") }), "database-full", 1],
  ])("%s", (thrown, code, exitCode) => {
    expect(problemOf(thrown, { path: "/db" })).toMatchObject({ code, exitCode, cause: thrown });
  });
  test.each([
    new Error("bug"),
    error("SQLITE_CONSTRAINT_UNIQUE"),
    error("EACCES", { syscall: "open" }),
    "text",
    undefined,
  ])("%s is none", (thrown) => {
    expect(problemOf(thrown)).toBeUndefined();
  });
  test("a problem stays itself, also as a cause", () => {
    const problem = new Problem("second-instance", { path: "/db", pid: 7, host: "h", since: "noon" });
    expect(problemOf(new Error("outer", { cause: problem }))).toBe(problem);
    expect(problem.message).toContain("process 7 on h, since noon");
    expect(problem.exitCode).toBe(9);
  });
});

describe("what really happens", () => {
  test("a database that is none", () => {
    const path = join(dir, "none.db");
    writeFileSync(path, "this is text, not a database, and long enough to be read as a header of one");
    expect(
      problemOf(
        thrownBy(() => openSqlite(path)),
        { path },
      )?.code,
    ).toBe("database-broken");
  });
  test("a database in no directory", () => {
    const path = join(dir, "gone", "x.db");
    const thrown = thrownBy(() => openSqlite(path));
    expect(thrown).toBeInstanceOf(Error);
    expect(problemOf(thrown)).toMatchObject({ code: "database-unopenable", values: { path } });
  });
  test("writing to a database opened read-only", async () => {
    const path = join(dir, "ro.db");
    openSqlite(path).close();
    const sql = openSqlite(path, { readonly: true });
    const thrown = thrownBy(() => sql.script("create table x (y)"));
    sql.close();
    expect(problemOf(thrown, { path })?.code).toBe("database-readonly");
  });
  test("a taken port", async () => {
    const first = createServer();
    await new Promise<void>((resolve) => void first.listen(0, "127.0.0.1", resolve));
    const address = first.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const second = createServer();
    const thrown = await new Promise<unknown>((resolve) => {
      second.once("error", resolve);
      second.listen(port, "127.0.0.1");
    });
    await new Promise((resolve) => void first.close(resolve));
    expect(problemOf(thrown)).toMatchObject({ code: "port-taken", values: { port, host: "127.0.0.1" } });
  });
});
