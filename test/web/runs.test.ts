/** Runs on the dashboard: real runs of a workflow file on a real database, read, compared, and ordered about. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadWorkflow } from "../../src/adapters/workflows/file.ts";
import {
  cancelRun,
  framesOf,
  openEngine,
  runById,
  runVerbs,
  startRun,
  type AnyWorkflow,
  type Engine,
} from "../../src/engine/index.ts";
import type { RunList, RunOrder, RunOrderAnswer, RunPage } from "../../src/ports-dashboard-runs.ts";
import type { Viewer } from "../../src/ports-dashboard.ts";
import { runOrders } from "../../src/shell/pages/run-orders.ts";
import { runPages } from "../../src/shell/pages/runs.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { openSqlite, run as exec, type Sql, type Verb } from "../../src/sql.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { fillDatabase, issueIn, type Filled } from "../cli/filled.ts";
import { deskOf, openStand, type Stand } from "./stand.ts";

/** Three rounds of a loop, of which each fails once; then somebody is asked. */
const text = `
import { z } from "zod";
import { Approval, leaf, Loop, Parallel, Question, Sequence, Task, workflow } from "forgehand";
const fix = leaf("fix", z.object({ round: z.number() }));
export default workflow({
  name: "release",
  input: z.object({ effect: z.boolean().default(false) }),
  output: z.unknown(),
  render: (context) => (
    <Sequence>
      <Task id="plan" output={z.string()} perform={() => "<b>plan</b> \\u001b[31mred"} />
      <Loop id="rounds" max={5} until={(context.latest(fix)?.round ?? 0) >= 2}>
        <Task
          id="fix"
          output={fix.output}
          retries={1}
          perform={({ iteration, attempt }) => {
            if (attempt === 1) throw new Error("not yet <script>");
            return { round: Number(iteration) };
          }}
        />
      </Loop>
      <Parallel>
        <Task id="note" output={z.string()} effect={context.input.effect ? "posts a note" : undefined} perform={() => "noted"} />
        <Task id="pack" output={z.string()} perform={() => "packed"} />
      </Parallel>
      <Approval id="ship" ask="Ship it? <img src=x>" />
      <Question id="when" ask="When?" output={z.object({ day: z.string() })} />
    </Sequence>
  ),
  result: () => "shipped",
});
`;
const ticket = `github:77#${issueIn("In Progress")}`;
const operator: Viewer = { who: "operator:ada", rights: "operator" };
const json = { accept: "application/json" };
const plain = { frame: undefined, beside: undefined, task: undefined, rounds: new Map() };

let filled: Filled;
let sql: Sql;
let store: Store;
let stand: Stand;
let engine: Engine;
let shop: Pick<Workshop, "store" | "clock" | "runDesk">;
let release: AnyWorkflow;
let file: string;
let now: number;
let left: (() => void)[];
beforeEach(async () => {
  filled = await fillDatabase();
  const database = join(filled.dir, "forgehand.db");
  sql = openSqlite(database);
  store = openStore(sql, runVerbs);
  file = join(filled.dir, "release.tsx");
  writeFileSync(file, text);
  release = await loadWorkflow(file);
  left = [];
  const runDesk = deskOf(sql, database);
  stand = openStand(store, { runDesk });
  now = stand.now();
  shop = { store, clock: { now: () => now } as Workshop["clock"], runDesk };
  engine = openEngine({
    sql,
    // Time passes at once wherever something waits for it.
    clock: {
      now: () => (now += 1_000),
      until: async (at) => {
        now = Math.max(now, at);
      },
    },
    random: () => 0,
    owner: { pid: 1, startedAt: "now", host: "here" },
    isDead: () => true,
    workflows: [release],
    checkDeterminism: true,
    workflowOf: async ({ workflow }) => (workflow === "release" ? release : undefined),
    log: { info: () => undefined, error: () => undefined },
    onLeft: () => left.splice(0).forEach((wake) => wake()),
  });
});
afterEach(async () => {
  stand.close();
  await engine.down(0);
  sql.close();
  filled.close();
});

