/** Programs with a token: what each scope opens, and what none does. */
import { Hono } from "hono";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Scope } from "../../src/ports-dashboard-access.ts";
import { maxFailures, maxOrders, openAttempts } from "../../src/web/attempts.ts";
import { hashed, requireScope, type Inside } from "../../src/web/door.ts";
import type { Web } from "../../src/web/app.ts";
import { redact } from "../../src/secrets.ts";
import { listTokens, newToken, revokeToken } from "../../src/cli/token.ts";
import { asking, comeIn, noon, openStage, secretTicket, secretTitle, web, type Stage } from "./stage.ts";

let stage: Stage;
let app: Web;
const ask = asking(() => app);
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  stage.clock.now = noon;
  app = stage.open();
});

interface Made {
  readonly scope: Scope;
  readonly repos?: readonly number[];
  readonly expiresAt?: number;
}
async function give({ scope, repos, expiresAt }: Made): Promise<{ name: string; authorization: string }> {
  const name = crypto.randomUUID();
  await stage.store.keepApiToken(hashed(`fh_${name}`), {
    name,
    scope,
    repos,
    madeBy: "operator:ada",
    madeAt: noon,
    expiresAt,
  });
  return { name, authorization: `Bearer fh_${name}` };
}
const boardOf = async (authorization: string): Promise<readonly { readonly ref: string }[]> =>
  ((await (await ask("/board", { headers: { authorization } })).json()) as { rows: { ref: string }[] }).rows;

describe("scopes", () => {
  test.each([
    ["read", 200, 403, 403],
    ["act", 200, 303, 403],
    ["admin", 200, 303, 303],
    ["metrics", 403, 403, 403],
  ] as const)("%s", async (scope, looks, acts, administers) => {
    const { authorization } = await give({ scope });
    const headers = { authorization, accept: "text/html" };
    expect((await ask("/board", { headers })).status).toBe(looks);
    // Neither form nor origin: nothing a browser sends by itself is trusted here.
    const halt = await ask("/tickets/github%3A77%235/halt", { method: "POST", headers });
    expect(halt.status).toBe(acts);
    const all = await ask("/unhalt-all", { method: "POST", headers });
    expect(all.status).toBe(administers);
  });

  test("a program that says nothing of pages is answered in JSON, a refusal too", async () => {
    const { authorization } = await give({ scope: "read" });
    const told = await ask("/board", { headers: { authorization } });
    expect(told.headers.get("content-type")).toContain("application/json");
    const refused = await ask("/board", { headers: { authorization: "Bearer fh_nothing" } });
    expect([refused.status, await refused.json()]).toEqual([
      401,
      { error: "this token is unknown, revoked or over." },
    ]);
  });

  test("one that is held to a repository sees no other, and acts in no other", async () => {
    const { authorization } = await give({ scope: "act", repos: [web] });
    const text = JSON.stringify(await boardOf(authorization));
    expect(text).toContain("acme/web#");
    expect(text).not.toContain(secretTitle);
    const hidden = `/tickets/${encodeURIComponent(secretTicket)}`;
    expect((await ask(hidden, { headers: { authorization } })).status).toBe(404);
    expect((await ask(`${hidden}/halt`, { method: "POST", headers: { authorization } })).status).toBe(404);
    const narrow = await give({ scope: "admin", repos: [web] });
    expect(
      (await ask("/halt-all", { method: "POST", headers: { authorization: narrow.authorization } })).status,
    ).toBe(403);
  });

  test("the ledger names it by its name", async () => {
    const { authorization, name } = await give({ scope: "act" });
    await ask("/tickets/github%3A77%234/halt", { method: "POST", headers: { authorization } });
    expect(await stage.store.haltersOf("github:77#4")).toMatchObject([{ actor: `token:${name}` }]);
  });
});

describe("a token is over", () => {
  test("at its hour", async () => {
    const { authorization } = await give({ scope: "read", expiresAt: noon + 1_000 });
    expect((await ask("/board", { headers: { authorization } })).status).toBe(200);
    stage.clock.now += 1_000;
    expect((await ask("/board", { headers: { authorization } })).status).toBe(401);
  });
  test("when it is revoked, and open streams with it", async () => {
    const { authorization, name } = await give({ scope: "read" });
    const stream = await ask(`/events?since=${await stage.store.position()}`, { headers: { authorization } });
    expect(stream.status).toBe(200);
    expect(await stage.store.revokeApiToken(name)).toBe(1);
    // The stream hears that something was written, finds nobody behind it, and ends.
    expect(await stream.text()).toBe("");
    expect((await ask("/board", { headers: { authorization } })).status).toBe(401);
  });
});

test("a token in hand, nobody looks at the cookie", async () => {
  const { cookie, csrf } = await comeIn(stage, ask);
  const headers = { cookie, authorization: "Bearer fh_wrong", origin: "http://127.0.0.1:3000" };
  expect((await ask("/board", { headers })).status).toBe(401);
  const body = new URLSearchParams({ csrf });
  expect((await ask("/halt-all", { method: "POST", body, headers })).status).toBe(401);
  expect(await stage.store.setting("halt-all")).toBeUndefined();
});

