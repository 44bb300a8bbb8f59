/** People who come in with their account of the forge: the way there and back, what they see, and when they are out. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { githubLogin } from "../../src/adapters/github/login.ts";
import { listSessions, revokeSessions } from "../../src/cli/sessions.ts";
import { Trouble, type Permission } from "../../src/ports.ts";
import { openRights } from "../../src/shell/rights.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import type { Web } from "../../src/web/app.ts";
import { maxFailures } from "../../src/web/attempts.ts";
import { hashed } from "../../src/web/door.ts";
import { safeNext } from "../../src/web/next.ts";
import {
  asking,
  comeIn,
  csrfIn,
  noon,
  openStage,
  root,
  secretModel,
  secretTicket,
  secretTitle,
  vault,
  web,
  type Stage,
} from "./stage.ts";

const publicUrl = "https://forgehand.example";
const outside = { host: "forgehand.example" };
let stage: Stage;
let hub: RunningHub;
let app: Web;
/** By repository, what each login may there. */
let permissions: Map<number, Map<string, Permission>>;
let asked: string[];
let forgeIs: "up" | "down";
const ask = asking(() => app);
/** As a browser that came by the public address. */
const visit: typeof ask = (path, init = {}) =>
  ask(path, { ...init, headers: { ...outside, ...init.headers } });

beforeAll(async () => {
  [stage, hub] = await Promise.all([openStage(), startHub()]);
  hub.registration.logins.callbackUrls = [`${publicUrl}/login/github/callback`];
  for (const [login, id] of [
    ["ada", 501],
    ["bob", 502],
    ["eve", 503],
  ] as const)
    hub.state.people.set(login, { login, id, type: "User" });
});
afterAll(async () => {
  stage.close();
  await hub.close();
});
beforeEach(async () => {
  await stage.store.endWebSessions();
  stage.clock.now = noon;
  asked = [];
  forgeIs = "up";
  permissions = new Map<number, Map<string, Permission>>([
    [web, new Map([["ada", "write"]])],
    [vault, new Map([["eve", "read"]])],
  ]);
  app = stage.open({
    publicUrl,
    hosts: ["127.0.0.1", "localhost", "forgehand.example"],
    login: githubLogin({ client: hub.registration.logins.client, apiUrl: hub.url, fetch: globalThis.fetch }),
    people: openRights({
      forge: {
        permission: async ({ id }, login) => {
          asked.push(`${login} ${id}`);
          if (forgeIs === "down") throw new Trouble("github-unavailable", "no answer");
          return permissions.get(id)?.get(login) ?? (id === web ? "read" : "none");
        },
        loginOf: async (_repo, account) => {
          if (forgeIs === "down") throw new Trouble("github-unavailable", "no answer");
          return [...hub.state.people].find(([, person]) => person.id === account)?.[0];
        },
      },
      repos: stage.store.knownRepos,
      operators: ["Bob"],
      now: () => stage.clock.now,
    }),
  });
});

