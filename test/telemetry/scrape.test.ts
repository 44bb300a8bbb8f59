/** `/metrics` on a real store: who may read it, that the formats are kept, and that nothing is counted twice or forgotten. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readEnvironment } from "../../src/config-environment.ts";
import { runVerbs } from "../../src/engine/index.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openCommitTimes } from "../../src/telemetry/commit-times.ts";
import { countOf, valuesIn } from "../../src/telemetry/count.ts";
import { bounded, maxValues, metrics, processMetrics } from "../../src/telemetry/metrics.ts";
import { openScraper, wantsOpenMetrics, type Scraper } from "../../src/telemetry/scrape.ts";
import { createWeb, type WebOptions } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { fillDatabase, issueIn, type Filled } from "../cli/filled.ts";
import { readPrometheus, type Family } from "./prometheus-text.ts";

const noon = Date.UTC(2026, 0, 5, 12);
let filled: Filled;
let sql: Sql;
let store: Store;
let scraper: Scraper;
let database: string;
beforeAll(async () => {
  filled = await fillDatabase();
});
afterAll(() => filled.close());
beforeEach(() => {
  database = join(filled.dir, `${crypto.randomUUID()}.db`);
  copyFileSync(filled.database, database);
  open();
});
afterEach(async () => {
  await scraper.stop();
  sql.close();
});

function open(): void {
  const commits = openCommitTimes();
  sql = openSqlite(database, { onCommit: commits.took });
  store = openStore(sql, runVerbs);
  scraper = openScraper({
    store,
    now: () => noon,
    build: { version: "1.2.3", node: "v24" },
    limits: { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined },
    commits,
    spans: () => ({ sent: 4, refused: 0 }),
    rateLimits: () => [{ installation: "5", resource: "core", limit: 5_000, remaining: 4_321 }],
    log: { error: () => undefined },
  });
}
const plain = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const both = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.3";
const families = async (): Promise<ReadonlyMap<string, Family>> =>
  readPrometheus((await scraper.scrape(plain)).text, "text");
async function valueOf(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  const family = (await families()).get(name);
  return family?.samples.find((one) =>
    Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  )?.value;
}

describe("who may scrape", () => {
  const token = "0123456789abcdef-metrics";
  const ask = async (authorization?: string): Promise<Response> => {
    const web = createWeb({
      sessions: store,
      hosts: ["127.0.0.1"],
      now: () => noon,
      secret: () => crypto.randomUUID(),
      metrics: { token, scrape: scraper.scrape },
      // No page is asked for here.
      ...({ dashboard: {}, commands: {} } as Pick<WebOptions, "dashboard" | "commands">),
    });
    const keep = (name: string, scope: "metrics" | "read") =>
      store.keepApiToken(hashed(`fh_${name}`), {
        name,
        scope,
        repos: undefined,
        madeBy: "operator:ada",
        madeAt: noon,
        expiresAt: undefined,
      });
    await Promise.all([keep("scraper", "metrics"), keep("reader", "read")]);
    // As Prometheus in a container calls it.
    const headers = {
      host: "host.docker.internal:3000",
      ...(authorization === undefined ? {} : { authorization }),
    };
    return await web.app.request("/metrics", { headers });
  };
  test.each([
    undefined,
    "",
    "Bearer",
    "Bearer wrong",
    `Basic ${token}`,
    `Bearer ${token}x`,
    "Bearer fh_bad",
    "Bearer fh_reader",
  ])("%j reads no figure", async (authorization) => {
    const answer = await ask(authorization);
    expect([401, 403, 421]).toContain(answer.status);
    expect(await answer.text()).not.toContain("forgehand_");
  });
  test.each([`Bearer ${token}`, `bearer ${token}`, "Bearer fh_scraper"])(
    "%j reads them",
    async (authorization) => {
      const answer = await ask(authorization);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([
        200,
        "text/plain; version=0.0.4; charset=utf-8",
      ]);
      readPrometheus(await answer.text(), "text");
    },
  );
  test("a token that is easily guessed is refused when it is set", () => {
    expect(() => readEnvironment({ FORGEHAND_METRICS_TOKEN: "short" }, () => "")).toThrow(/16 to 200/u);
  });
});

describe("the formats", () => {
  test("both say the same figures, and one scrape spoils nothing of the next", async () => {
    const first = readPrometheus((await scraper.scrape(plain)).text, "text");
    const openMetrics = await scraper.scrape(both);
    expect(openMetrics.contentType).toMatch(/^application\/openmetrics-text; version=1\.0\.0/u);
    const second = readPrometheus(openMetrics.text, "openmetrics");
    const third = readPrometheus((await scraper.scrape(plain)).text, "text");
    expect([...third.keys()]).toEqual([...first.keys()]);
    expect([...second.keys()].map((name) => name.replace(/_total$/u, ""))).toEqual(
      [...first.keys()].map((name) => name.replace(/_total$/u, "")),
    );
    expect(second.get("forgehand_usd")?.samples).toEqual(first.get("forgehand_usd_total")?.samples);
  });
  test("every figure is told with its help and its labels, and those of the process too", async () => {
    const told = await families();
    for (const [name, { help, kind, labels }] of Object.entries(metrics)) {
      expect(told.get(name), name).toMatchObject({ help, type: kind });
      for (const sample of told.get(name)?.samples ?? [])
        expect(Object.keys(sample.labels).filter((label) => label !== "le")).toEqual(labels);
    }
    for (const name of processMetrics) expect(told.get(name)?.samples.length, name).toBeGreaterThan(0);
  });
  test.each([
    ["", false],
    ["*/*", false],
    ["text/plain", false],
    ["application/openmetrics-text", true],
    [both, true],
    ["application/openmetrics-text;q=0.1,text/plain;q=0.9", false],
    ["application/openmetrics-text;q=x", false],
  ])("to %j OpenMetrics is told: %s", (accept, is) => {
    expect(wantsOpenMetrics(accept)).toBe(is);
  });
});

