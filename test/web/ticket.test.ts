import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runVerbs } from "../../src/engine/index.ts";
import type { ChangeAsk, Changes } from "../../src/ports-changes.ts";
import type { DiffView } from "../../src/ports-dashboard-ticket.ts";
import type { TicketPage } from "../../src/ports-dashboard.ts";
import type { RunReport, Workshop } from "../../src/shell/workshop.ts";
import { step } from "../../src/shell/step.ts";
import { all, openSqlite, run, type Sql } from "../../src/sql.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { caps } from "../caps.ts";
import { fillDatabase, issueIn, policy, type Filled } from "../cli/filled.ts";
import { openStand, type Stand } from "./stand.ts";

const idIn = (state: Parameters<typeof issueIn>[0]): string => `github:77#${issueIn(state)}`;
const pathOf = (id: string): string => `/tickets/${encodeURIComponent(id)}`;
const pathIn = (state: Parameters<typeof issueIn>[0]): string => pathOf(idIn(state));
const json = { accept: "application/json" };
const first = "1".repeat(40);
const second = "2".repeat(40);

let filled: Filled;
let sql: Sql;
let store: Store;
let stand: Stand;
let asked: ChangeAsk[];
let change: Awaited<ReturnType<Changes["between"]>>;
const reports = new Map<string, RunReport>();
beforeAll(async () => {
  filled = await fillDatabase();
  sql = openSqlite(join(filled.dir, "forgehand.db"));
  store = openStore(sql, runVerbs);
});
afterAll(() => {
  sql.close();
  filled.close();
});
beforeEach(() => {
  asked = [];
  change = { is: "gone", commit: first };
  stand = openStand(store, {
    changes: {
      between: async (_remote, ask) => {
        asked.push(ask);
        return change;
      },
    },
    remoteOf: (repo) => ({ repo, url: "https://github.com/acme/web.git" }),
    reportOf: async (id) => reports.get(id),
    summariesOf: async (runs) =>
      runs.map((one) => ({
        run: one,
        text: `What ${one} did \u001b[2J.`,
        by: "codex (small)",
        note: undefined,
      })),
  } satisfies Partial<Workshop>);
});
afterEach(() => stand.close());

let events = 0;
async function take(ticket: string, event: TicketEvent, actor = "bob", permission?: string): Promise<void> {
  const order = { ticket, event, eventId: `e${(events += 1)}`, actor, permission, policy, caps };
  const { row } = await step(store, { ...order, runLimitMs: 1, now: stand.now() });
  if (row === undefined) throw new Error(`no row takes ${event.type}`);
}
async function make(number: number): Promise<string> {
  const id = `github:77#${number}`;
  const url = `https://github.com/acme/web/issues/${number}`;
  const branch = `forgehand/${number}`;
  const named = {
    repo: 77,
    number,
    ref: `acme/web#${number}`,
    title: "A ticket",
    url,
    author: "ada",
    branch,
  };
  await store.name(id, named, stand.now());
  return id;
}
const runOf = async (id: string): Promise<string> => (await store.load(id))?.ticket.run ?? "";

/** Two rounds: what the first found is fixed, kept and brought back. */
let issues = 600;
async function reviewed(): Promise<string> {
  const id = await make((issues += 1));
  await take(id, { type: "ready.granted", spec: "b".repeat(64) }, "ada", "admin");
  await take(id, { type: "slot.granted" });
  await take(id, { type: "gate.passed", run: await runOf(id) });
  const finding = (key: string, is: "new" | "open", line?: number) => ({
    id: key,
    is,
    grade: "blocker" as const,
    title: `Finding ${key} <b>`,
    body: "It breaks.",
    path: "src/page.ts",
    ...(line === undefined ? {} : { line }),
  });
  const judge = async (type: "review.failed" | "review.passed", head: string, output: object) => {
    const of = await runOf(id);
    reports.set(of, { workflow: "review", status: "finished", output, error: undefined });
    await take(id, {
      type,
      run: of,
      head,
      summary: `judged ${head.slice(0, 1)}`,
      needsPerson: [],
    });
  };
  const deliver = async (head: string) =>
    take(id, { type: "build.delivered", run: await runOf(id), head, summary: "built" });
  await deliver(first);
  await judge("review.failed", first, { findings: [finding("one", "new", 2), finding("two", "new", 9)] });
  await take(id, { type: "slot.granted" });
  await deliver(second);
  await judge("review.passed", second, {
    findings: [finding("two", "open", 2), finding("three", "new")],
    earlier: [{ id: "one", is: "fixed", why: "gone" }],
  });
  return id;
}
const page = async (path: string): Promise<string> => (await stand.get(path)).text();
const view = async <View>(path: string): Promise<View> =>
  (await (await stand.get(path, json)).json()) as View;

