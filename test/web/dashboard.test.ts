/** The dashboard on a real store: who comes in, what pages show, what may be asked for there, and the stream. */
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { defaultConfig, policyOf } from "../../src/config.ts";
import { runVerbs } from "../../src/engine/index.ts";
import { openDashboard } from "../../src/shell/dashboard.ts";
import { openCommands } from "../../src/shell/commands.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { all, openSqlite, type Sql } from "../../src/sql.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createWeb, type Web } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { fillDatabase, issueIn, places, type Filled } from "../cli/filled.ts";

const root = "http://127.0.0.1:3000";
const noon = Date.UTC(2026, 0, 5, 12);
const idIn = (state: Parameters<typeof issueIn>[0]): string => `github:77#${issueIn(state)}`;
const pathIn = (state: Parameters<typeof issueIn>[0]): string =>
  `/tickets/${encodeURIComponent(idIn(state))}`;

let filled: Filled;
let sql: Sql;
let store: Store;
let web: Web;
let now: number;
let secrets: number;
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
  now = noon;
  secrets = 0;
  const config = defaultConfig();
  const rules = { config, policy: policyOf(config), personas: new Map(), problems: [], soundAt: undefined };
  // Only what pages ask for; anything else fails loudly.
  const shop = {
    store,
    clock: { now: () => now },
    limits: { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs: 1 },
    rulesOf: () => rules,
    reportOf: async () => undefined,
    detailsUrl: () => undefined,
  } as unknown as Workshop;
  web = createWeb({
    dashboard: openDashboard(shop),
    commands: openCommands(shop, {
      store,
      policyOf: async () => rules.policy,
      now: () => now,
      newId: () => `web:${(secrets += 1)}`,
      left: () => undefined,
    }),
    sessions: store,
    hosts: ["127.0.0.1", "localhost"],
    now: () => now,
    secret: () => `secret-${crypto.randomUUID()}`,
  });
});

const ask = async (path: string, init: RequestInit = {}): Promise<Response> =>
  await web.app.request(`${root}${path}`, {
    ...init,
    headers: { host: "127.0.0.1:3000", ...(init.headers as Record<string, string>) },
  });
/** Gives somebody a link and follows it. */
async function comeIn(): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const token = crypto.randomUUID();
  await store.giveWebToken(hashed(token), "operator:ada", now + 1_000);
  const entered = await ask(`/enter?token=${token}`);
  expect([entered.status, entered.headers.get("location")]).toEqual([303, "/"]);
  const set = entered.headers.get("set-cookie") ?? "";
  expect(set).toMatch(/HttpOnly/u);
  expect(set).toMatch(/SameSite=Strict/u);
  const cookie = set.split(";")[0] ?? "";
  const text = await (await ask("/board", { headers: { cookie } })).text();
  return { cookie, csrf: /name="csrf" value="([^"]+)"/u.exec(text)?.[1] ?? "" };
}
const post = (path: string, cookie: string, form: Record<string, string>, headers = {}): Promise<Response> =>
  ask(path, {
    method: "POST",
    body: new URLSearchParams(form),
    headers: { cookie, origin: root, "content-type": "application/x-www-form-urlencoded", ...headers },
  });

