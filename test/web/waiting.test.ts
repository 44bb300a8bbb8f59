import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { defaultConfig, policyOf } from "../../src/config.ts";
import { runVerbs } from "../../src/engine/index.ts";
import type { Viewer, WaitingView } from "../../src/ports-dashboard.ts";
import { openDashboard } from "../../src/shell/dashboard.ts";
import { openOrders } from "../../src/shell/orders.ts";
import { waitingView } from "../../src/shell/pages/waiting.ts";
import { step } from "../../src/shell/step.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { all, openSqlite, type Sql } from "../../src/sql.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { caps } from "../caps.ts";
import { fillDatabase, issueIn, policy, type Filled } from "../cli/filled.ts";
import { openStand, type Stand } from "./stand.ts";

const idIn = (state: Parameters<typeof issueIn>[0]): string => `github:77#${issueIn(state)}`;
const pathOf = (id: string): string => `/tickets/${encodeURIComponent(id)}`;
const json = { accept: "application/json" };

let filled: Filled;
let sql: Sql;
let store: Store;
let stand: Stand;
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
  stand = openStand(store);
});
afterEach(async () => {
  stand.close();
  for (const { seq } of await store.unread(0, 100)) await store.markItem(seq, "read", undefined, 1);
});

const waiting = async (path = "/"): Promise<WaitingView> =>
  (await (await stand.get(path, json)).json()) as WaitingView;
const page = async (path = "/"): Promise<string> => (await stand.get(path)).text();
const versionOf = async (id: string): Promise<string> => String((await store.load(id))?.version);
const ordersOf = async (id: string): Promise<readonly unknown[]> =>
  (
    await sql.read(() =>
      all<{ body: string }>(
        "select body from inbox where ticket = ? and source = 'operator' and state = 'new'",
        id,
      ),
    )
  ).map(({ body }) => JSON.parse(body) as unknown);

let made = 0;
async function take(ticket: string, event: TicketEvent, actor = "bob"): Promise<void> {
  const order = { ticket, event, eventId: `w${(made += 1)}`, actor, policy, caps };
  const { row } = await step(store, { ...order, runLimitMs: 1, now: stand.now() });
  if (row === undefined) throw new Error(`no row takes ${event.type}`);
}
async function ticketAfter(...events: readonly TicketEvent[]): Promise<string> {
  const number = 700 + (made += 1);
  const id = `github:77#${number}`;
  const named = { repo: 77, number, ref: `acme/web#${number}`, title: "Another", url: "", author: "ada" };
  await store.name(id, { ...named, branch: `forgehand/${number}` }, stand.now());
  await take(id, { type: "ready.granted", spec: "b".repeat(64) });
  await take(id, { type: "slot.granted" });
  for (const event of events) {
    const run = (await store.load(id))?.ticket.run;
    await take(id, "run" in event ? ({ ...event, run } as TicketEvent) : event);
  }
  return id;
}
const spent = (): Promise<string> =>
  ticketAfter(
    { type: "gate.passed", run: "" },
    { type: "budget.spent", run: "", why: "the run has spent the $5.00 it may", wantsUsd: 3 },
  );