describe("the timeline", () => {
  test("tells who with which permission, why by the table, and what each line stands on", async () => {
    const id = await reviewed();
    const { lines } = await view<TicketPage>(pathOf(id));
    expect(lines[0]).toMatchObject({ actor: "ada", permission: "admin", to: "Ready" });
    expect(lines[0]?.why).not.toBe("");
    const told = lines.find(({ text }) => text.startsWith("build delivered"));
    expect(told?.proofs).toContainEqual({
      name: `commit ${first.slice(0, 7)}`,
      href: `https://github.com/acme/web/commit/${first}`,
    });
    expect(told?.proofs).toContainEqual({
      name: "run 2",
      href: `/runs/${encodeURIComponent(`${id}/2`)}`,
    });
    const text = await page(pathOf(id));
    expect(text).toContain("(admin)");
    expect(text).toContain(`#${lines[0]?.hash.slice(0, 8)}`);
  });

  test("of ten thousand lines it tells the newest and leads to the older", async () => {
    const id = await make(599);
    await take(id, { type: "ready.granted", spec: "b".repeat(64) });
    const [last] = await sql.read(() =>
      all<{ seq: number; version: number; policy: number }>(
        "select seq, version, policy from ledger order by seq desc limit 1",
      ),
    );
    const { seq, version, policy: rules } = last ?? { seq: 0, version: 0, policy: 0 };
    const event = JSON.stringify({ type: "human.told", by: "bob", order: "more" });
    await sql.commit(function* () {
      yield* run(
        `with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000)
         insert into ledger (seq, ticket, version, event_id, at, actor, event, row, from_state, to_state, policy, hash)
         select ? + i, ?, ? + i, 'many' || i, 0, 'bob', ?, 'row', 'Ready', 'Ready', ?, 'hash' from n`,
        seq,
        id,
        version,
        event,
        rules,
      );
      yield* run("update ticket set version = version + 10000 where id = ?", id);
    });
    await page(pathOf(id));
    const newest = await view<TicketPage>(pathOf(id));
    expect(newest.lines).toHaveLength(100);
    expect(newest.lines.at(-1)?.seq).toBe(seq + 10_000);
    expect(newest.older).toBe(newest.lines[0]?.seq);
    const older = await view<TicketPage>(`${pathOf(id)}?before=${newest.older}`);
    expect(older.lines.at(-1)?.seq).toBe((newest.older ?? 0) - 1);
    expect(await page(`${pathOf(id)}?before=${newest.older}`)).toContain("Older lines");
  });

  test.each(["-1", "x", "1e9", "99999999999999999999"])(
    "asked for lines before %s, it begins anew",
    async (before) => {
      const { lines } = await view<TicketPage>(`${pathIn("In Review")}?before=${before}`);
      expect(lines.length).toBeGreaterThan(0);
    },
  );
});

describe("reviews", () => {
  test("each finding has a word for each round", async () => {
    const id = await reviewed();
    const { findings } = await view<TicketPage>(pathOf(id));
    expect(findings.map(({ key, rounds }) => [key, rounds])).toEqual([
      ["one", ["new", "fixed"]],
      ["two", ["new", "kept"]],
      ["three", [null, "new"]],
    ]);
    const text = await page(pathOf(id));
    expect(text).toContain('data-is="fixed"');
    expect(text).not.toContain("<b>\n Finding");
    expect(text).toContain("Finding one &lt;b&gt;");
  });
});