describe("who comes in", () => {
  test.each(["/", "/board", "/tickets/1", "/events", "/nowhere"])(
    "%s tells nobody anything without a session",
    async (path) => {
      const page = await ask(path);
      expect(page.status).toBe(401);
      const text = await page.text();
      expect(text).toContain("forgehand open");
      expect(text).not.toContain("acme/web");
      const json = await ask(path, { headers: { accept: "application/json" } });
      expect([json.status, await json.json()]).toEqual([401, { error: "no session here, or it is over." }]);
    },
  );

  test("a link is good once, and not for ever", async () => {
    await store.giveWebToken(hashed("one"), "operator:ada", now + 1_000);
    expect((await ask("/enter?token=one")).headers.get("location")).toBe("/");
    expect((await ask("/enter?token=one")).headers.get("location")).toBe("/login?why=used");
    await store.giveWebToken(hashed("two"), "operator:ada", now + 1_000);
    now += 1_000;
    expect((await ask("/enter?token=two")).headers.get("location")).toBe("/login?why=used");
    expect((await ask("/enter?token=")).headers.get("location")).toBe("/login?why=used");
  });

  test("a session ends after half a day, and when its owner leaves", async () => {
    const first = await comeIn();
    now += 12 * 60 * 60_000;
    expect((await ask("/board", { headers: { cookie: first.cookie } })).status).toBe(401);
    const second = await comeIn();
    expect((await post("/leave", second.cookie, { csrf: second.csrf })).status).toBe(303);
    expect((await ask("/board", { headers: { cookie: second.cookie } })).status).toBe(401);
  });

  test.each(["evil.example", "127.0.0.1.evil.example:3000", ""])(
    "a page elsewhere that calls us %j reads nothing",
    async (host) => {
      const { cookie } = await comeIn();
      const answer = await ask("/board", { headers: { cookie, host } });
      expect(answer.status).toBe(421);
      expect(await answer.text()).not.toContain("acme");
    },
  );

  test("nothing foreign runs in a page, and nothing frames it", async () => {
    const { cookie } = await comeIn();
    const { headers } = await ask("/board", { headers: { cookie } });
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("cache-control")).toBe("no-store");
    // "no-referrer" would take the origin off every form.
    expect(headers.get("referrer-policy")).toBe("same-origin");
  });
});

describe("pages", () => {
  test("the board has every open ticket, nearest to a decision first, and JSON says the same", async () => {
    const { cookie } = await comeIn();
    const text = await (await ask("/board", { headers: { cookie } })).text();
    const shown = [...text.matchAll(/<th scope="row">\s*<a href="([^"]+)"/gu)].map(([, href = ""]) =>
      decodeURIComponent(href),
    );
    const open = places.filter((state) => state !== "Done" && state !== "Cancelled");
    expect(shown.toSorted()).toEqual(open.map((state) => `/tickets/${idIn(state)}`).toSorted());
    expect(shown.slice(0, 2)).toEqual([`/tickets/${idIn("In Review")}`, `/tickets/${idIn("Blocked")}`]);
    const json = (await (
      await ask("/board", { headers: { cookie, accept: "application/json" } })
    ).json()) as { rows: { id: string }[] };
    expect(json.rows.map(({ id }) => `/tickets/${id}`).toSorted()).toEqual(shown.toSorted());
  });

  test("what waits for a person stands on the first page, counted in its title", async () => {
    const { cookie } = await comeIn();
    const text = await (await ask("/", { headers: { cookie } })).text();
    expect(text).toContain("<title>(2) Waiting · forgehand</title>");
    expect(text).toContain(pathIn("Blocked"));
    expect(text).not.toContain(pathIn("Ready"));
  });

  test("a ticket shows what it waits for, every line with who and why, its agents and its cost", async () => {
    const { cookie } = await comeIn();
    const text = await (await ask(pathIn("In Review"), { headers: { cookie } })).text();
    expect(text).toContain("gpt-5.5");
    expect(text).toContain("$0.42");
    const lines = await store.linesOf(idIn("In Review"));
    for (const { seq } of lines) expect(text).toContain(`id="line-${seq}"`);
    expect(text).toContain("Approve this head");
  });

  test("it is found by the names people use", async () => {
    const { cookie } = await comeIn();
    const text = await (await ask("/tickets/acme%2Fweb%235", { headers: { cookie } })).text();
    expect(text).toContain("acme/web#5");
    expect((await ask("/tickets/99", { headers: { cookie } })).status).toBe(404);
  });

  test("what others wrote is text and nothing else", async () => {
    const { cookie } = await comeIn();
    const id = "github:77#501";
    const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;
    await store.name(
      id,
      {
        repo: 77,
        number: 501,
        ref: "acme/web#501",
        title: hostile,
        url: `javascript:alert(1)`,
        author: hostile,
        branch: `forgehand/${hostile}`,
      },
      now,
    );
    const text = await (await ask(`/tickets/${encodeURIComponent(id)}`, { headers: { cookie } })).text();
    expect(text).toContain("&lt;script&gt;alert(1)");
    expect(text).not.toMatch(/<script>|<img|href="javascript/u);
  });
});