/** Carries whatever can go on to where it waits for somebody or ends. */
async function goOn(run: string): Promise<void> {
  for (let turns = 0; turns < 50; turns += 1) {
    const row = await engine.run(run);
    if (row?.settledAt !== undefined || (row?.status === "waiting" && row.wakeAt === undefined)) return;
    const gone = new Promise<void>((resolve) => left.push(resolve));
    engine.poke();
    await gone;
  }
  throw new Error(`${run} never came to rest`);
}
async function begin(run: string, input: unknown = {}): Promise<void> {
  const spec = { run, workflow: "release", source: file, folder: filled.dir, input, at: (now += 1_000) };
  await sql.commit(() => startRun(spec));
  await goOn(run);
}
const pageOf = async (run: string, query = ""): Promise<RunPage> =>
  (await (await stand.get(`/runs/${encodeURIComponent(run)}${query}`, json)).json()) as RunPage;
const htmlOf = async (run: string, query = ""): Promise<string> =>
  await (await stand.get(`/runs/${encodeURIComponent(run)}${query}`)).text();
const askIn = async (run: string): Promise<string> => String((await pageOf(run)).asks[0]?.seq);
const give = (viewer: Viewer, order: RunOrder): Promise<RunOrderAnswer> =>
  runOrders({ store, now: () => now, desk: shop.runDesk, left: () => undefined }).give(viewer, order);

describe("the list", () => {
  const listed = async (query: string): Promise<RunList> =>
    (await (await stand.get(`/runs${query}`, json)).json()) as RunList;
  beforeEach(async () => {
    await sql.commit(function* () {
      for (let number = 0; number < 120; number += 1) {
        const run = `old-${String(number).padStart(3, "0")}`;
        yield* startRun({
          run,
          workflow: number % 2 === 0 ? "even" : "odd",
          source: file,
          input: {},
          at: 5 + Math.floor(number / 3),
        });
        if (number % 10 === 0) yield* cancelRun(run, 1_000);
      }
    });
  });

  test("all runs, the newest first, page by page: none twice, none missing, new ones in between or not", async () => {
    const seen: string[] = [];
    let query = "";
    for (let pages = 0; pages < 10; pages += 1) {
      const { rows, next } = await listed(query);
      seen.push(...rows.map(({ id }) => id));
      if (next === undefined) break;
      const spec = { run: `new-${pages}`, workflow: "even", source: file, input: {}, at: now };
      await sql.commit(() => startRun(spec));
      query = `?after=${encodeURIComponent(`${next.createdAt}~${next.id}`)}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => id.startsWith("old-"))).toHaveLength(120);
    expect(seen.at(-1)).toBe("old-000");
    expect(seen.some((id) => id.startsWith("github:77#"))).toBe(true);
  });

  test("it is filtered by workflow, state, ticket and words", async () => {
    expect((await listed("?workflow=odd")).rows.every(({ workflow }) => workflow === "odd")).toBe(true);
    const cancelled = (await listed("?status=cancelled&q=old")).rows.map(({ id }) => id);
    expect(cancelled).toHaveLength(12);
    expect((await listed("?status=ready&workflow=odd&q=old-119")).rows.map(({ id }) => id)).toEqual([
      "old-119",
    ]);
    const own = (await listed(`?ticket=${issueIn("In Review")}`)).rows;
    expect(own.length).toBeGreaterThan(0);
    expect(own.every(({ ticket: one }) => one?.ref === `acme/web#${issueIn("In Review")}`)).toBe(true);
    expect((await listed("?ticket=99999")).rows).toEqual([]);
    expect(await (await stand.get("/runs?q=nothing-like-it")).text()).toContain("No run fits");
  });

  test.each(["?after=x", "?after=1~", "?after=99999999999999999~a", "?status=nonsense", "?q=%00%ff"])(
    "nonsense in the query, %s, is no error",
    async (query) => expect((await stand.get(`/runs${query}`)).status).toBe(200),
  );

  test("who may see one repository sees the runs of its tickets, and no other", async () => {
    const filter = { workflow: "", status: undefined, ticket: "", words: "", after: undefined };
    const bob: Viewer = { who: "bob", rights: new Map([[77, "see"]]) };
    const eve: Viewer = { who: "eve", rights: new Map([[78, "administer"]]) };
    const { rows } = await runPages(shop).list(bob, filter);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ ticket: one }) => one !== undefined)).toBe(true);
    expect((await runPages(shop).list(eve, filter)).rows).toEqual([]);
  });
});