describe("what is counted", () => {
  test("lines, tickets, tokens and dollars are those of the database", async () => {
    const lines = (await families()).get("forgehand_transitions_total")?.samples ?? [];
    const there = (await store.ledgerHead()).seq;
    expect(lines.reduce((sum, { value }) => sum + value, 0)).toBe(there);
    expect(await valueOf("forgehand_tickets", { state: "In Review" })).toBe(1);
    expect(await valueOf("forgehand_tickets", { state: "Done" })).toBe(1);
    expect(await valueOf("forgehand_tickets", { state: "Cancelled" })).toBe(1);
    expect(await valueOf("forgehand_usd_total", { runtime: "codex", model: "gpt-5.5" })).toBeCloseTo(0.42);
    expect(await valueOf("forgehand_tokens_total", { kind: "output" })).toBe(340);
    expect(await valueOf("forgehand_agent_seconds_total")).toBe(90);
    expect(await valueOf("forgehand_rate_limit_remaining", { installation: "5" })).toBe(4_321);
    expect(await valueOf("forgehand_run_seconds_count", {})).toBeUndefined();
    expect(await valueOf("forgehand_metrics_behind")).toBe(0);
  });

  test("a restart forgets nothing and counts nothing twice", async () => {
    await families();
    const before = await families();
    await scraper.stop();
    sql.close();
    open();
    const after = await families();
    const kept = Object.entries(metrics).flatMap(([name, { from }]) => (from === "kept" ? [name] : []));
    for (const name of kept) expect(after.get(name)?.samples, name).toEqual(before.get(name)?.samples);
  });

  test("an effect counts when it is over, however long that takes", async () => {
    const count = () => valueOf("forgehand_effects_total", { outcome: "done" });
    expect(await count()).toBeUndefined();
    const [first, second] = await store.sendable(noon, 10);
    if (first === undefined || second === undefined) throw new Error("nothing to send");
    await store.sent(first, { state: "done", note: "", at: noon, news: [] });
    expect(await count()).toBe(1);
    expect(await count()).toBe(1);
    await store.backOff(second, noon, "the forge is away", undefined);
    await store.sent({ ...second, attempts: 1 }, { state: "failed", note: "no", at: noon, news: [] });
    expect(await valueOf("forgehand_effects_total", { type: second.effect.type, outcome: "failed" })).toBe(1);
    expect(await valueOf("forgehand_effect_retries_total", { type: second.effect.type })).toBe(1);
  });

  test("an item counts when it was read, and its waiting shows meanwhile", async () => {
    const item = {
      id: "d-1",
      source: "github",
      name: "issues",
      body: "{}",
      receivedAt: noon - 5_000,
    } as const;
    await store.receive(item);
    expect(await valueOf("forgehand_inbox_lag_seconds")).toBeGreaterThanOrEqual(5);
    expect(await valueOf("forgehand_deliveries_total", { source: "github" })).toBeUndefined();
    const [waiting] = await store.unread(0, 10);
    await store.markItem(waiting?.seq ?? 0, "ignored", "nobody's", noon);
    expect(await valueOf("forgehand_deliveries_total", { source: "github", outcome: "ignored" })).toBe(1);
    expect(await valueOf("forgehand_inbox_waiting")).toBe(0);
  });

  test("an agent's tokens show while it works, and only once when it is done", async () => {
    const run = `github:77#${issueIn("In Progress")}/2`;
    const ticket = `github:77#${issueIn("In Progress")}`;
    await store.openSession({
      key: "two",
      run,
      ticket,
      role: "build",
      runtime: "codex",
      logPath: undefined,
      at: noon,
    });
    expect(await valueOf("forgehand_agents", { runtime: "codex" })).toBe(1);
    await store.changeSession("two", { model: "gpt-5.5", outputTokens: 60, usd: 0.08 });
    expect(await valueOf("forgehand_usd_total")).toBeCloseTo(0.5);
    await store.changeSession("two", { outcome: "done", endedAt: noon });
    expect(await valueOf("forgehand_tokens_total", { kind: "output" })).toBe(400);
    expect(await valueOf("forgehand_usd_total")).toBeCloseTo(0.5);
    expect(await valueOf("forgehand_agents", { runtime: "codex" })).toBeUndefined();
  });

  test("runtimes that are down, halts and commits are told", async () => {
    await store.runtimeFailed({ runtime: "codex", code: "quota", why: "used up", at: noon }, () => noon + 1);
    await store.haltRepo({ id: 77, ref: "acme/web" }, "operator:ada", noon);
    expect(await valueOf("forgehand_runtime_down", { runtime: "codex" })).toBe(1);
    expect(await valueOf("forgehand_halts", { of: "repository" })).toBe(1);
    expect((await families()).get("forgehand_commit_seconds")?.samples.at(-1)?.value).toBeGreaterThan(1);
  });
});