test("a ticket is found by words of its name and title, open ones first", async () => {
  const { cookie } = await comeIn();
  const found = async (words: string): Promise<readonly string[]> => {
    const answer = await ask(`/find?q=${encodeURIComponent(words)}`, {
      headers: { cookie, accept: "application/json" },
    });
    return ((await answer.json()) as { tickets: { id: string }[] }).tickets.map(({ id }) => id);
  };
  expect(await found(`web#${issueIn("Done")}`)).toContain(idIn("Done"));
  expect(await found("acme blocked")).toEqual([idIn("Blocked")]);
  expect(await found("no such words")).toEqual([]);
  const all = await found("");
  expect(all.indexOf(idIn("Done"))).toBeGreaterThan(all.indexOf(idIn("Blocked")));
  const page = await (await ask("/find?q=%22%3E%3Cscript%3E", { headers: { cookie } })).text();
  expect(page).toContain("&lt;script&gt;");
});

test.each(["style.css", "keys.js", "theme.js", "live.js", "icon.svg", "htmx.js", "htmx-sse.js"])(
  "%s is served without a session, for pages to load",
  async (name) => {
    const answer = await ask(`/assets/${name}`);
    expect(answer.status).toBe(200);
    expect((await answer.text()).length).toBeGreaterThan(100);
    expect(answer.headers.get("content-type")).toMatch(/^(?:text\/(?:css|javascript)|image\/svg\+xml)/u);
  },
);

test("nothing else of this host is served beside them", async () => {
  for (const name of ["..%2f..%2fpackage.json", "nothing.js", "__proto__", "constructor"])
    expect((await ask(`/assets/${name}`)).status).toBe(404);
});

describe("orders", () => {
  test("an approval lies in the inbox, for the head that was shown and in the name of who gave it", async () => {
    const { cookie, csrf } = await comeIn();
    const id = idIn("In Review");
    const seen = String((await store.load(id))?.version);
    const answer = await post(`${pathIn("In Review")}/approve`, cookie, { csrf, seen });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, pathIn("In Review")]);
    const [item] = await sql.read(() =>
      all<{ body: string }>("select body from inbox where ticket = ? and source = 'operator'", id),
    );
    expect(JSON.parse(item?.body ?? "{}")).toEqual({
      type: "human.approved",
      head: "a".repeat(40),
      by: "operator:ada",
      actor: "operator:ada",
    });
  });

  test("upon a page that is stale nothing is done, and the page says how it stands now", async () => {
    const { cookie, csrf } = await comeIn();
    const before = await store.inboxCounts();
    const answer = await post(`${pathIn("Blocked")}/retry`, cookie, { csrf, seen: "1" });
    expect(answer.status).toBe(409);
    expect(await answer.text()).toContain("the ticket went on while you were reading and is in Blocked now");
    expect(await store.inboxCounts()).toEqual(before);
  });

  test("what the table has no row for is refused with words, as JSON too", async () => {
    const { cookie, csrf } = await comeIn();
    const seen = String((await store.load(idIn("Done")))?.version);
    const answer = await post(
      `${pathIn("Done")}/stop`,
      cookie,
      { csrf, seen },
      { accept: "application/json" },
    );
    expect(answer.status).toBe(409);
    expect(((await answer.json()) as { told: { text: string } }).told.text).toContain("nothing to stop");
  });

  test.each([
    ["another session's form", { csrf: "other" }, {}],
    ["no form of ours", {}, {}],
    ["a page elsewhere", undefined, { origin: "https://evil.example" }],
    ["a page elsewhere, as browsers tell", undefined, { "sec-fetch-site": "cross-site" }],
    ["a request without an origin", undefined, { origin: "" }],
  ])("an order from %s is refused", async (_name, form, headers) => {
    const { cookie, csrf } = await comeIn();
    const before = await store.inboxCounts();
    const seen = String((await store.load(idIn("In Review")))?.version);
    const answer = await post(
      `${pathIn("In Review")}/stop`,
      cookie,
      { seen, ...(form ?? { csrf }) },
      headers,
    );
    expect(answer.status).toBe(403);
    expect(await store.inboxCounts()).toEqual(before);
  });
});

