/** What was spent: the sums are those of the sessions whatever happens to these, and pages, files and commands tell them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CostsView } from "../../src/ports-dashboard-costs.ts";
import type { Viewer } from "../../src/ports-dashboard.ts";
import { all } from "../../src/sql.ts";
import { rebuildCosts } from "../../src/store/costs.ts";
import { csvCell } from "../../src/web/costs-csv.ts";
import { dayIn } from "../../src/web/since.ts";
import { openHouse, type House } from "./house.ts";

const dayMs = 86_400_000;
/** A quarter of the day is over. */
const now = Date.UTC(2026, 0, 20, 6);
const hostile = `=HYPERLINK("http://evil.example"),"<img src=x>"`;
const one = "github:77#1";
const two = "github:78#2";

let house: House;
let count = 0;
async function spend(
  ticket: string,
  change: {
    readonly usd: number;
    readonly daysAgo?: number;
    readonly runtime?: string;
    readonly model?: string;
    readonly pricedBy?: string;
    readonly outcome?: string;
  },
): Promise<string> {
  const { usd, daysAgo = 0, runtime = "codex", model, pricedBy = "runtime", outcome } = change;
  const key = `session-${(count += 1)}`;
  await house.store.openSession({
    key,
    ticket,
    runtime,
    run: `${ticket}/${count}`,
    role: "build",
    logPath: undefined,
    at: now - daysAgo * dayMs,
  });
  const tokens = { inputTokens: 1_000, cachedInputTokens: 250, outputTokens: 100 };
  await house.store.changeSession(key, { ...tokens, usd: usd / 2, pricedBy });
  // Whoever works is seen after something was spent already.
  await house.store.changeSession(key, { ...tokens, usd: usd / 2, model, outcome, endedAt: now });
  return key;
}
const name = (id: string, repo: number, author: string, labels?: readonly string[]): Promise<void> =>
  house.store.name(
    id,
    { repo, number: 1, ref: `r${repo}#1`, title: "A title", url: "", author, branch: id, labels },
    now,
  );
beforeAll(async () => {
  house = await openHouse(() => now);
  const known = { installation: 5, defaultBranch: "main", private: false };
  await house.store.knowRepo({ ...known, id: 78, owner: hostile, name: "api" });
  await name(one, 77, "ada", ["bug", "area/cart"]);
  await name(two, 78, hostile, [hostile]);
  await spend(one, { usd: 2, model: "gpt-5.5", outcome: "done" });
  await spend(one, { usd: 1, daysAgo: 1, model: "gpt-5.5", outcome: "stalled" });
  await spend(one, { usd: 3, daysAgo: 1, runtime: "claude-code", model: "opus-5", pricedBy: "guess" });
  await spend(two, { usd: 4, daysAgo: 400, outcome: "done" });
  await spend(two, { usd: 58, runtime: "claude-code", model: hostile, outcome: "done" });
});
afterAll(() => house.close());

/** Every row of the sums, rounded to what dollars are. */
async function sumsNow(): Promise<unknown> {
  const read = async (sql: string): Promise<readonly unknown[]> =>
    (await house.sql.read(() => all<Record<string, unknown>>(sql))).map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [
          key,
          typeof value === "number" ? Math.round(value * 1e6) / 1e6 : value,
        ]),
      ),
    );
  return {
    days: await read("select * from cost_day where sessions > 0 order by day, repo, runtime, model"),
    shares: await read("select * from cost_share where sessions > 0 order by kind, day, repo, value"),
  };
}
/** The sums as they are kept are those that a count from the beginning gives. */
async function areTheSessions(): Promise<void> {
  const kept = await sumsNow();
  await house.sql.commit(() => rebuildCosts());
  expect(kept).toEqual(await sumsNow());
}

describe("the sums are kept right", () => {
  test("through what sessions report", areTheSessions);
  test("when a run ends that somebody had not closed, or a process died", async () => {
    await house.store.openSession({
      key: "open",
      ticket: one,
      run: `${one}/x`,
      role: "build",
      runtime: "codex",
      logPath: undefined,
      at: now,
    });
    await house.store.changeSession("open", { usd: 0.5, inputTokens: 7 });
    await house.store.endSessionsOf(`${one}/x`, now);
    await areTheSessions();
    await house.store.openSession({
      key: "dead",
      ticket: two,
      run: `${two}/y`,
      role: "build",
      runtime: "codex",
      logPath: undefined,
      at: now,
    });
    await house.store.endLostSessions();
    await areTheSessions();
  });
  test("when a session is opened twice", async () => {
    const again = { key: "open", ticket: one, run: "other", role: "build", runtime: "codex" };
    await house.store.openSession({ ...again, logPath: undefined, at: now });
    await areTheSessions();
  });
  test("when labels, the author or the repository of a ticket change", async () => {
    await name(one, 77, "ada", ["feature", "bug"]);
    await areTheSessions();
    await name(one, 77, "bob", []);
    await areTheSessions();
    // Nobody read its labels: they stay.
    await name(two, 78, hostile);
    await areTheSessions();
    const before = await house.store.load(one);
    await house.store.moveToRepo(one, 78);
    expect((await house.store.load(one))?.repo).toBe(before?.ticket.pull === undefined ? 78 : 77);
    await areTheSessions();
    await house.store.moveToRepo(one, 77);
    await name(one, 77, "ada", ["bug", "area/cart"]);
    await areTheSessions();
  });
  test("a test that compares them can fail", async () => {
    await house.sql.commit(function* () {
      yield* all("update cost_day set usd = usd + 1 where repo = 77");
    });
    await expect(areTheSessions()).rejects.toThrow("to deeply equal");
  });
});

const costs = (query: string): Promise<CostsView> => house.json<CostsView>(`/costs?${query}`);

