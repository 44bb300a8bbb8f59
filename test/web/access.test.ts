/** People who come in with their account of the forge: the way there and back, what they may, and when they are out. */
import { describe, expect, test } from "vitest";
import { openRights } from "../../src/shell/rights.ts";
import { maxFailures } from "../../src/web/attempts.ts";
import { safeNext } from "../../src/web/next.ts";
import { cookiesOf, forgeStage, pairOf, publicUrl } from "./forge-stage.ts";
import { comeIn, noon, root, secretTicket, secretTitle, vault, web } from "./stage.ts";

const { at, stage, hub, ask, visit, begin, logIn, order, reopen } = forgeStage();

describe("the way there and back", () => {
  test("leads to where they wanted, in a session that no other site can use", async () => {
    const { back, cookie } = await begin("ada", "/tickets/github%3A77%236?x=1");
    expect(cookie).toMatch(/^__Host-forgehand-login=/u);
    const answer = await visit(back, { headers: { cookie } });
    const given = cookiesOf(answer).find((one) => one.startsWith("__Host-forgehand="));
    expect(given).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Strict$/u);
    const lead = /url=([^"]+)"/u.exec(await answer.text())?.[1] ?? "";
    const led = await visit(lead, { headers: { cookie: pairOf(given) } });
    expect(led.headers.get("location")).toBe("/tickets/github%3A77%236?x=1");
    const page = await visit("/tickets/github%3A77%236", { headers: { cookie: pairOf(given) } });
    expect(await page.text()).toContain(">ada</a>");
  });

  test("takes nothing but the account's number and name: the token is revoked and nowhere kept", async () => {
    const before = hub().registration.logins.tokens.size;
    await logIn("ada");
    expect(hub().registration.logins.tokens.size).toBe(before);
    const [session] = await stage().store.webSessions({ account: 501 }, stage().clock.now);
    expect(session).toMatchObject({ who: "ada", kind: "github" });
    expect(JSON.stringify(session)).not.toContain("ghu_");
  });

  test("is good once, in the browser that began it, and not for ever", async () => {
    const first = await begin("ada");
    const statusOf = async (path: string, cookie: string): Promise<number> =>
      (await visit(path, { headers: { cookie } })).status;
    expect(await statusOf(first.back, "")).toBe(400);
    const other = await begin("ada");
    expect(await statusOf(first.back, other.cookie)).toBe(400);
    expect(await statusOf(first.back, `${first.cookie}x`)).toBe(400);
    expect(await statusOf(first.back, first.cookie)).toBe(200);
    expect(await statusOf(first.back, first.cookie)).toBe(400);
    stage().clock.now += 10 * 60_000;
    expect(await statusOf(other.back, other.cookie)).toBe(400);
  });

  test.each([
    ["a code of nobody's", (back: string) => back.replace(/code=[^&]*/u, "code=guessed"), 401],
    ["a refusal", (back: string) => back.replace(/code=[^&]*/u, "error=access_denied"), 401],
    ["another state", (back: string) => back.replace(/state=[^&]*/u, "state=other"), 400],
    ["no state", (back: string) => back.replace(/&?state=[^&]*/u, ""), 400],
  ])("%s opens nothing", async (_name, change, status) => {
    const { back, cookie } = await begin("ada");
    const answer = await visit(change(back), { headers: { cookie } });
    expect(answer.status).toBe(status);
    expect(cookiesOf(answer).join()).not.toContain("__Host-forgehand=");
  });

  test("whoever catches the code alone can do nothing with it", async () => {
    const { back } = await begin("ada");
    const thief = await begin("ada");
    const code = new URL(back, publicUrl).searchParams.get("code") ?? "";
    const answer = await visit(thief.back.replace(/code=[^&]*/u, `code=${code}`), {
      headers: { cookie: thief.cookie },
    });
    expect(answer.status).toBe(401);
  });

  test.each([
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/x/..//evil.example",
    "javascript:alert(1)",
    "/login/github",
    "/enter?token=x",
    "/leave",
    "",
    `/${"x".repeat(2_000)}`,
  ])("it leads to no other place: %j", async (next) => {
    expect(safeNext(next)).toMatch(/^\/$|^\/evil\.example$/u);
    expect((await visit(`/login/back?next=${encodeURIComponent(next)}`)).headers.get("location")).toBe(
      safeNext(next),
    );
  });

  test("while the forge does not answer, nobody is let in on a guess", async () => {
    const { back, cookie } = await begin("ada");
    at.isUp = false;
    const answer = await visit(back, { headers: { cookie } });
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining("does not answer")]);
  });

  test("whoever fails often is heard no more for a minute", async () => {
    const fail = async (): Promise<number> =>
      (
        await visit("/login/github/callback?code=x&state=y", {
          headers: { "x-forwarded-for": "203.0.113.9" },
        })
      ).status;
    for (let tried = 0; tried < maxFailures; tried += 1) expect(await fail()).toBe(400);
    expect(await fail()).toBe(429);
    // Somebody elsewhere is not shut out by that.
    expect((await logIn("ada")).cookie).not.toBe("");
    stage().clock.now += 60_000;
    expect(await fail()).toBe(400);
  });

  test("without a public address there is none", async () => {
    reopen({});
    expect(await (await ask("/login")).text()).not.toContain("/login/github");
    expect((await ask("/login/github")).status).toBe(401);
  });
});

