/** Runs, logs, the past, repositories and the host through the API: who sees and may what, and orders that come twice. */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startRun } from "../../src/engine/index.ts";
import type { Scope } from "../../src/ports-dashboard-access.ts";
import type { RunOrder, RunOrderAnswer } from "../../src/ports-dashboard-runs.ts";
import { openRunOrdersOnce } from "../../src/shell/run-orders-once.ts";
import { all } from "../../src/sql.ts";
import type { Web } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { issueIn } from "../cli/filled.ts";
import { operator } from "./host-stage.ts";
import { asking, noon, openStage, secretModel, secretTicket, secretTitle, vault, web } from "./stage.ts";

const workflow = `
import { z } from "zod";
import { Approval, workflow } from "forgehand";
export default workflow({
  name: "release",
  input: z.object({}),
  output: z.unknown(),
  render: () => <Approval id="ship" ask="Ship it?" />,
  result: () => "shipped",
});
`;
let stage: Awaited<ReturnType<typeof openStage>>;
let app: Web;
let source: string;
const ask = asking(() => app);
beforeAll(async () => {
  stage = await openStage();
  source = join(dirname(stage.database), "release.tsx");
  writeFileSync(source, workflow);
  await give("admin", "admin", undefined);
  await give("keeper", "admin", [web]);
  await give("read", "read", undefined);
  await give("web", "act", [web]);
});
afterAll(() => stage.close());
beforeEach(() => {
  app = stage.open();
});
const give = async (name: string, scope: Scope, repos: readonly number[] | undefined): Promise<string> =>
  await stage.store.keepApiToken(hashed(`fh_${name}`), {
    name,
    scope,
    repos,
    madeBy: "operator:ada",
    madeAt: noon,
    expiresAt: undefined,
  });
const get = async (path: string, name = "admin"): Promise<Response> =>
  await ask(`/api/v1${path}`, { headers: { authorization: `Bearer fh_${name}` } });
const post = async (path: string, body: unknown, name = "admin", key?: string): Promise<Response> =>
  await ask(`/api/v1${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer fh_${name}`,
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
  });
const codeOf = async (answer: Response): Promise<readonly [number, string]> => [
  answer.status,
  ((await answer.json()) as { error: { code: string } }).error.code,
];
const idsOf = async (sql: string): Promise<readonly number[]> =>
  (await stage.sql.read(() => all<{ id: number }>(sql, secretTicket))).map(({ id }) => id);

describe("what is none of theirs", () => {
  test.each([
    "/health",
    "/webhooks",
    "/webhooks/x",
    "/deeds",
    "/ledger/verification",
    "/notifications/channels",
  ])("%s is for operators", async (path) => {
    for (const name of ["read", "web", "keeper"])
      expect(await codeOf(await get(path, name))).toEqual([403, "forbidden"]);
    expect((await get(path)).status).not.toBe(403);
  });

  test("stands in no list, and is not there by name", async () => {
    for (const path of [
      "/history?limit=500",
      "/repositories",
      "/runs",
      "/costs?by=model",
      "/costs?by=repo",
    ]) {
      const told = await (await get(path, "web")).text();
      expect(told, path).not.toMatch(new RegExp(`${secretTitle}|${secretModel}|vault`, "u"));
      expect(await (await get(path)).text(), path).toMatch(
        new RegExp(`${secretTitle}|${secretModel}|vault|88#1`, "u"),
      );
    }
    const [session] = await idsOf("select id from agent_session where ticket = ?");
    const [line] = await idsOf("select seq as id from ledger where ticket = ? limit 1");
    for (const path of [
      `/repositories/${vault}`,
      `/ledger/${line}`,
      `/sessions/${session}/log`,
      `/runs/${encodeURIComponent(`${secretTicket}/1`)}`,
    ]) {
      expect((await get(path, "web")).status, path).toBe(404);
      expect((await get(path)).status, path).toBe(200);
    }
  });

  test.each([
    ["/health/breaker", { runtime: "codex" }],
    ["/health/retry", { key: "item 1 x" }],
    ["/health/day", { usd: 5, seen: 100 }],
    ["/webhooks/x/reread", {}],
    ["/webhooks/x/redeliver", {}],
    ["/ledger/verification", {}],
    [`/repositories/${web}/halt`, { is: "raised" }],
    [`/repositories/${web}/resync`, {}],
  ])("POST %s is refused to whoever may only look or act", async (path, body) => {
    for (const name of ["read", "web"])
      expect(await codeOf(await post(path, body, name))).toEqual([403, "forbidden"]);
  });
});