test.each([
  ["day", ["2026-01-20", "2026-01-19", "2026-01-05"]],
  ["tenant", [hostile, "acme"]],
  ["repo", [`${hostile}/api`, "acme/web"]],
  ["runtime", ["claude-code", "codex"]],
  ["model", [hostile, "gpt-5.5", "opus-5", ""]],
  ["label", [hostile, "area/cart", "bug", ""]],
  ["requester", [hostile, "ada"]],
  ["ticket", ["r78#1", "r77#1", "acme/web#6"]],
])("by %s the dearest come first, and all of it adds up", async (by, names) => {
  const { rows, total } = await costs(`by=${by}&since=30d`);
  expect(rows.map((row) => row.name).toSorted()).toEqual(names.toSorted());
  const sum = rows.reduce((before, { usd }) => before + usd, 0);
  // A ticket with two labels stands under both.
  if (by !== "label") expect(sum).toBeCloseTo(total.usd, 6);
  expect(total.usd).toBeCloseTo(2 + 1 + 3 + 58 + 0.5 + 0.42, 6);
  expect(total.guessedUsd).toBeCloseTo(3, 6);
});

test("days, cap, pace, cache and what came to nothing are told", async () => {
  const view = await costs("by=day&stack=runtime&since=2026-01-19");
  expect([view.from, view.to, view.days.length]).toEqual(["2026-01-19", "2026-01-20", 2]);
  expect(view.parts).toEqual(["claude-code", "codex"]);
  expect(view.days[0]?.parts).toEqual([3, 1]);
  expect(view.caps).toEqual({ warnUsd: 50, stopUsd: 100 });
  expect(view.today.usd).toBeCloseTo(60.5, 6);
  // A quarter of the day is over.
  expect(view.today.projectedUsd).toBeCloseTo(242, 6);
  // What was spent, the rest of this day, and eleven days like the seven before.
  expect(view.month.projectedUsd).toBeCloseTo(60.5 + 4 + 0.42 + 181.5 + (11 * 4) / 7, 4);
  // Two tokens of seven were in a session that had none of the cache.
  expect(view.cachedShare).toBeCloseTo(2_000 / 8_007, 6);
  expect(view.usdPerFailed).toBeCloseTo(1.5 / 3, 6);
  expect([view.merged, view.usdPerMerged]).toEqual([0, undefined]);
  const month = await costs("since=30d");
  expect(month.merged).toBe(1);
  expect(month.usdPerMerged).toBeCloseTo(month.total.usd, 6);
});

test("the page says it in a table too, warns, and runs nothing of others", async () => {
  const text = await house.page("/costs?by=label");
  expect(text).toContain("▲ Warned");
  expect(text).toContain("guessed");
  expect(text).toMatch(/<table class="days">/u);
  expect(text).toContain("&lt;img");
  expect(text).not.toMatch(/<img|<script>| style=/u);
  const { headers } = await house.get("/costs");
  expect(headers.get("content-security-policy")).toContain("style-src 'self'");
});

test.each(["uplot.js", "uplot.css", "costs.js", "costs.css", "history.css"])("%s is served", async (file) => {
  expect((await house.get(`/assets/${file}`)).status).toBe(200);
});

test("a file for spreadsheets computes nothing that others wrote", async () => {
  const answer = await house.get("/costs.csv?by=requester&since=30d");
  expect(answer.headers.get("content-type")).toContain("text/csv");
  expect(answer.headers.get("content-disposition")).toContain("attachment");
  const lines = (await answer.text()).split("\r\n");
  expect(lines[0]).toBe(
    "requester,usd,guessedUsd,inputTokens,cachedTokens,outputTokens,sessions,failed,failedUsd",
  );
  expect(lines[1]).toMatch(/^"'=HYPERLINK\(""http/u);
});
test.each([
  ["=1+1", `"'=1+1"`],
  ["+1", `"'+1"`],
  ["-1", `"'-1"`],
  ["@sum", `"'@sum"`],
  ["\t=1", `"'\t=1"`],
  ["a,b", `"a,b"`],
  ['say "so"', `"say ""so"""`],
  ["plain", "plain"],
])("%j stands in a file as %s", (text, cell) => {
  expect(csvCell(text)).toBe(cell);
});

test.each([
  ["/costs?by=nothing", "not by"],
  ["/costs?stack=label", "by runtime or by model"],
  ["/costs?since=tomorrow", "is no day"],
  ["/costs.csv?by=nothing", "not by"],
])("%s is refused in words", async (path, words) => {
  const answer = await house.get(path);
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(words)]);
});

test("who sees one repository is told of its costs alone, and of no cap of the host", async () => {
  const viewer: Viewer = { who: "bob", rights: new Map([[77, "see"]]) };
  const asked = { by: "tenant", stack: "runtime", since: now - 29 * dayMs } as const;
  const view = await house.dashboard.money.costs(viewer, asked);
  expect(view.rows.map((row) => row.name)).toEqual(["acme"]);
  expect(view.caps).toBeUndefined();
  const stranger: Viewer = { who: "eve", rights: new Map() };
  for (const by of ["day", "label", "requester", "ticket"] as const)
    expect((await house.dashboard.money.costs(stranger, { ...asked, by })).rows).toEqual([]);
});

test("days are named as people name them", () => {
  expect(dayIn("1d", now)).toBe(Date.UTC(2026, 0, 20));
  expect(dayIn("7d", now)).toBe(Date.UTC(2026, 0, 14));
  expect(dayIn("2026-01-02", now)).toBe(Date.UTC(2026, 0, 2));
  for (const wrong of ["", "0d", "99999d", "2026-13-01", "2026-02-30", "today"])
    expect(dayIn(wrong, now)).toBeUndefined();
});
