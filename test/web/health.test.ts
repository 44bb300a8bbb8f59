/** The page on the health of the host, and what an operator does there. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dayCapsToday } from "../../src/shell/day-cap.ts";
import { issueIn } from "../cli/filled.ts";
import { host, noon, openStage, operator, person, type Stage } from "./host-stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

const ticket = `github:77#${issueIn("Merging")}`;
/** Puts the ticket's waiting effects off. */
const backOff = (note: string, inMs = 60_000): void =>
  stage.sql.script(
    `update outbox set due_at = ${noon + inMs}, attempts = 3, note = '${note}' where ticket = '${ticket}'`,
  );
const down = (runtime: string, inMs: number): Promise<void> =>
  stage.store.runtimeFailed(
    { runtime, code: "quota", why: "\u001B[31mspent <b>all</b>", at: noon - 1_000 },
    () => noon + inMs,
  );

describe("what an operator sees", () => {
  test("a runtime that is down says so in words, with why and until when", async () => {
    await down("codex", 600_000);
    await down("claude-code", -1);
    const text = await stage.text("/health");
    expect(text).toContain("spent &lt;b&gt;all&lt;/b&gt;");
    expect(text).not.toContain("\u001B");
    expect(text).toMatch(/▲<\/span> down/u);
    expect(text).toMatch(/!<\/span> tried again/u);
    expect(text).toContain("in 10m 0s");
    expect(await stage.json("/health")).toMatchObject({
      breakers: [
        { runtime: "claude-code", isOpen: false },
        { runtime: "codex", isOpen: true, until: noon + 600_000 },
      ],
      blocked: [{ ref: `acme/web#${issueIn("Blocked")}` }],
    });
  });

  test("an agent that says nothing for more than five minutes is called silent, and not only coloured", async () => {
    const [run] = (await stage.store.linesOf(ticket)).flatMap(({ event }) =>
      "run" in event ? [event.run] : [],
    );
    stage.sql.script(`update run set status = 'running', heartbeat_at = ${noon - 1_000} where id = '${run}'`);
    const session = { key: "two", run: run ?? "", ticket, role: "build", runtime: "codex", logPath: "/log" };
    await stage.store.openSession({ ...session, at: noon - 700_000 });
    const text = await stage.text("/health");
    expect(text).toContain("silent for more than 5 minutes");
    expect(await stage.json("/health")).toMatchObject({
      work: [{ run, isSilent: true, outputAt: noon - 360_000, heartbeatAt: noon - 1_000 }],
    });
  });

  test("budgets, loops, disk, versions and prices stand there as the host tells them", async () => {
    const text = await stage.text("/health");
    for (const part of ["scarce", "the disk is full", "2.5 MB", "run `claude login`", "2026-01-01", "1.2.3"])
      expect(text).toContain(part);
    expect(text).toContain("GitHub posts webhooks to this host");
  });

  test("a channel of notifications that fails says why, one that came round works again, and one that is gone is not told", async () => {
    const row = (channel: string, state: string, ended: number | null, note: string): string =>
      `insert into notification (channel, key, topic, kind, body, state, attempts, due_at, created_at, ended_at, note)
       values ('${channel}', '${state} ${ended}', 'topic', 'blocked', '{}', '${state}', 1, 1, 1, ${ended}, '${note}');`;
    stage.sql.script(
      row("ntfy-1", "sent", noon - 60_000, "") +
        row("ntfy-1", "failed", noon - 120_000, "an older trouble") +
        row("slack-1", "sent", noon - 300_000, "") +
        row("slack-1", "failed", noon - 60_000, "it answered 404 <b>no_service</b>") +
        row("gone-1", "waiting", null, "of a channel nobody set"),
    );
    expect(await stage.json("/health")).toMatchObject({
      channels: [
        { label: "phone (ntfy)", waiting: 0, sentAt: noon - 60_000 },
        { label: "team (slack)", trouble: "it answered 404 <b>no_service</b>" },
        { label: "email (ab12)", waiting: 0 },
      ],
    });
    const text = await stage.text("/health");
    expect(text).toContain("it answered 404 &lt;b&gt;no_service");
    expect(text).toContain("not used yet");
    expect(text).not.toContain("an older trouble");
    expect(text).not.toContain("nobody set");
  });

  test("whoever is no operator sees nothing of it, and orders nothing", async () => {
    const { health } = stage.commands;
    for (const viewer of [person("administer"), { who: "eve", rights: new Map() }]) {
      expect(await stage.dashboard.health.view(viewer)).toBeUndefined();
      expect(await health.resetBreaker(viewer, "codex")).toBe("forbidden");
      expect(await health.tryNow(viewer, "effect 1 x")).toBe("forbidden");
      expect(await health.capDay(viewer, 500, 100)).toBe("forbidden");
    }
    expect(await stage.store.deeds(100, 10)).toEqual([]);
  });
});