describe("labels", () => {
  test("whatever a stream names as its model, there are few of them, and all can be told", () => {
    const known = new Map<string, Set<string>>();
    const told = Array.from({ length: 500 }, (_, at) =>
      bounded(known, "model", `m"${at}\n${"x".repeat(500)}`),
    );
    expect(new Set(told).size).toBe(maxValues + 1);
    expect(told.at(-1)).toBe("other");
    for (const one of told) expect(one).toMatch(/^[\w ./:@+-]{1,80}$/u);
    expect(bounded(known, "model", null)).toBe("other");
    expect(bounded(new Map(), "model", null)).toBe("unknown");
  });
  test("no figure has a ticket, a title, a run or a person for a label", () => {
    const labels = Object.values(metrics).flatMap((one) => [...one.labels]);
    for (const label of ["ticket", "title", "run", "ref", "login", "actor", "repo", "branch", "head"])
      expect(labels).not.toContain(label);
  });
  test("what was counted before keeps its name, and what comes after the fiftieth is `other`", () => {
    const tallies = Array.from({ length: maxValues }, (_, at) => ({
      metric: "forgehand_usd_total",
      labels: { runtime: "codex", model: `m${at}` },
      value: 1,
    }));
    const session = { runtime: "codex", usd: 1, role: "build", outcome: "done", startedAt: 0, endedAt: 0 };
    const tokens = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
    const fresh = (model: string) => ({
      lines: [],
      items: [],
      effects: [],
      runs: [],
      isAll: true,
      sessions: [
        {
          ...session,
          ...tokens,
          id: 1,
          key: "",
          run: "",
          ticket: "",
          model,
          family: null,
          modelBy: null,
          session: null,
        },
      ],
    });
    const modelOf = (model: string) =>
      countOf(fresh(model), valuesIn(tallies)).find(({ metric }) => metric === "forgehand_usd_total")?.labels[
        "model"
      ];
    expect([modelOf("m7"), modelOf("new")]).toEqual(["m7", "other"]);
  });
});