describe("one run", () => {
  test("its tree, its loop by iteration, its attempts with their time in the queue apart, and its task", async () => {
    await begin("r");
    const page = await pageOf("r");
    expect([page.run.status, page.frames, page.at]).toEqual(["waiting", 10, undefined]);
    const loop = page.tree?.children.find(({ kind }) => kind === "loop");
    expect([loop?.id, loop?.round, loop?.rounds, loop?.max]).toEqual(["rounds", 3, 3, 5]);
    expect(loop?.children[0]).toMatchObject({ task: "fix@2", status: "finished", tries: 2 });
    const first = await pageOf("r", "?in=rounds:1");
    expect(first.tree?.children.find(({ kind }) => kind === "loop")?.children[0]?.task).toBe("fix@0");
    const tries = page.bars.filter(({ task }) => task === "fix@1");
    expect(tries.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, "again"],
      [2, "finished"],
    ]);
    // It had to wait before it was tried again, and that is no part of its work.
    expect(tries[1]?.readyAt).toBe(tries[0]?.endedAt);
    expect((tries[1]?.startedAt ?? 0) - (tries[1]?.readyAt ?? 0)).toBeGreaterThan(0);
    for (const bar of page.bars) expect(bar.readyAt).toBeLessThanOrEqual(bar.startedAt);
    const both = page.bars.filter(({ task }) => task === "note" || task === "pack");
    expect(both[0]?.readyAt).toBe(both[1]?.readyAt);
    const task = await pageOf("r", "?task=fix@1");
    expect(task.task?.attempts.map(({ error, output }) => [error, output])).toEqual([
      ["not yet <script>", undefined],
      [undefined, '{\n  "round": 1\n}'],
    ]);
    expect(page.reasons.join(" ")).toContain("ship waits for");
    expect(page.commands).toContain("forgehand approve r ship");
  });

  test("what tasks say and ask is text, whatever it looks like", async () => {
    await begin("r");
    const page = await htmlOf("r", "?task=plan");
    // JSON has signs of its own for what a terminal would obey.
    expect(page).toContain(String.raw`&lt;b&gt;plan&lt;/b&gt; \u001b[31mred`);
    expect(page).toContain("Ship it? &lt;img src=x&gt;");
    expect(await htmlOf("r", "?task=fix@0")).toContain("not yet &lt;script&gt;");
    // eslint-disable-next-line no-control-regex
    expect(page).not.toMatch(/\u001b|<img src=x>|<script>not/u);
    expect(page).not.toMatch(/ style=/u);
  });

  test("a run of a ticket is found under both ways to write its id", async () => {
    const id = `${ticket}/2`;
    for (const path of [encodeURIComponent(id), `github:77%23${issueIn("In Progress")}/2`]) {
      const page = (await (await stand.get(`/runs/${path}`, json)).json()) as RunPage;
      expect([page.run.id, page.run.ticket?.ref]).toEqual([id, `acme/web#${issueIn("In Progress")}`]);
    }
  });

  test.each(["nobody", "%E0%A4%A", "a/b/c", "..%2F..", "%00", "x".repeat(400), ""])(
    "/runs/%s is no run",
    async (id) =>
      expect([404, 400]).toContain((await stand.get(`/runs/${id}${id === "" ? "%20" : ""}`)).status),
  );

  test("a workflow that cannot be rendered is told as a list of what has begun, with the reason", async () => {
    await begin("r");
    await sql.commit(() => exec("update run set source = ? where id = 'r'", join(filled.dir, "gone.tsx")));
    const page = await pageOf("r");
    expect(page.treeNote).toContain("cannot be rendered here");
    expect(page.tree?.children.map(({ task }) => task)).toContain("fix@2");
    expect(page.bars).toHaveLength(10);
  });
});

