/** `cost`, `history` and `waiting`: what the pages tell, on the command line. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CostsView } from "../../src/ports-dashboard-costs.ts";
import type { HistoryView } from "../../src/ports-dashboard-history.ts";
import { migrations } from "../../src/engine/migrate.ts";
import { openAsks } from "../../src/engine/index.ts";
import { all, openSqlite } from "../../src/sql.ts";
import { fillDatabase, issueIn, type Filled } from "./filled.ts";
import { cacheFolder, program, run } from "./run.ts";

let filled: Filled;
beforeAll(async () => {
  filled = await fillDatabase();
});
afterAll(() => filled.close());

const ask = (...argv: readonly string[]) => run([...argv, "--database", filled.database]);
async function json<Data>(...argv: readonly string[]): Promise<Data> {
  const { out } = await ask(...argv, "--json");
  return (JSON.parse(out) as { readonly data: Data }).data;
}

test("cost tells the sums of the sessions, by whatever is asked", async () => {
  const since = ["--since", "2026-01-05"];
  const { rows, total } = await json<CostsView>("cost", "--by", "runtime", ...since);
  expect(rows).toMatchObject([{ name: "codex", usd: 0.42, sessions: 1, inputTokens: 1200 }]);
  expect(total.usd).toBe(0.42);
  const { code, out, err } = await ask("cost", "--by", "ticket", ...since);
  expect(code).toBe(0);
  expect(out.split("\n")[1]).toBe(`acme/web#${issueIn("In Review")}\t$0.42\t1\t0\t1200\t0\t340`);
  expect(err).toContain("of $100, warned from $50");
});

test("history finds what the page finds, and goes on where it ended", async () => {
  const first = await json<HistoryView>("history", "--limit", "4");
  expect(first.rows.length).toBe(4);
  const second = await json<HistoryView>("history", "--limit", "50", "--after", first.next ?? "");
  expect(new Set([...first.rows, ...second.rows].map(({ id }) => id)).size).toBe(11);
  const { out } = await ask("history", "--outcome", "merged", "--repo", "acme/web", "ticket", "done");
  expect(out.split("\n").length).toBe(3);
  expect(out).toContain(`acme/web#${issueIn("Done")}\tmerged`);
  // A title must not drive the terminal.
  expect(out).not.toContain("\u001b[31m");
  expect((await ask("history", "--label", "nothing")).out).toContain("No ticket is like that");
});

interface Waiting {
  readonly tickets: readonly { readonly state: string }[];
  readonly runs: readonly { readonly run: string; readonly text: string; readonly todo: string }[];
}

test("waiting lists what a person has to act upon, and how: what the spec gate asked about, too", async () => {
  const { tickets, runs } = await json<Waiting>("waiting");
  expect(tickets.map(({ state }) => state).toSorted()).toEqual(["Backlog", "Blocked", "In Review"]);
  expect(runs).toEqual([]);
  expect((await ask("waiting")).out).toContain(`acme/web#${issueIn("Blocked")}`);
});

test("waiting lists what runs ask, of this host and of this folder, with the line that answers it", async () => {
  const own = await fillDatabase();
  const begin = (database: string, run: string): void => {
    mkdirSync(dirname(database), { recursive: true });
    const sql = openSqlite(database);
    for (const script of database === own.database ? [] : migrations) sql.script(script);
    sql.script(
      `insert into run (id, workflow, input, created_at, status) values ('${run}', 'release', '{}', 1, 'waiting');
       insert into attempt (run, leaf, iteration, attempt, status, ask, started_at)
       values ('${run}', 'ship', '', 1, 'waiting', '{"is":"approve","text":"Ship\\u001b[31m it?"}', 2)`,
    );
    sql.close();
  };
  begin(own.database, "release-1");
  begin(join(own.dir, ".forgehand", "workflows.db"), "release-2");
  const look = (...argv: readonly string[]) =>
    run(["waiting", ...argv], { FORGEHAND_DATABASE: own.database }, own.dir);
  const told = await look("--json");
  expect(told.code, told.out).toBe(0);
  const { data } = JSON.parse(told.out) as { readonly data: Waiting };
  expect(data.tickets).toHaveLength(3);
  expect(data.runs.map(({ todo }) => todo).toSorted()).toEqual([
    "forgehand approve release-1 ship",
    "forgehand approve release-2 ship",
  ]);
  const { code, out } = await look();
  expect(code).toBe(0);
  expect(out).toContain("forgehand approve release-2 ship");
  expect(out).not.toContain("\u001b[31m");
  const there = await look("--database", own.database);
  expect(there.out).toContain(`forgehand approve release-1 ship --database ${own.database}`);
  expect(there.out).not.toContain("release-2");
  own.close();
});

test("what asks is found by its index, whatever else there is", async () => {
  const sql = openSqlite(filled.database);
  const { value } = openAsks(0, 10).next([]);
  const asked = value !== undefined && "sql" in value ? value : { sql: "", args: [] };
  const plan = await sql.read(() =>
    all<{ detail: string }>(`explain query plan ${asked.sql}`, ...asked.args),
  );
  expect(plan[0]?.detail).toContain("attempt_asking");
  sql.close();
});

test.each([
  [["cost", "--by", "colour"]],
  [["cost", "--since", "soon"]],
  [["history", "--outcome", "lost"]],
  [["history", "--limit", "0"]],
  [["history", "--until", "2026-02-31"]],
])("%j is refused as a mistake of whoever typed it", async (argv) => {
  const { code, err } = await ask(...argv);
  expect(code).toBe(4);
  expect(err).toContain("error");
});

test.each(["ps", "waiting"])(
  "%s says under one schema what it found and why it could not look",
  async (verb) => {
    const found = await ask(verb, "--json");
    const missing = await run([verb, "--json", "--database", "/nowhere/x.db"]);
    const schemaOf = ({ out }: { readonly out: string }) => (JSON.parse(out) as { schema: string }).schema;
    expect(missing.code).not.toBe(0);
    expect(schemaOf(missing)).toBe(schemaOf(found));
  },
);

test.each([["ps"], ["up"], ["explain", "1"]])("in a folder that was removed %s says so", (...argv) => {
  const folder = mkdtempSync(join(tmpdir(), "gone-"));
  const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"';
  const { status, stderr } = spawnSync(
    "sh",
    ["-c", script, "sh", folder, process.execPath, program, ...argv],
    { env: { PATH: process.env["PATH"], HOME: folder, XDG_CACHE_HOME: cacheFolder }, encoding: "utf8" },
  );
  expect(stderr).toContain("started in is there no more");
  expect(stderr).not.toContain("    at ");
  expect(status).toBe(5);
});