describe("runs and agents", () => {
  test("each run is summed up, and each session says what its cost stands on", async () => {
    const id = idIn("In Review");
    await store.openSession({
      key: "two",
      run: `${id}/3`,
      ticket: id,
      role: "review",
      runtime: "claude-code",
      logPath: undefined,
      at: stand.now(),
    });
    await store.changeSession("two", {
      inputTokens: 9000,
      cachedInputTokens: 8000,
      outputTokens: 5,
      usd: 0.1,
      pricedBy: "guess",
      priceVersion: "2026-01",
      endedAt: stand.now(),
    });
    const text = await page(pathOf(id));
    expect(text).toContain(`What ${id}/3 did [2J.`);
    expect(text).toContain("9,000 / 8,000 / 5");
    expect(text).toContain("guessed: nobody tells the price");
    expect(text).toContain("2026-01");
    expect(text).toMatch(/href="\/sessions\/\d+\/log"/u);
  });
});

describe("the change of a round", () => {
  const diff = [
    "diff --git a/src/page.ts b/src/page.ts",
    "index 1..2 100644",
    "--- a/src/page.ts",
    "+++ b/src/page.ts",
    "@@ -1,2 +1,3 @@ page",
    " one",
    "+two <script>alert(1)</script>\u202e",
    "-three",
    " four",
    "diff --git a/.github/workflows/ci.yml b/.github/workflows/ci.yml",
    "index 1..2 100644",
    "--- a/.github/workflows/ci.yml",
    "+++ b/.github/workflows/ci.yml",
    "@@ -1 +1 @@",
    "-on: push",
    "+on: never",
    "",
  ].join("\n");

  test("has its findings on their lines, and says which paths take a person", async () => {
    const id = await reviewed();
    change = { is: "diff", base: "0".repeat(40), text: diff, isCut: false };
    const seen = await view<DiffView>(`${pathOf(id)}/diff`);
    expect([seen.round, seen.head, seen.fileCount]).toEqual([2, second, 2]);
    const [shown, guarded] = seen.files;
    const lines = shown?.hunks.flatMap((hunk) => hunk.lines) ?? [];
    expect(lines.find(({ sign }) => sign === "+")?.findings.map(({ title }) => title)).toEqual([
      "Finding two <b>",
    ]);
    expect(shown?.findings.map(({ title }) => title)).toEqual(["Finding three <b>"]);
    expect(guarded?.signs).toContain("is a protected path");
    const text = await page(`${pathOf(id)}/diff`);
    expect(text).toContain("two &lt;script&gt;");
    expect(text).toContain("&lt;U+202E&gt;");
    expect(text).not.toContain("<script>alert");
  });

  test("is asked for by round, against its base or against an earlier round", async () => {
    const id = await reviewed();
    await page(`${pathOf(id)}/diff?round=1`);
    await page(`${pathOf(id)}/diff?round=2&since=1`);
    expect(asked.map(({ head, with: other }) => [head, other])).toEqual([
      [first, { forkOf: [] }],
      [second, { head: first }],
    ]);
  });

  test("that is gone from this host is said to be gone", async () => {
    const id = await reviewed();
    const text = await page(`${pathOf(id)}/diff?round=1`);
    expect(text).toContain(`The commit ${first.slice(0, 7)} is not on this host any more`);
    expect(text).toContain("The pull request may still have it");
  });

  test("that is too long is cut, and says so", async () => {
    const id = await reviewed();
    const many = Array.from({ length: 9_000 }, (_, at) => `+line ${at}`).join("\n");
    const text = `diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1,9000 @@\n${many}\n`;
    change = { is: "diff", base: "0".repeat(40), text, isCut: true };
    const seen = await view<DiffView>(`${pathOf(id)}/diff`);
    expect([seen.isCut, seen.files[0]?.isCut, seen.files[0]?.added]).toEqual([true, true, 9_000]);
    expect(seen.files[0]?.hunks[0]?.lines).toHaveLength(1_500);
    expect(await page(`${pathOf(id)}/diff`)).toContain("There is more than is shown here");
  });

  test.each(["round=0", "round=x", "since=9", "round=2&since=2"])(
    "is the newest where %s names none",
    async (ask) => {
      const id = await reviewed();
      change = { is: "diff", base: "0".repeat(40), text: diff, isCut: false };
      const seen = await view<DiffView>(`${pathOf(id)}/diff?${ask}`);
      expect([seen.round, seen.since]).toEqual([2, undefined]);
    },
  );

  test("of a ticket without a head teaches, and of no ticket is nowhere", async () => {
    expect(await page(`${pathIn("Ready")}/diff`)).toContain("No head was delivered yet");
    expect((await stand.get(`${pathOf("github:77#9999")}/diff`)).status).toBe(404);
  });
});