describe("halts", () => {
  test("a ticket is halted and let go on, in the name of who said so", async () => {
    const { cookie, csrf } = await comeIn();
    const id = idIn("In Progress");
    const path = pathIn("In Progress");
    expect((await post(`${path}/halt`, cookie, { csrf })).status).toBe(303);
    expect(await store.haltersOf(id)).toMatchObject([{ by: "operator", actor: "operator:ada" }]);
    expect(await (await ask(path, { headers: { cookie } })).text()).toContain("Lift the halt");
    expect((await post(`${path}/unhalt`, cookie, { csrf })).status).toBe(303);
    expect(await store.haltersOf(id)).toEqual([]);
    const again = await post(`${path}/unhalt`, cookie, { csrf });
    expect([again.status, await again.text()]).toEqual([
      409,
      expect.stringContaining("no operator halted it"),
    ]);
    expect((await post("/tickets/github%3A77%23999/halt", cookie, { csrf })).status).toBe(404);
  });

  test("everything is halted and let go on, and the board says so meanwhile", async () => {
    const { cookie, csrf } = await comeIn();
    expect((await post("/halt-all", cookie, { csrf: "other" })).status).toBe(403);
    expect(await store.setting("halt-all")).toBeUndefined();
    expect((await post("/halt-all", cookie, { csrf })).status).toBe(303);
    expect(await store.setting("halt-all")).toMatchObject({ actor: "operator:ada" });
    expect(await (await ask("/board", { headers: { cookie } })).text()).toContain("Everything is halted by");
    await post("/unhalt-all", cookie, { csrf });
    expect(await store.setting("halt-all")).toBeUndefined();
  });
});

describe("the stream", () => {
  const first = async (path: string, headers: Record<string, string>): Promise<string> => {
    const answer = await ask(path, { headers });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    const reader = answer.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    await reader?.cancel();
    return new TextDecoder().decode(value);
  };

  test("whoever was away is told at once, and whoever listens with the next line", async () => {
    const { cookie } = await comeIn();
    const head = (await store.ledgerHead()).seq;
    expect(await first("/events", { cookie, "last-event-id": "1-0-0" })).toMatch(
      new RegExp(`event: changed\\ndata: ${head}-\\d+-\\d+\\nid: ${head}-`, "u"),
    );
    // A page that was open before a restore.
    expect(await first(`/events?since=${head + 500}-1-1`, { cookie })).toContain(`data: ${head}-`);
    // What is in no ledger is told too, and ends with the session.
    const stirred = first(`/events?since=${await store.position()}`, { cookie });
    await store.remember("something", "else");
    expect(await stirred).toContain(`data: ${head}-`);
    const next = first(`/events?since=${await store.position()}`, { cookie });
    const { step } = await import("../../src/shell/step.ts");
    const { caps } = await import("../caps.ts");
    const config = defaultConfig();
    const id = idIn("Blocked");
    await step(store, {
      ticket: id,
      event: { type: "operator.retried" },
      eventId: "stream",
      actor: "ada",
      policy: policyOf(config),
      caps,
      runLimitMs: 1,
      now,
    });
    expect(await next).toContain(`data: ${head + 1}-`);
    web.stop();
  });
});