describe("sessions of a run's agents", () => {
  const run = `github:77#${issueIn("In Review")}/2`;
  const path = `/runs/${encodeURIComponent(run)}`;

  test("each is named with its tokens and its cost, and its log is part of the page", async () => {
    const { sessions, usd } = await pageOf(run);
    expect(sessions).toMatchObject([{ name: "1", runtime: "codex", inputTokens: 1200, usd: 0.42 }]);
    expect(usd).toBe(0.42);
    const page = await htmlOf(run, "?session=1");
    expect(page).toContain("I read the issue.");
    expect(page).toContain('href="/sessions/1/log/download"');
    expect(await htmlOf(run, "?session=1&how=raw")).toContain("a warning of the runtime");
  });

  test("its log is followed under the run too, and no other run's is", async () => {
    const stream = { accept: "text/event-stream" };
    const followed = await stand.get(`${path}/log?session=1`, stream);
    expect(await followed.text()).toContain("I read the issue.");
    expect((await stand.get(`${path}/log?session=2`, stream)).status).toBe(204);
    await begin("r");
    expect((await stand.get("/runs/r/log?session=1", stream)).status).toBe(204);
    expect(await htmlOf("r", "?session=1")).not.toContain("I read");
    expect(await htmlOf(run, "?session=%27x")).not.toContain("I read");
  });

  test("an agent of a workflow file's run has a session by the number of its attempt", async () => {
    await begin("r");
    const memory = JSON.stringify({ agent: "claude-code", session: "s", usage: { inputTokens: 7, usd: 1 } });
    await sql.commit(() => exec("update attempt set memory = ? where run = 'r' and leaf = 'plan'", memory));
    const [frame] = await sql.read(() => framesOf("r"));
    const { sessions } = await pageOf("r");
    expect(sessions).toMatchObject([
      { name: `a${frame?.seq}`, runtime: "claude-code", task: "plan", usd: 1 },
    ]);
    expect(await htmlOf("r", `?session=a${frame?.seq}`)).toContain("not on this host");
    expect((await stand.get(`/sessions/a${frame?.seq}/log`)).status).toBe(200);
  });
});

describe("frames", () => {
  test("a frame is a page of its own, with links to those beside it", async () => {
    await begin("r");
    const page = await pageOf("r", "?frame=3");
    expect([page.at, page.bars.length]).toEqual([3, 3]);
    expect(page.tree?.children.at(-1)).toMatchObject({ task: "when", status: "none" });
    const body = await htmlOf("r", "?frame=3");
    expect(body).toContain('href="/runs/r?frame=2"');
    expect(body).toContain('href="/runs/r?frame=4"');
    expect(body).toContain("As it was at frame 3 of 10");
    expect(body).not.toContain("hx-sse:connect");
    expect((await pageOf("r", "?frame=0")).bars).toEqual([]);
  });

  test.each(["11", "-1", "x", "1.5", "1e1", "99999999999"])("frame %s is none of it", async (frame) => {
    await begin("r");
    expect((await stand.get(`/runs/r?frame=${frame}`)).status).toBe(404);
    expect((await stand.get(`/runs/r?frame=1&with=${frame}`)).status).toBe(404);
  });

  test("two frames are compared: outputs and tree", async () => {
    await begin("r");
    const { comparison } = await pageOf("r", "?frame=1&with=10");
    expect(comparison?.outputs.map(({ place, is }) => `${place} ${is}`)).toEqual([
      "fix@0 only in the second",
      "fix@1 only in the second",
      "fix@2 only in the second",
      "note only in the second",
      "pack only in the second",
    ]);
    expect(await htmlOf("r", "?frame=4&with=4")).toContain("Nothing that can be compared differs");
  });

  test("where files were kept, what changed in them is shown", async () => {
    await begin("r");
    const keep =
      "update attempt set folder = '/work', baseline = 'c0', snapshot = ? where run = 'r' and leaf = ?";
    await sql.commit(() => exec(keep, "c1", "plan"));
    await sql.commit(() => exec(keep, "c2", "pack"));
    const { comparison } = await pageOf("r", "?frame=1&with=10");
    expect(comparison?.files).toEqual([{ folder: "/work", diff: "c1..c2" }]);
  });
});