describe("what waits", () => {
  test("is each ticket that wants a person, with its reason, cost and what may be done", async () => {
    const { items } = await waiting();
    expect(items.map(({ kind, ref }) => [kind, ref])).toEqual([
      ["spec", `acme/web#${issueIn("Backlog")}`],
      ["approval", `acme/web#${issueIn("In Review")}`],
      ["stopped", `acme/web#${issueIn("Blocked")}`],
    ]);
    const [spec, approval, stopped] = items;
    expect(spec?.why).toBe("asked for more: Where: which page?");
    expect([approval?.usd, approval?.ticket?.may]).toEqual([0.42, ["approve", "reject", "stop"]]);
    expect(stopped?.why).toContain("both models are of one family");
    expect(stopped?.ticket?.may).toEqual(["retry", "tell"]);
    const text = await page();
    expect(text).toContain("Approve this head");
    expect(text).toContain('name="text"');
  });

  test("is a ticket that wants more money, with the sum to allow", async () => {
    const id = await spent();
    const item = (await waiting()).items.find(({ ticket }) => ticket?.id === id);
    expect([item?.kind, item?.ticket?.wantsUsd]).toEqual(["money", 3]);
    expect(item?.ticket?.may).toContain("budget");
    expect(await page()).toMatch(/name="usd"[^>]*value="3"/u);
  });

  test("is also what is wrong elsewhere, each with what puts it right", async () => {
    await store.runtimeFailed(
      { runtime: "codex", code: "logged-out", why: "no session \u001b[31m", at: stand.now() },
      () => stand.now() + 60_000,
    );
    await store.haltRepo({ id: 77, ref: "acme/web" }, "operator:ada", stand.now());
    await store.raiseHalt({ id: "github:77#3", ref: "acme/web#3" }, "bob", stand.now());
    await store.set("onboarding:77", "open 12", "github", stand.now());
    const config = defaultConfig();
    const rules = { config, policy: policyOf(config), personas: new Map(), soundAt: undefined, faults: [] };
    const broken = openStand(store, {
      rulesOf: () => ({ ...rules, problems: ["`limits` is no mapping", "more"] }),
    });
    try {
      const { items } = (await (await broken.get("/", json)).json()) as WaitingView;
      const found = new Map(items.filter(({ ticket }) => ticket === undefined).map((one) => [one.kind, one]));
      expect([...found.keys()].toSorted()).toEqual(["configuration", "halt", "onboarding", "runtime"]);
      expect(found.get("configuration")?.why).toContain("`limits` is no mapping, and 1 more");
      expect(found.get("runtime")?.youCan[0]?.do).toBe("forgehand doctor");
      const text = await (await broken.get("/")).text();
      expect(text).toContain("codex is down");
      expect(text).not.toContain("\u001b");
    } finally {
      broken.close();
      await store.runtimeWorked("codex");
      await store.liftRepoHalt(77);
      await store.liftHalt("github:77#3");
      await store.set("onboarding:77", "over 12", "github", stand.now());
    }
  });

  test("is also what runs ask, first and only on the first page", async () => {
    const config = defaultConfig();
    const rules = { config, policy: policyOf(config), personas: new Map(), problems: [], soundAt: undefined };
    const shop = { store, clock: { now: stand.now }, limits: { dayStopUsd: 100 }, rulesOf: () => rules };
    const ask = { seq: 4, text: "Ship it?", since: 5 };
    const runs = {
      waiting: async () => [
        { run: "release-1", workflow: "release", ticket: undefined, ask, href: "/runs/release-1" },
      ],
    };
    const ada: Viewer = { who: "operator:ada", rights: "operator" };
    const look = (after?: string) => waitingView(shop as unknown as Workshop, ada, after, runs);
    expect((await look()).items[0]).toMatchObject({
      kind: "run",
      ref: "release-1",
      href: "/runs/release-1",
      why: "Ship it?",
    });
    expect((await look("1 x")).items.map(({ kind }) => kind)).not.toContain("run");
  });

  test("comes in pages that miss nothing and repeat nothing", async () => {
    for (let one = 0; one < 60; one += 1) await ticketAfter({ type: "operator.stopped" });
    const seen: string[] = [];
    let next: string | undefined = "";
    while (next !== undefined) {
      const view: WaitingView = await waiting(next === "" ? "/" : `/?after=${encodeURIComponent(next)}`);
      seen.push(...view.items.map(({ key }) => key));
      next = view.next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(62);
    expect(await page()).toContain("Next page");
    expect((await waiting("/?after=nonsense")).items.length).toBeGreaterThan(0);
  });

  test("is of repositories that somebody sees, and acted upon by whoever may", async () => {
    const config = defaultConfig();
    const rules = { config, policy: policyOf(config), personas: new Map(), problems: [], soundAt: undefined };
    const shop = { store, clock: { now: stand.now }, limits: { dayStopUsd: 100 }, rulesOf: () => rules };
    const views = openDashboard(shop as unknown as Workshop);
    const who = (rights: ReadonlyMap<number, "see" | "act">): Viewer => ({ who: "eve", rights });
    expect((await views.waiting(who(new Map([[78, "act"]])))).items).toEqual([]);
    const { items } = await views.waiting(who(new Map([[77, "see"]])));
    expect(items.length).toBeGreaterThan(0);
    expect(items.flatMap(({ ticket }) => ticket?.may ?? [])).toEqual([]);
  });
});

describe("orders", () => {
  test("asking for changes takes the words of whoever asks", async () => {
    const id = idIn("In Review");
    const seen = await versionOf(id);
    const answer = await stand.post(`${pathOf(id)}/reject`, {
      seen,
      text: "keep the name\r\nplease",
      from: "waiting",
    });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
    expect(await ordersOf(id)).toEqual([
      { type: "human.objected", by: "operator:ada", order: "keep the name\nplease", actor: "operator:ada" },
    ]);
    expect(await page()).toContain("it is being carried out");
  });

  test.each([
    ["reject", { text: "  " }, "say what is to change"],
    ["tell", {}, "say what the agent should know"],
    ["tell", { text: "x".repeat(8_001) }, "at most 8000 characters"],
    ["budget", {}, "name a sum"],
    ["budget", { usd: "-3" }, "name a sum"],
    ["budget", { usd: "1e999" }, "name a sum"],
    ["budget", { usd: "101" }, "more than everything may cost a day"],
  ])("%s with %j says what is missing, and does nothing", async (order, form, why) => {
    const id = idIn("Blocked");
    const orders = openStand(store);
    const answer = await orders.post(`${pathOf(id)}/${order}`, { seen: await versionOf(id), ...form });
    orders.close();
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining(why)]);
    expect(await ordersOf(id)).toEqual([]);
  });

  test("money goes as it was allowed", async () => {
    const id = await spent();
    await stand.post(`${pathOf(id)}/budget`, { seen: await versionOf(id), usd: "2.50" });
    expect(await ordersOf(id)).toEqual([{ type: "budget.raised", usd: 2.5, actor: "operator:ada" }]);
  });

  test("no more is allowed than everything may cost on this day, which somebody may have raised", async () => {
    const limits = { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs: 1 };
    const raising = openStand(store, { limits });
    const id = await spent();
    const order = async (usd: string): Promise<number> =>
      (await raising.post(`${pathOf(id)}/budget`, { seen: await versionOf(id), usd })).status;
    expect(await order("150")).toBe(409);
    limits.dayStopUsd = 200;
    expect(await order("150")).toBe(303);
    raising.close();
  });

  test("what was typed upon a stale page is not to be typed again", async () => {
    const id = idIn("Blocked");
    const answer = await stand.post(`${pathOf(id)}/tell`, { seen: "1", text: "use <b>tabs</b>" });
    expect(answer.status).toBe(409);
    expect(await answer.text()).toContain("use &lt;b&gt;tabs&lt;/b&gt;</textarea>");
  });

  test("of two at once the second is told of the first; the same twice is once", async () => {
    const id = await ticketAfter({ type: "operator.stopped" });
    const seen = await versionOf(id);
    expect((await stand.post(`${pathOf(id)}/retry`, { seen })).status).toBe(303);
    expect((await stand.post(`${pathOf(id)}/retry`, { seen })).status).toBe(303);
    const late = await stand.post(`${pathOf(id)}/tell`, { seen, text: "wait" });
    expect(late.status).toBe(409);
    expect(await late.text()).toContain("operator:ada was first (retried, counters reset)");
    expect(await ordersOf(id)).toHaveLength(1);
  });

  test("whoever comes after it was carried out is told who did what", async () => {
    const id = await ticketAfter({ type: "operator.stopped" });
    const seen = await versionOf(id);
    await take(id, { type: "operator.retried" }, "bob");
    const late = await stand.post(`${pathOf(id)}/retry`, { seen });
    expect(late.status).toBe(409);
    expect(await late.text()).toContain("bob was first (retried, counters reset)");
  });

  test("a release is of the text as it reads now, which is kept", async () => {
    const id = idIn("Backlog");
    const given = openOrders({
      store,
      policyOf: async () => policy,
      now: stand.now,
      newId: () => "web:release",
      left: () => undefined,
      releaseOf: async () => ({ events: [{ type: "ready.granted", spec: "d".repeat(64) }] }),
    });
    const viewer = { who: "operator:ada", rights: "operator" } as const;
    const order = { ticket: id, order: "release", seen: Number(await versionOf(id)) } as const;
    expect(await given.give(viewer, order)).toEqual({ is: "taken", to: "Ready" });
    expect(await ordersOf(id)).toMatchObject([{ type: "ready.granted", spec: "d".repeat(64) }]);
    expect((await stand.post(`${pathOf(id)}/release`, { seen: String(order.seen) })).status).toBe(409);
  });

  test("nobody gives one who may only look", async () => {
    const given = openOrders({
      store,
      policyOf: async () => policy,
      now: stand.now,
      newId: () => "x",
      left: () => undefined,
    });
    const order = {
      ticket: idIn("Blocked"),
      order: "retry",
      seen: Number(await versionOf(idIn("Blocked"))),
    } as const;
    expect(await given.give({ who: "eve", rights: new Map([[77, "see"]]) }, order)).toEqual({
      is: "forbidden",
    });
    expect(await given.give({ who: "eve", rights: new Map() }, order)).toEqual({ is: "unknown" });
  });
});