const cookiesOf = (answer: Response): readonly string[] => answer.headers.getSetCookie();
const pairOf = (cookie: string | undefined): string => cookie?.split(";")[0] ?? "";
/** To the forge, where somebody consents, and back to our door with what it says. */
async function begin(
  login: string,
  next = "/board",
): Promise<{ readonly back: string; readonly cookie: string }> {
  hub.registration.logins.consent = { by: login };
  const away = await visit(`/login/github?next=${encodeURIComponent(next)}`);
  const consent = await fetch(away.headers.get("location") ?? "", { redirect: "manual" });
  const back = new URL(consent.headers.get("location") ?? "");
  expect(back.origin).toBe(publicUrl);
  return { back: `${back.pathname}${back.search}`, cookie: pairOf(cookiesOf(away)[0]) };
}
async function logIn(login: string): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const { back, cookie: onItsWay } = await begin(login);
  const answer = await visit(back, { headers: { cookie: onItsWay } });
  expect(answer.status).toBe(200);
  const cookie = pairOf(cookiesOf(answer).find((one) => one.startsWith("__Host-forgehand=")));
  return { cookie, csrf: await csrfIn(visit, cookie) };
}
const order = (path: string, { cookie, csrf }: { cookie: string; csrf: string }, form = {}) =>
  visit(path, {
    method: "POST",
    body: new URLSearchParams({ csrf, ...form }),
    headers: { cookie, origin: publicUrl },
  });

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
    const before = hub.registration.logins.tokens.size;
    await logIn("ada");
    expect(hub.registration.logins.tokens.size).toBe(before);
    const [session] = await stage.store.webSessions({ account: 501 }, stage.clock.now);
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
    stage.clock.now += 10 * 60_000;
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
    forgeIs = "down";
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
    stage.clock.now += 60_000;
    expect(await fail()).toBe(400);
  });

  test("without a public address there is none", async () => {
    app = stage.open();
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
    const [repo] = await stage.store.knownRepos();
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
    permissions.set(web, new Map([["ada", "triage"]]));
    const looker = await logIn("ada");
    expect((await order("/tickets/github%3A77%235/halt", looker)).status).toBe(403);
    permissions.set(web, new Map([["ada", "write"]]));
    stage.clock.now += 60_000;
    expect((await order("/tickets/github%3A77%235/halt", looker)).status).toBe(303);
    expect(await stage.store.haltersOf("github:77#5")).toMatchObject([{ by: "operator", actor: "page:ada" }]);
    expect((await order("/tickets/github%3A77%235/unhalt", looker)).status).toBe(303);
    expect(await stage.store.haltersOf("github:77#5")).toEqual([]);
    expect((await order("/halt-all", looker)).status).toBe(403);
  });

  test("what an operator halted, an operator lifts", async () => {
    const [ada, bob] = [await logIn("ada"), await logIn("bob")];
    const link = await comeIn(stage, ask);
    const path = "/tickets/github%3A77%234";
    const body = new URLSearchParams({ csrf: link.csrf });
    await ask(`${path}/halt`, { method: "POST", body, headers: { cookie: link.cookie, origin: root } });
    const refused = await order(`${path}/unhalt`, ada);
    expect([refused.status, await refused.text()]).toEqual([
      409,
      expect.stringContaining("only an operator"),
    ]);
    expect((await order(`${path}/unhalt`, bob)).status).toBe(303);
    expect(await stage.store.haltersOf("github:77#4")).toEqual([]);
  });

  test("access that was just given counts at the next try to come in", async () => {
    permissions.set(vault, new Map());
    const refused = await begin("eve");
    expect((await visit(refused.back, { headers: { cookie: refused.cookie } })).status).toBe(403);
    permissions.get(vault)?.set("eve", "read");
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
    permissions.set(vault, new Map());
    const { back, cookie } = await begin("eve");
    const answer = await visit(back, { headers: { cookie } });
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining("eve has access to no repository that forgehand serves here"),
    ]);
    expect(cookiesOf(answer).join()).not.toContain("__Host-forgehand=");
    expect(await stage.store.webSessions({ account: 503 }, stage.clock.now)).toEqual([]);
  });

  test("what was withdrawn is gone within a minute, and for an order at once", async () => {
    permissions.get(vault)?.set("ada", "admin");
    const ada = await logIn("ada");
    const board = async (): Promise<string> =>
      await (await visit("/board", { headers: { cookie: ada.cookie } })).text();
    expect(await board()).toContain(secretTitle);
    permissions.get(vault)?.delete("ada");
    const hidden = `/tickets/${encodeURIComponent(secretTicket)}/halt`;
    expect((await order(hidden, ada)).status).toBe(404);
    expect(await stage.store.haltersOf(secretTicket)).toEqual([]);
    stage.clock.now += 60_000;
    expect(await board()).not.toContain(secretTitle);
  });

  test("the forge is asked at most once a minute for looking", async () => {
    const ada = await logIn("ada");
    const before = asked.length;
    stage.clock.now += 59_999;
    for (let look = 0; look < 5; look += 1) await visit("/board", { headers: { cookie: ada.cookie } });
    expect(asked.length).toBe(before);
    stage.clock.now += 1;
    await Promise.all([1, 2, 3].map(() => visit("/board", { headers: { cookie: ada.cookie } })));
    expect(asked.length).toBe(before + 2);
  });

  test("while the forge does not answer, nothing older than a minute counts", async () => {
    const ada = await logIn("ada");
    forgeIs = "down";
    expect((await visit("/board", { headers: { cookie: ada.cookie } })).status).toBe(200);
    expect((await order("/tickets/github%3A77%235/unhalt", ada)).status).toBe(503);
    stage.clock.now += 60_000;
    const answer = await visit("/board", { headers: { cookie: ada.cookie } });
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain("acme/web#");
    forgeIs = "up";
    expect((await visit("/board", { headers: { cookie: ada.cookie } })).status).toBe(200);
  });

  test("whoever lost everything is out, with the streams they have open", async () => {
    const ada = await logIn("ada");
    const since = await stage.store.position();
    const stream = await visit(`/events?since=${since}`, { headers: { cookie: ada.cookie } });
    expect(stream.status).toBe(200);
    permissions.set(web, new Map());
    stage.clock.now += 60_000;
    await stage.store.remember("something", crypto.randomUUID());
    expect(await stream.text()).toBe("");
    const answer = await visit("/board", { headers: { cookie: ada.cookie } });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("no repository")]);
    // And stays out when it comes back: they log in again.
    permissions.set(web, new Map([["ada", "write"]]));
    stage.clock.now += 60_000;
    expect((await visit("/board", { headers: { cookie: ada.cookie } })).status).toBe(401);
  });

  test("a name that changed hands opens nothing: the number of the account counts", async () => {
    const ada = await logIn("ada");
    hub.state.people.delete("ada");
    hub.state.people.set("ada-l", { login: "ada-l", id: 501, type: "User" });
    hub.state.people.set("ada", { login: "ada", id: 999, type: "User" });
    permissions.get(web)?.set("ada-l", "triage");
    stage.clock.now += 60_000;
    const text = await (await visit("/board", { headers: { cookie: ada.cookie } })).text();
    expect(text).toContain(">ada-l</a>");
    expect((await order("/tickets/github%3A77%235/halt", ada)).status).toBe(403);
    hub.state.people.delete("ada-l");
    hub.state.people.set("ada", { login: "ada", id: 501, type: "User" });
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

/** Every address of the dashboard with a repository's things guessed into it; a new room is covered by being mounted. */
describe("a stranger to a repository learns nothing of it", () => {
  const guesses = [
    secretTicket,
    `${secretTicket}/1`,
    "acme/vault#1",
    "acme/vault",
    "vault",
    String(vault),
    "1",
    "13",
  ];
  const words = [secretTitle, secretModel, "acme/vault", `github:${vault}`, "1-rotate", "13.37"];
  const open = /^\/(?:enter|login|assets|leave)(?:\/|$)/u;
  const routes = (): readonly { readonly method: string; readonly path: string }[] => {
    const all = app.app.routes.filter(({ method, path }) => method !== "ALL" && !open.test(path));
    return [...new Map(all.map(({ method, path }) => [`${method} ${path}`, { method, path }])).values()];
  };
  const filledIn = (path: string): readonly string[] =>
    path.includes(":")
      ? guesses.map((guess) =>
          path
            .replace(/:order(?:\{[^}]*\})?/u, "stop")
            .replaceAll(/:\w+(?:\{[^}]*\})?\??/gu, encodeURIComponent(guess)),
        )
      : [path];
  const left = async (): Promise<unknown> => ({
    halts: await stage.store.haltersOf(secretTicket),
    all: await stage.store.setting("halt-all"),
    lines: (await stage.store.linesOf(secretTicket)).length,
    inbox: await stage.store.inboxCounts(),
  });
  const textOf = async (answer: Response): Promise<string> => {
    if (answer.headers.get("content-type")?.includes("event-stream") !== true) return await answer.text();
    await answer.body?.cancel();
    return "";
  };

  test("there are routes to try", () => {
    expect(routes().length).toBeGreaterThan(8);
    expect(routes().map(({ path }) => path)).toEqual(expect.arrayContaining(["/tickets/:id", "/sessions"]));
  });

  test.each(["text/html", "application/json"])("nobody, asking for %s", async (accept) => {
    for (const { method, path } of routes())
      for (const at of filledIn(path)) {
        const answer = await visit(at, { method, headers: { accept, origin: publicUrl } });
        expect([method, at, answer.status]).toEqual([method, at, 401]);
        const text = await textOf(answer);
        // The way back names what was asked for, and no more.
        for (const word of [secretTitle, secretModel, "1-rotate", "acme/web#"])
          expect(text).not.toContain(word);
      }
  });

  test.each([
    ["a person who may push elsewhere", "text/html"],
    ["a person who may push elsewhere", "application/json"],
    ["a program with a token for elsewhere", "text/html"],
    ["a program with a token for elsewhere", "application/json"],
  ])("%s, asking for %s", async (who, accept) => {
    let headers: Record<string, string>;
    let csrf = "";
    if (who.startsWith("a program")) {
      const name = crypto.randomUUID();
      const token = {
        name,
        scope: "admin",
        repos: [web],
        madeBy: "x",
        madeAt: 0,
        expiresAt: undefined,
      } as const;
      await stage.store.keepApiToken(hashed(`fh_${name}`), token);
      headers = { authorization: `Bearer fh_${name}` };
    } else {
      const ada = await logIn("ada");
      headers = { cookie: ada.cookie };
      ({ csrf } = ada);
    }
    const before = await left();
    for (const { method, path } of routes().filter((one) => !one.path.startsWith("/sessions/")))
      for (const at of filledIn(path)) {
        stage.clock.now += 2_000;
        const answer = await visit(at, {
          method,
          headers: { ...headers, accept, origin: publicUrl },
          ...(method === "GET" ? {} : { body: new URLSearchParams({ csrf, seen: "2" }) }),
        });
        expect([method, at, answer.status < 500]).toEqual([method, at, true]);
        const text = await textOf(answer);
        for (const word of words) expect(`${method} ${at}: ${text}`.slice(at.length + 8)).not.toContain(word);
      }
    expect(await left()).toEqual(before);
  });

  test("whoever may see it does: the words are there to be found", async () => {
    const eve = await logIn("eve");
    const text = await (
      await visit(`/tickets/${encodeURIComponent(secretTicket)}`, { headers: { cookie: eve.cookie } })
    ).text();
    for (const word of words.filter((one) => one !== `github:${vault}`)) expect(text).toContain(word);
    // Whoever may only look is offered nothing to press.
    expect(text).not.toContain("<button\n");
    expect(await (await visit("/board", { headers: { cookie: eve.cookie } })).text()).not.toContain(
      "acme/web#",
    );
  });
});

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
    stage.clock.now = Date.now();
    const ada = await logIn("ada");
    await logIn("eve");
    await stage.store.giveWebToken(hashed("unfollowed"), "operator:ada", stage.clock.now + 60_000);
    const options = { database: stage.database };
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
    stage.clock.now += 60_000;
    await visit("/board", { headers: { cookie: ada.cookie } });
    const [session] = await stage.store.webSessions({ account: 501 }, stage.clock.now);
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
    const first = await comeIn(stage, ask);
    expect(first.cookie).toMatch(/^forgehand-3000=/u);
    const elsewhere = { host: "127.0.0.1:4000", cookie: first.cookie };
    expect((await ask("/board", { headers: elsewhere })).status).toBe(401);
  });

  test("behind a proxy that calls us by another name, cookies stay sealed and forms count", async () => {
    const proxied = { host: "127.0.0.1:3000", "x-forwarded-for": "203.0.113.9" };
    await stage.store.giveWebToken(hashed("proxied"), "operator:ada", noon + 1_000);
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
    app = stage.open({ userOf: () => user });
    const env = { incoming: { socket: { remoteAddress: "127.0.0.1", remotePort: 50_000 } } };
    const follow = async (token: string): Promise<string | null> =>
      (
        await app.app.request(`${root}/enter?token=${token}`, { headers: { host: "127.0.0.1:3000" } }, env)
      ).headers.get("location");
    for (const [token, uid] of [
      ["bound", 1000],
      ["unknown", 1000],
      ["by-root", 1000],
      ["anybody's", undefined],
    ] as const)
      await stage.store.giveWebToken(hashed(token), "operator:ada", noon + 1_000, uid);
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
    const here = await comeIn(stage, ask);
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