describe("what waits for somebody", () => {
  test("it is approved with a note, under the name of whoever did, and the run goes on", async () => {
    await begin("r");
    const form = { seq: await askIn("r"), is: "approve", decision: "approved", note: "looks fine" };
    const answered = await stand.post("/runs/r/answer", form);
    expect([answered.status, answered.headers.get("location")]).toEqual([303, "/runs/r"]);
    await goOn("r");
    const page = await pageOf("r");
    expect(page.asks.map(({ task, is }) => [task, is])).toEqual([["when", "question"]]);
    expect(page.deeds).toMatchObject([
      { what: "approved", about: "ship", note: "looks fine", by: "operator:ada" },
    ]);
    const ship = (await sql.read(() => framesOf("r"))).find(({ leaf }) => leaf === "ship");
    expect(ship?.output).toMatchObject({ decision: "approved", by: "ada", note: "looks fine" });
  });

  test("of two who answer at once one wins, and the other is told who did", async () => {
    await begin("r");
    const seq = Number(await askIn("r"));
    const order = (decision: string): RunOrder => ({
      do: "answer",
      run: "r",
      seq,
      answer: { decision },
      note: "",
    });
    const bob: Viewer = { who: "bob", rights: "operator" };
    const both = await Promise.all([give(operator, order("approved")), give(bob, order("denied"))]);
    expect(both.map(({ is }) => is)).toEqual(["done", "stale"]);
    expect(both[1]).toMatchObject({ text: expect.stringContaining('operator:ada answered "ship"') });
    const late = await stand.post("/runs/r/answer", { seq: String(seq), is: "approve", decision: "denied" });
    expect(late.status).toBe(409);
    expect(await late.text()).toContain("approved");
  });

  test("a question is answered in JSON that fits, and nothing else is taken", async () => {
    await begin("r");
    await stand.post("/runs/r/answer", { seq: await askIn("r"), decision: "approved" });
    await goOn("r");
    const seq = await askIn("r");
    for (const [bad, why] of [
      ["{day", "is no JSON"],
      ['{"day":1}', "does not fit"],
      ["", "is no JSON"],
    ] as const) {
      const refused = await stand.post("/runs/r/answer", { seq, is: "question", json: bad });
      expect([refused.status, (await refused.text()).includes(why)]).toEqual([409, true]);
    }
    const taken = await stand.post("/runs/r/answer", { seq, is: "question", json: '{"day":"Monday"}' });
    expect(taken.status).toBe(303);
    await goOn("r");
    expect((await pageOf("r")).run).toMatchObject({ status: "finished" });
  });

  test("an answer to a question that was never asked, or of another run, is none", async () => {
    await begin("r");
    await begin("s");
    const other = await askIn("s");
    for (const seq of ["0", "999999", other])
      expect((await stand.post("/runs/r/answer", { seq, decision: "approved" })).status).toBe(404);
    expect((await stand.post("/runs/r/answer", { seq: "x", decision: "approved" })).status).toBe(409);
    expect((await pageOf("s")).asks).toHaveLength(1);
  });

  test("it is listed for the page of what waits, the oldest first, for whoever may answer", async () => {
    await begin("r");
    await begin("s");
    const waits = await runPages(shop).waiting(operator);
    expect(waits.map(({ run, href, ask }) => [run, href, ask.text])).toEqual([
      ["r", `/runs/r#ask-${waits[0]?.ask.seq}`, "Ship it? <img src=x>"],
      ["s", `/runs/s#ask-${waits[1]?.ask.seq}`, "Ship it? <img src=x>"],
    ]);
    const bob: Viewer = { who: "bob", rights: new Map([[77, "act"]]) };
    expect(await runPages(shop).waiting(bob)).toEqual([]);
  });

  test("it is found behind however many runs that ask nothing, and counted in the title of every page", async () => {
    await begin("r");
    await sql.commit(function* (): Verb<void> {
      for (let index = 0; index < 600; index += 1)
        yield* startRun({ run: `later-${index}`, workflow: "release", source: file, input: {}, at: now });
    });
    expect((await runPages(shop).waiting(operator)).map(({ run }) => run)).toEqual(["r"]);
    expect(await (await stand.get("/history")).text()).toContain("<title>(3) History");
    // Nothing checks the types of a workflow file.
    for (const text of ["5", "null", "{}"]) {
      sql.script(`update attempt set ask = '{"is":"approve","text":${text}}' where status = 'waiting'`);
      for (const path of ["/history", "/", "/runs/r"])
        expect([path, text, (await stand.get(path)).status]).toEqual([path, text, 200]);
    }
    const seq = await askIn("r");
    await stand.post("/runs/r/answer", { seq, is: "approve", decision: "approved" });
    expect(await (await stand.get("/history")).text()).toContain("<title>(2) History");
  });
});

