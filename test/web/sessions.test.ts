/** Sessions: who sees and ends them, what one that is over says, and how the dashboard is reached. */
import { describe, expect, test } from "vitest";
import { listSessions, revokeSessions } from "../../src/cli/sessions.ts";
import { hashed } from "../../src/web/door.ts";
import { cookiesOf, forgeStage, pairOf, publicUrl } from "./forge-stage.ts";
import { comeIn, noon, root } from "./stage.ts";

const { stage, app, ask, visit, logIn, order, reopen } = forgeStage();

describe("sessions", () => {
  const seenBy = async (cookie: string): Promise<readonly { id: string; who: string; isThis: boolean }[]> =>
    (
      (await (await visit("/sessions", { headers: { cookie, accept: "application/json" } })).json()) as {
        sessions: { id: string; who: string; isThis: boolean }[];
      }
    ).sessions;

  test("everybody sees and ends their own, operators all", async () => {
    const ada = await logIn("ada");
    const again = await logIn("ada");
    const eve = await logIn("eve");
    const bob = await logIn("bob");
    expect((await seenBy(ada.cookie)).map(({ who }) => who)).toEqual(["ada", "ada"]);
    expect((await seenBy(bob.cookie)).length).toBe(4);
    const [hers] = await seenBy(eve.cookie);
    expect((await order(`/sessions/${hers?.id}`, ada)).status).toBe(404);
    const other = (await seenBy(ada.cookie)).find(({ isThis }) => !isThis);
    expect((await order(`/sessions/${other?.id}`, ada)).status).toBe(303);
    expect((await visit("/board", { headers: { cookie: again.cookie } })).status).toBe(401);
    expect((await order("/sessions/end-all", ada)).status).toBe(303);
    expect((await visit("/board", { headers: { cookie: ada.cookie } })).status).toBe(401);
    expect((await visit("/board", { headers: { cookie: eve.cookie } })).status).toBe(200);
    await order("/sessions/end-all", bob);
    expect((await visit("/board", { headers: { cookie: eve.cookie } })).status).toBe(401);
  });

  test("the page names no cookie", async () => {
    const ada = await logIn("ada");
    const text = await (await visit("/sessions", { headers: { cookie: ada.cookie } })).text();
    expect(text).toContain("ada (this one)");
    expect(text).not.toContain(ada.cookie.split("=")[1]);
    expect(text).not.toContain(hashed(ada.cookie.split("=")[1] ?? ""));
  });

  test("on the command line all are listed, and end one by one or together", async () => {
    stage().clock.now = Date.now();
    const ada = await logIn("ada");
    await logIn("eve");
    await stage().store.giveWebToken(hashed("unfollowed"), "operator:ada", stage().clock.now + 60_000);
    const options = { database: stage().database };
    const { data } = await listSessions(options);
    const rows = data as { id: string; who: string }[];
    expect(rows.map(({ who }) => who).toSorted()).toEqual(["ada", "eve"]);
    await revokeSessions(rows.find(({ who }) => who === "ada")?.id, options);
    expect((await visit("/board", { headers: { cookie: ada.cookie } })).status).toBe(401);
    await expect(revokeSessions("nothing", options)).rejects.toThrow("there is no session nothing");
    await expect(revokeSessions(undefined, options)).rejects.toThrow("--all");
    expect((await revokeSessions(undefined, { ...options, all: true })).data).toEqual({ ended: 1 });
    expect((await ask("/enter?token=unfollowed")).headers.get("location")).toBe("/login?why=used");
  });

  test("when somebody was last seen is kept, once a minute", async () => {
    const ada = await logIn("ada");
    stage().clock.now += 60_000;
    await visit("/board", { headers: { cookie: ada.cookie } });
    const [session] = await stage().store.webSessions({ account: 501 }, stage().clock.now);
    expect(session).toMatchObject({ seenAt: noon + 60_000, openedAt: noon });
  });
});

