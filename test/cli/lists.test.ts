/** `cost`, `history` and `waiting`: what the pages tell, on the command line. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CostsView } from "../../src/ports-dashboard-costs.ts";
import type { HistoryView } from "../../src/ports-dashboard-history.ts";
import { fillDatabase, issueIn, type Filled } from "./filled.ts";
import { run } from "./run.ts";

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

test("waiting lists what a person has to act upon, and how", async () => {
  const rows = await json<readonly { readonly state: string }[]>("waiting");
  expect(rows.map(({ state }) => state).toSorted()).toEqual(["Blocked", "In Review"]);
  expect((await ask("waiting")).out).toContain(`acme/web#${issueIn("Blocked")}`);
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