describe("orders", () => {
  test("a run is taken back to a frame, and that is taken back", async () => {
    await begin("r");
    const { version } = await pageOf("r");
    const rewound = await stand.post("/runs/r/rewind", { frame: "1", seen: version, note: "again" });
    expect(rewound.status).toBe(303);
    const page = await pageOf("r");
    const [deed] = page.deeds;
    expect([page.frames, deed?.what, deed?.by]).toEqual([1, "rewind to frame 1", "operator:ada"]);
    expect(page.may).toContain("undo");
    expect((await stand.post("/runs/r/undo", { seen: page.version })).status).toBe(303);
    expect((await pageOf("r")).frames).toBe(10);
  });

  test("a page that was drawn while the run went on orders nothing upon what it does not show", async () => {
    await begin("r");
    const desk = deskOf(sql, join(filled.dir, "forgehand.db"));
    const seq = await askIn("r");
    // Behind the page's back, while it reads the file of the workflow.
    const workflowOf: typeof desk.workflowOf = async (row) => {
      await stand.post("/runs/r/answer", { seq, decision: "approved" });
      await goOn("r");
      return await desk.workflowOf(row);
    };
    const page = await runPages({ ...shop, runDesk: { ...desk, workflowOf } }).run(operator, "r", plain);
    if (typeof page !== "object") throw new Error("there is no page");
    expect([page.frames, (await pageOf("r")).frames]).toEqual([10, 11]);
    const rewound = await stand.post("/runs/r/rewind", { frame: "1", seen: page.version });
    expect(rewound.status).toBe(409);
  });

  test("a page that the run has left behind orders nothing, and shows how it stands", async () => {
    await begin("r");
    const { version } = await pageOf("r");
    await stand.post("/runs/r/answer", { seq: await askIn("r"), decision: "approved" });
    await goOn("r");
    for (const order of ["rewind", "fork", "replay", "undo", "hold", "cancel"]) {
      const refused = await stand.post(`/runs/r/${order}`, { frame: "1", seen: version });
      expect([order, refused.status]).toEqual([order, 409]);
      expect(await refused.text()).toContain("the run went on while you were reading");
    }
    expect((await pageOf("r")).run.status).toBe("waiting");
  });

  test("a fork and a replay are runs of their own, linked to where they come from", async () => {
    await begin("r");
    const { version } = await pageOf("r");
    const forked = await stand.post("/runs/r/fork", { frame: "8", seen: version, note: "try" });
    const fork = decodeURIComponent((forked.headers.get("location") ?? "").replace("/runs/", ""));
    expect([forked.status, fork.startsWith("release-")]).toEqual([303, true]);
    const { version: after } = await pageOf("r");
    const replayed = await stand.post("/runs/r/replay", { frame: "10", seen: after });
    expect(replayed.status).toBe(303);
    const page = await pageOf("r");
    expect(page.forks).toHaveLength(2);
    expect(page.frames).toBe(10);
    expect((await pageOf(fork)).run.parent).toBe("r");
    await goOn(fork);
    expect((await pageOf(fork)).run.status).toBe("waiting");
  });

  test.each(["fork", "replay"])(
    "a %s that is asked for twice, or by two at once, is one run",
    async (order) => {
      await begin("r");
      const form = { frame: "8", seen: (await pageOf("r")).version };
      const both = await Promise.all([
        stand.post(`/runs/r/${order}`, form),
        stand.post(`/runs/r/${order}`, form),
      ]);
      expect(both.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([303, 409]);
      expect((await stand.post(`/runs/r/${order}`, form)).status).toBe(409);
      expect((await pageOf("r")).forks).toHaveLength(1);
    },
  );

  test("what would be done to the world again is told first, and done only where that is accepted", async () => {
    await begin("r", { effect: true });
    const { version } = await pageOf("r");
    for (const order of ["fork", "rewind"]) {
      const told = await stand.post(`/runs/r/${order}`, { frame: "1", seen: version });
      const text = await told.text();
      expect([order, told.status]).toEqual([order, 409]);
      expect(text).toContain("posts a note");
      expect(text).toContain("Do it all the same");
    }
    expect((await pageOf("r")).frames).toBe(10);
    const forced = await stand.post("/runs/r/rewind", { frame: "1", seen: version, effects: "accept" });
    expect(forced.status).toBe(303);
  });

  test("it is held, resumed, and cancelled; a second time is refused", async () => {
    await begin("r");
    const order = async (what: string) =>
      (await stand.post(`/runs/r/${what}`, { seen: (await pageOf("r")).version })).status;
    expect(await order("resume")).toBe(409);
    expect(await order("hold")).toBe(303);
    expect((await pageOf("r")).run.status).toBe("paused");
    expect(await order("resume")).toBe(303);
    expect(await order("cancel")).toBe(303);
    expect((await pageOf("r")).run.status).toBe("cancelled");
    expect(await order("cancel")).toBe(409);
    expect((await pageOf("r")).deeds.map(({ what }) => what)).toEqual(["cancel", "resume", "hold"]);
  });

  test("a run of a ticket goes back behind nobody's back: only its own story carries it on", async () => {
    const id = `${ticket}/2`;
    const page = await pageOf(id);
    expect(page.may.filter((one) => one !== "cancel")).toEqual([]);
    for (const order of ["rewind", "fork", "replay", "undo", "retry", "hold", "resume"]) {
      const form = { frame: "0", seen: page.version };
      const refused = await stand.post(`/runs/${encodeURIComponent(id)}/${order}`, form);
      expect([order, refused.status]).toEqual([order, 409]);
      expect(await refused.text()).toContain("run of a ticket");
    }
    expect(await sql.read(() => runById(id))).toMatchObject({ status: page.run.status });
  });

  test.each([
    ["rewind", { frame: "" }],
    ["rewind", { frame: "-1" }],
    ["rewind", { frame: "99" }],
    ["fork", { frame: "1.5" }],
    ["fork", { frame: "99" }],
    ["replay", { frame: "99" }],
  ] as const)("%s to %j is refused, and changes nothing", async (order, form) => {
    await begin("r");
    const { version } = await pageOf("r");
    expect((await stand.post(`/runs/r/${order}`, { ...form, seen: version })).status).toBe(409);
    expect((await pageOf("r")).version).toBe(version);
  });

  test("what is no order, or no form of this session, does nothing", async () => {
    await begin("r");
    expect((await stand.post("/runs/r/explode", {})).status).toBe(404);
    expect((await stand.post("/runs/nobody/cancel", { seen: "" })).status).toBe(404);
    expect((await stand.post("/runs/r/cancel", { csrf: "another", seen: "" })).status).toBe(403);
  });

  test("who may only look is told so, and who may not see hears nothing", async () => {
    await begin("r");
    const reader: Viewer = { who: "bob", rights: new Map([[77, "see"]]) };
    const worker: Viewer = { who: "bob", rights: new Map([[77, "act"]]) };
    const id = `${ticket}/2`;
    const { version: seen } = await pageOf(id);
    const order: RunOrder = { do: "cancel", run: id, seen, note: "" };
    expect((await give(reader, order)).is).toBe("forbidden");
    expect((await give(worker, { ...order, run: "r" })).is).toBe("unknown");
    expect(await runPages(shop).run(worker, "r", plain)).toBeUndefined();
    expect((await give(worker, order)).is).toBe("done");
  });
});