describe("a session that is over", () => {
  test.each([
    ["GET", "/tickets/github%3A77%236?x=1", "/tickets/github%3A77%236?x=1"],
    ["POST", "/tickets/github%3A77%236/approve", "/tickets/github%3A77%236"],
    ["POST", "/halt-all", "/"],
  ])("%s %s offers the way back to %s", async (method, path, next) => {
    const answer = await visit(path, { method, headers: { origin: publicUrl } });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain(`/login/github?next=${encodeURIComponent(next)}`);
  });

  test("a form leads back to the page it stood on, and to no other host's", async () => {
    const from = async (referer: string): Promise<string> =>
      await (await visit("/halt-all", { method: "POST", headers: { referer } })).text();
    expect(await from(`${publicUrl}/board?x=1`)).toContain("next=%2Fboard%3Fx%3D1");
    expect(await from("https://evil.example/board")).toContain('next=%2F"');
  });

  test("a part of a page leads the whole page to the door", async () => {
    const answer = await visit("/board", { headers: { "hx-request": "true" } });
    expect([answer.status, answer.headers.get("hx-redirect")]).toEqual([401, "/login?next=%2Fboard"]);
  });

  test("a link on another site asks once more from here, where the session comes along", async () => {
    const from = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    const first = await visit("/tickets/github%3A77%236", { headers: from });
    expect(await first.text()).toContain(
      `/login/back?next=${encodeURIComponent("/tickets/github%3A77%236")}`,
    );
    const second = await visit("/tickets/github%3A77%236", {
      headers: { ...from, "sec-fetch-site": "same-origin" },
    });
    expect(await second.text()).toContain("Log in with GitHub");
  });
});

describe("how it is reached", () => {
  test("two on one host do not log each other out: the cookie carries the port", async () => {
    const first = await comeIn(stage(), ask);
    expect(first.cookie).toMatch(/^forgehand-3000=/u);
    const elsewhere = { host: "127.0.0.1:4000", cookie: first.cookie };
    expect((await ask("/board", { headers: elsewhere })).status).toBe(401);
  });

  test("behind a proxy that calls us by another name, cookies stay sealed and forms count", async () => {
    const proxied = { host: "127.0.0.1:3000", "x-forwarded-for": "203.0.113.9" };
    await stage().store.giveWebToken(hashed("proxied"), "operator:ada", noon + 1_000);
    const entered = await ask("/enter?token=proxied", { headers: proxied });
    expect(cookiesOf(entered)[0]).toMatch(/^__Host-forgehand=.*Secure/u);
    const cookie = pairOf(cookiesOf(entered)[0]);
    const csrf = /name="csrf" value="([^"]+)"/u.exec(
      await (await ask("/board", { headers: { ...proxied, cookie } })).text(),
    )?.[1];
    const post = (origin: string) =>
      ask("/unhalt-all", {
        method: "POST",
        body: new URLSearchParams({ csrf: csrf ?? "" }),
        headers: { ...proxied, cookie, origin },
      });
    expect((await post(publicUrl)).status).toBe(303);
    expect((await post("https://evil.example")).status).toBe(403);
  });

  test("a host of somebody else's is refused, with the headers that keep a page closed", async () => {
    const answer = await ask("/board", { headers: { host: "evil.example" } });
    expect(answer.status).toBe(421);
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("the link that a browser is started with is good for its user alone, where the system tells whose one is", async () => {
    let user: number | undefined;
    reopen({ userOf: () => user });
    const env = { incoming: { socket: { remoteAddress: "127.0.0.1", remotePort: 50_000 } } };
    const follow = async (token: string): Promise<string | null> =>
      (
        await app().app.request(`${root}/enter?token=${token}`, { headers: { host: "127.0.0.1:3000" } }, env)
      ).headers.get("location");
    for (const [token, uid] of [
      ["bound", 1000],
      ["unknown", 1000],
      ["by-root", 1000],
      ["anybody's", undefined],
    ] as const)
      await stage().store.giveWebToken(hashed(token), "operator:ada", noon + 1_000, uid);
    user = 1001;
    expect(await follow("bound")).toBe("/login?why=used");
    expect(await follow("anybody's")).toBe("/");
    // Whoever it was for is not kept out by that.
    user = 1000;
    expect(await follow("bound")).toBe("/");
    user = undefined;
    expect(await follow("unknown")).toBe("/");
    user = 0;
    expect(await follow("by-root")).toBe("/");
  });

  test("an operator's link works there and here", async () => {
    const here = await comeIn(stage(), ask);
    expect(
      (
        await ask("/unhalt-all", {
          method: "POST",
          body: new URLSearchParams({ csrf: here.csrf }),
          headers: { cookie: here.cookie, origin: root },
        })
      ).status,
    ).toBe(303);
  });
});