describe("lists", () => {
  test("of the past go by key to their end, each once", async () => {
    const seen: string[] = [];
    let after = "";
    for (let pages = 0; pages < 30; pages += 1) {
      const answer = await get(
        `/history?limit=3${after === "" ? "" : `&after=${encodeURIComponent(after)}`}`,
      );
      const page = (await answer.json()) as { rows: { id: string }[]; next?: string };
      seen.push(...page.rows.map(({ id }) => id));
      if (page.next === undefined) break;
      after = page.next;
    }
    const whole = (await (await get("/history?limit=500")).json()) as { rows: { id: string }[] };
    expect(seen).toEqual(whole.rows.map(({ id }) => id));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("take no `next` that is none", async () => {
    for (const path of ["/history?after=x", "/runs?after=x", "/webhooks?after=x", "/repositories?after=x"])
      expect(await codeOf(await get(path))).toEqual([400, "invalid_request"]);
  });
});

describe("a repository", () => {
  test("is halted by whoever administers it, and what an operator halted only an operator lifts", async () => {
    const path = `/repositories/${web}/halt`;
    expect((await post(path, { is: "raised" }, "keeper")).status).toBe(200);
    expect((await post(path, { is: "raised" }, "keeper")).status).toBe(200);
    expect((await post(path, { is: "lifted" }, "keeper")).status).toBe(200);
    expect(await codeOf(await post(path, { is: "lifted" }, "keeper"))).toEqual([409, "nothing_to_lift"]);
    expect((await post(path, { is: "raised" })).status).toBe(200);
    expect(await codeOf(await post(path, { is: "lifted" }, "keeper"))).toEqual([403, "forbidden"]);
    expect((await post(path, { is: "lifted" })).status).toBe(200);
    expect((await stage.store.deeds(Number.MAX_SAFE_INTEGER, 1))[0]).toMatchObject({
      actor: "token:admin",
      surface: "API",
      what: "halt lifted",
    });
    expect(await codeOf(await post(`/repositories/${vault}/halt`, { is: "raised" }, "keeper"))).toEqual([
      404,
      "not_found",
    ]);
  });
});

describe("orders to a run", () => {
  const versionOf = async (run: string): Promise<string> =>
    ((await (await get(`/runs/${run}`)).json()) as { version: string }).version;
  const begin = async (run: string): Promise<void> => {
    await stage.sql.commit(() => startRun({ run, workflow: "release", source, input: {}, at: noon }));
  };
  const forksOf = async (run: string): Promise<number> =>
    ((await (await get(`/runs/${run}`)).json()) as { forks: unknown[] }).forks.length;

  test("under a key: a fork is begun once, also when it is sent twice at once", async () => {
    await begin("once");
    const order = { order: "fork", seen: await versionOf("once"), frame: 0 };
    const answers = await Promise.all([
      post("/runs/once/orders", order, "admin", "k1"),
      post("/runs/once/orders", order, "admin", "k1"),
    ]);
    answers.push(await post("/runs/once/orders", order, "admin", "k1"));
    const told = await Promise.all(answers.map(async (one) => [one.status, await one.text()]));
    expect(new Set(told.map(([, text]) => text)).size).toBe(1);
    expect(told.map(([status]) => status)).toEqual([200, 200, 200]);
    expect(await forksOf("once")).toBe(1);
    expect(await codeOf(await post("/runs/once/orders", { ...order, note: "x" }, "admin", "k1"))).toEqual([
      422,
      "key_reused",
    ]);
    // Without a key it is upon what is not so any more: the run has been forked meanwhile.
    expect((await post("/runs/once/orders", order)).status).toBe(409);
    expect(await forksOf("once")).toBe(1);
  });

  test("upon what is not so any more are refused, and those who may not see it hear of nothing", async () => {
    await begin("stale");
    const seen = await versionOf("stale");
    const cancel = { order: "cancel", seen };
    expect(await codeOf(await post("/runs/stale/orders", cancel, "web"))).toEqual([404, "run_not_found"]);
    expect((await post("/runs/stale/orders", cancel)).status).toBe(200);
    expect(await codeOf(await post("/runs/stale/orders", cancel))).toEqual([409, "stale"]);
    expect(await codeOf(await get("/runs/stale?frame=9"))).toEqual([404, "frame_not_found"]);
    const own = encodeURIComponent(`github:${web}#${issueIn("In Review")}/2`);
    expect(await codeOf(await post(`/runs/${own}/orders`, cancel, "read", "k2"))).toEqual([403, "forbidden"]);
  });

  test("that were begun when the process stopped are not begun again; what failed may be sent again", async () => {
    const wanted: RunOrder = { do: "retry", seen: "1", run: "any", note: "" };
    const given: string[] = [];
    let fails = true;
    const open = (give: () => Promise<RunOrderAnswer>) =>
      openRunOrdersOnce({ store: stage.store, now: () => noon }, { give });
    const stopped = open(() => new Promise(() => given.push("begun")));
    void stopped(operator, { wanted, key: "k3" });
    await expect.poll(() => given).toEqual(["begun"]);
    const later = open(async () => {
      given.push("again");
      if (fails) throw new Error("busy");
      return { is: "done", text: "Done." };
    });
    expect(await later(operator, { wanted, key: "k3" })).toEqual({ is: "unsure" });
    expect(given).toEqual(["begun"]);
    await expect(later(operator, { wanted, key: "k4" })).rejects.toThrow("busy");
    fails = false;
    expect(await later(operator, { wanted, key: "k4" })).toEqual({ is: "done", text: "Done." });
    expect(await later(operator, { wanted, key: "k4" })).toEqual({ is: "done", text: "Done." });
    expect(given).toEqual(["begun", "again", "again"]);
  });
});