test("in an address it opens nothing", async () => {
  const { name } = await give({ scope: "admin" });
  for (const query of [`token=fh_${name}`, `access_token=fh_${name}`])
    expect((await ask(`/board?${query}`)).status).toBe(401);
  expect((await ask(`/enter?token=fh_${name}`)).headers.get("location")).toBe("/login?why=used");
});

test("a scraper may call this host what it likes, a browser may not", async () => {
  const { authorization } = await give({ scope: "read" });
  const host = "forgehand.internal:3000";
  expect((await ask("/board", { headers: { authorization, host } })).status).toBe(200);
  expect((await ask("/board", { headers: { host } })).status).toBe(421);
});

test("when it was last used is kept, once a minute", async () => {
  const { authorization, name } = await give({ scope: "read" });
  const used = async (): Promise<number | undefined> =>
    (await stage.store.apiTokens()).find((one) => one.name === name)?.usedAt;
  await ask("/board", { headers: { authorization } });
  expect(await used()).toBe(noon);
  stage.clock.now += 59_999;
  await ask("/board", { headers: { authorization } });
  expect(await used()).toBe(noon);
  stage.clock.now += 1;
  await ask("/board", { headers: { authorization } });
  expect(await used()).toBe(noon + 60_000);
});

test("whoever tries many is answered no more for a minute, and locks nobody out", async () => {
  const { authorization } = await give({ scope: "read" });
  const wrong = async (): Promise<number> =>
    (await ask("/board", { headers: { authorization: "Bearer fh_guess" } })).status;
  for (let tried = 0; tried < maxFailures; tried += 1) expect(await wrong()).toBe(401);
  expect(await wrong()).toBe(429);
  expect((await ask("/board", { headers: { authorization } })).status).toBe(200);
  stage.clock.now += 60_000;
  expect(await wrong()).toBe(401);
});

describe("a route with a scope of its own", () => {
  const mounted = (scope: Scope) => {
    const { store, clock } = stage;
    const door = {
      sessions: store,
      hosts: [],
      now: () => clock.now,
      secret: () => "",
      attempts: openAttempts(() => clock.now, maxFailures),
      orders: openAttempts(() => clock.now, maxOrders),
    };
    const route = new Hono<Inside>();
    route.get("/metrics", requireScope(door, scope), (context) => context.text("one 1\n"));
    return route;
  };
  test.each([
    ["metrics", "metrics", 200],
    ["metrics", "admin", 200],
    ["metrics", "act", 403],
    ["metrics", "read", 403],
    ["act", "act", 200],
    ["act", "admin", 200],
    ["act", "read", 403],
    ["read", "metrics", 403],
  ] as const)("%s asked, %s presented: %i", async (wanted, scope, status) => {
    const { authorization } = await give({ scope });
    const answer = await mounted(wanted).request("/metrics", { headers: { authorization } });
    expect(answer.status).toBe(status);
  });
  test("nobody comes in without one, but an operator who is in", async () => {
    const refused = await mounted("metrics").request("/metrics");
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      401,
      'Bearer realm="forgehand"',
    ]);
    const { cookie } = await comeIn(stage, ask);
    const headers = { cookie, host: "127.0.0.1:3000" };
    expect((await mounted("metrics").request("/metrics", { headers })).status).toBe(200);
  });
});

describe("on the command line", () => {
  const options = () => ({ database: stage.database, repo: [], expires: "90d" });
  test("a token is told once, opens what it says, is listed without its text, and is revoked by name", async () => {
    const { data } = await newToken({ ...options(), name: "ci", scope: "read", repo: ["ACME/web"] });
    const { token } = data as { token: string };
    expect(token).toMatch(/^fh_[\w-]{43}$/u);
    const authorization = `Bearer ${token}`;
    // It is good from now on, whatever the clock of this test says.
    expect((await boardOf(authorization)).length).toBeGreaterThan(5);
    const listed = JSON.stringify(await listTokens(options()));
    expect(listed).toContain("acme/web");
    expect(listed).not.toContain(token);
    expect(JSON.stringify(await stage.store.apiTokens())).not.toContain(hashed(token));
    await expect(newToken({ ...options(), name: "ci", scope: "read" })).rejects.toThrow("already");
    await revokeToken("ci", options());
    expect((await ask("/board", { headers: { authorization } })).status).toBe(401);
    await expect(revokeToken("ci", options())).rejects.toThrow("there is no token ci");
  });
  test.each([
    ["a repository that is not served", { repo: ["acme/other"] }, "serves no repository acme/other"],
    ["a repository that is no name", { repo: ["acme"] }, "serves no repository acme"],
    ["days that are none", { expires: "soon" }, "--expires"],
    ["more days than ten years", { expires: "9999d" }, "--expires"],
    ["a name with spaces", { name: "my ci" }, "--name"],
    ["metrics of a repository", { scope: "metrics", repo: ["acme/web"] }, "whole host"],
  ] as const)("%s is refused", async (_name, wrong, says) => {
    const asked = { ...options(), name: "wrong", scope: "read" as Scope, ...wrong };
    await expect(newToken(asked)).rejects.toThrow(says);
  });
});

test("the text of a token is taken out of whatever leaves this host", () => {
  const token = `fh_${"aB3-_".repeat(9).slice(0, 43)}`;
  expect(redact(`curl -H "Authorization: Bearer ${token}"`)).not.toContain(token);
});