describe("what an operator does", () => {
  test("a breaker that is reset is closed once, and it is written down who did it", async () => {
    await down("codex", 600_000);
    expect((await stage.post("/health/breaker", { runtime: "codex" })).status).toBe(303);
    expect(await stage.store.runtimeTroubles()).toEqual([]);
    expect((await stage.post("/health/breaker", { runtime: "codex" })).status).toBe(409);
    const deeds = await stage.store.deeds(100, 10);
    expect(deeds).toMatchObject([
      { actor: "operator:ada", surface: "dashboard", what: "breaker reset", about: "codex", note: "quota" },
    ]);
    expect(stage.poked).toContain("engine");
  });

  test("an effect that backs off is listed with why, and goes at once when told to", async () => {
    backOff("502 from GitHub");
    const { retries } = (await stage.json("/health")) as { retries: { key: string; why: string }[] };
    expect(retries.length).toBeGreaterThan(0);
    expect(retries[0]?.why).toBe("502 from GitHub");
    const { key = "" } = retries[0] ?? {};
    expect((await stage.post("/health/retry", { key })).status).toBe(303);
    const left = (await stage.json("/health")) as { retries: { key: string }[] };
    expect(left.retries.map((one) => one.key)).not.toContain(key);
    expect(stage.poked).toContain("outbox");
    expect((await stage.post("/health/retry", { key })).status).toBe(409);
  });

  test("an item whose reading met trouble is handed to whoever reads, though it waits there", async () => {
    const body = "{}";
    await stage.store.receive({ id: "d1", source: "github", name: "issues", body, receivedAt: noon });
    const [item] = await stage.store.unread(0, 500).then((all) => all.filter(({ id }) => id === "d1"));
    await stage.store.deferItem(item?.seq ?? 0, noon + 60_000, "repo:77", "no answer");
    expect((await stage.post("/health/retry", { key: `item ${item?.seq} d1` })).status).toBe(303);
    expect([...(stage.shop.hurried ?? [])]).toEqual([item?.seq]);
    expect(stage.poked).toContain("intake");
  });

  test.each(["", "effect", "effect x y", "item 1", "run 5 x", `effect ${"9".repeat(40)} x`])(
    "the key %j names nothing",
    async (key) => {
      expect((await stage.post("/health/retry", { key })).status).toBe(409);
    },
  );

  test("a cap that is raised counts today, for this process and for a command, and not tomorrow", async () => {
    expect((await stage.post("/health/day", { usd: "150", seen: "100" })).status).toBe(303);
    expect(stage.shop.limits.dayStopUsd).toBe(150);
    expect((await dayCapsToday(stage.store, {}, noon)).dayStopUsd).toBe(150);
    expect((await dayCapsToday(stage.store, {}, noon + 86_400_000)).dayStopUsd).toBe(100);
    expect(await stage.text("/health")).toContain("set today's cap");
    expect(await stage.store.deeds(100, 10)).toMatchObject([
      { what: "day capped", about: "2026-01-05", note: "from $100 to $150", actor: "operator:ada" },
    ]);
    const late = await stage.post("/health/day", { usd: "90", seen: "100" });
    expect([late.status, stage.shop.limits.dayStopUsd]).toEqual([409, 150]);
  });

  test.each(["0", "-5", "1e9", "100001", "much", "", "5.123"])("$%s is no cap", async (usd) => {
    expect((await stage.post("/health/day", { usd, seen: "100" })).status).toBe(409);
    expect(stage.shop.limits.dayStopUsd).toBe(100);
  });

  test("what is kept of a cap and is damaged says nothing", async () => {
    for (const value of ["", "{", "7", '{"day":1}', '{"day":0,"usd":-1}']) {
      await stage.store.set("day-cap", value, "operator:ada", noon);
      expect((await dayCapsToday(stage.store, { dayStopUsd: 80 }, noon)).dayStopUsd).toBe(80);
    }
  });

  test("dispatch is paused and let go on again, and the page says by whom", async () => {
    await stage.commands.haltAll(operator, "raised");
    const text = await stage.text("/health");
    expect(text).toContain("Let dispatch go on");
    expect(text).toContain("operator:ada");
    await stage.commands.haltAll(operator, "lifted");
    expect(await stage.text("/health")).toContain("Pause dispatch");
  });
});

test("a host that knows nothing of itself yet has a page all the same", async () => {
  stage.close();
  stage = await openStage({
    host: {
      ...host,
      disk: { ...host.disk, now: () => undefined },
      runtimes: { ...host.runtimes, now: () => undefined },
      budgets: () => [],
      loops: () => [],
    },
  });
  const text = await stage.text("/health");
  expect(text).toContain("it is being measured");
  expect(text).toContain("They are being asked");
});