describe("what they may", () => {
  test.each([
    ["none", "private", undefined],
    ["read", "private", "see"],
    ["triage", "private", "see"],
    ["write", "private", "act"],
    ["maintain", "private", "act"],
    ["admin", "private", "administer"],
    ["none", "public", undefined],
    ["read", "public", undefined],
    ["triage", "public", "see"],
    ["write", "public", "act"],
    ["maintain", "public", "act"],
    ["admin", "public", "administer"],
  ] as const)("%s on a %s repository: %s", async (permission, kind, right) => {
    const [repo] = await stage().store.knownRepos();
    if (repo === undefined) throw new Error("no repository");
    const people = openRights({
      forge: { permission: async () => permission, loginOf: async () => "ada" },
      repos: async () => [{ ...repo, private: kind === "private" }],
      operators: [],
      now: () => noon,
    });
    const rights = (await people.standing(501, "lately"))?.rights;
    expect(rights).toEqual(new Map(right === undefined ? [] : [[repo.id, right]]));
  });

  test("whoever may read sees and cannot act; whoever may push acts, in their own name", async () => {
    at.permissions.set(web, new Map([["ada", "triage"]]));
    const looker = await logIn("ada");
    expect((await order("/tickets/github%3A77%235/halt", looker)).status).toBe(403);
    at.permissions.set(web, new Map([["ada", "write"]]));
    stage().clock.now += 60_000;
    expect((await order("/tickets/github%3A77%235/halt", looker)).status).toBe(303);
    expect(await stage().store.haltersOf("github:77#5")).toMatchObject([
      { by: "operator", actor: "page:ada" },
    ]);
    expect((await order("/tickets/github%3A77%235/unhalt", looker)).status).toBe(303);
    expect(await stage().store.haltersOf("github:77#5")).toEqual([]);
    expect((await order("/halt-all", looker)).status).toBe(403);
  });

  test("what an operator halted, an operator lifts", async () => {
    const [ada, bob] = [await logIn("ada"), await logIn("bob")];
    const link = await comeIn(stage(), ask);
    const path = "/tickets/github%3A77%234";
    const body = new URLSearchParams({ csrf: link.csrf });
    await ask(`${path}/halt`, { method: "POST", body, headers: { cookie: link.cookie, origin: root } });
    const refused = await order(`${path}/unhalt`, ada);
    expect([refused.status, await refused.text()]).toEqual([
      409,
      expect.stringContaining("only an operator"),
    ]);
    expect((await order(`${path}/unhalt`, bob)).status).toBe(303);
    expect(await stage().store.haltersOf("github:77#4")).toEqual([]);
  });

  test("access that was just given counts at the next try to come in", async () => {
    at.permissions.set(vault, new Map());
    const refused = await begin("eve");
    expect((await visit(refused.back, { headers: { cookie: refused.cookie } })).status).toBe(403);
    at.permissions.get(vault)?.set("eve", "read");
    expect((await logIn("eve")).cookie).not.toBe("");
  });

  test("an operator may everything", async () => {
    const bob = await logIn("bob");
    const text = await (await visit("/board", { headers: { cookie: bob.cookie } })).text();
    expect(text).toContain(secretTitle);
    expect((await order("/halt-all", bob)).status).toBe(303);
    await order("/unhalt-all", bob);
  });

  test("whoever has rights nowhere does not come in, and is told why", async () => {
    at.permissions.set(vault, new Map());
    const { back, cookie } = await begin("eve");
    const answer = await visit(back, { headers: { cookie } });
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining("eve has access to no repository that forgehand serves here"),
    ]);
    expect(cookiesOf(answer).join()).not.toContain("__Host-forgehand=");
    expect(await stage().store.webSessions({ account: 503 }, stage().clock.now)).toEqual([]);
  });

  test("what was withdrawn is gone within a minute, and for an order at once", async () => {
    at.permissions.get(vault)?.set("ada", "admin");
    const ada = await logIn("ada");
    const board = async (): Promise<string> =>
      await (await visit("/board", { headers: { cookie: ada.cookie } })).text();
    expect(await board()).toContain(secretTitle);
    at.permissions.get(vault)?.delete("ada");
    const hidden = `/tickets/${encodeURIComponent(secretTicket)}/halt`;
    expect((await order(hidden, ada)).status).toBe(404);
    expect(await stage().store.haltersOf(secretTicket)).toEqual([]);
    stage().clock.now += 60_000;
    expect(await board()).not.toContain(secretTitle);
  });

  test("the forge is asked at most once a minute for looking", async () => {
    const ada = await logIn("ada");
    const before = at.asked.length;
    stage().clock.now += 59_999;
    for (let look = 0; look < 5; look += 1) await visit("/board", { headers: { cookie: ada.cookie } });
    expect(at.asked.length).toBe(before);
    stage().clock.now += 1;
    await Promise.all([1, 2, 3].map(() => visit("/board", { headers: { cookie: ada.cookie } })));
    expect(at.asked.length).toBe(before + 2);
  });

  test("while the forge does not answer, nothing older than a minute counts", async () => {
    const ada = await logIn("ada");
    at.isUp = false;
    expect((await visit("/board", { headers: { cookie: ada.cookie } })).status).toBe(200);
    expect((await order("/tickets/github%3A77%235/unhalt", ada)).status).toBe(503);
    stage().clock.now += 60_000;
    const answer = await visit("/board", { headers: { cookie: ada.cookie } });
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain("acme/web#");
    at.isUp = true;
    expect((await visit("/board", { headers: { cookie: ada.cookie } })).status).toBe(200);
  });

  test("whoever lost everything is out, with the streams they have open", async () => {
    const ada = await logIn("ada");
    const since = await stage().store.position();
    const stream = await visit(`/events?since=${since}`, { headers: { cookie: ada.cookie } });
    expect(stream.status).toBe(200);
    at.permissions.set(web, new Map());
    stage().clock.now += 60_000;
    await stage().store.remember("something", crypto.randomUUID());
    expect(await stream.text()).toBe("");
    const answer = await visit("/board", { headers: { cookie: ada.cookie } });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("no repository")]);
    // And stays out when it comes back: they log in again.
    at.permissions.set(web, new Map([["ada", "write"]]));
    stage().clock.now += 60_000;
    expect((await visit("/board", { headers: { cookie: ada.cookie } })).status).toBe(401);
  });

  test("a name that changed hands opens nothing: the number of the account counts", async () => {
    const ada = await logIn("ada");
    hub().state.people.delete("ada");
    hub().state.people.set("ada-l", { login: "ada-l", id: 501, type: "User" });
    hub().state.people.set("ada", { login: "ada", id: 999, type: "User" });
    at.permissions.get(web)?.set("ada-l", "triage");
    stage().clock.now += 60_000;
    const text = await (await visit("/board", { headers: { cookie: ada.cookie } })).text();
    expect(text).toContain(">ada-l</a>");
    expect((await order("/tickets/github%3A77%235/halt", ada)).status).toBe(403);
    hub().state.people.delete("ada-l");
    hub().state.people.set("ada", { login: "ada", id: 501, type: "User" });
  });

  test("many orders at once wait", async () => {
    const ada = await logIn("ada");
    const statuses: number[] = [];
    for (let count = 0; count < 61; count += 1)
      statuses.push((await order("/tickets/github%3A77%23999/halt", ada)).status);
    expect(statuses.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 404));
    expect(statuses.at(-1)).toBe(429);
  });
});
