/** Somebody of the forge logs in, sees and acts by what they may there, and is out when they may nothing more. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";

const publicUrl = "https://forgehand.example";
const client = { id: "Iv23liforgehand", secret: "0123456789abcdef0123" };
/** As the proxy in front of it passes it on. */
const proxied = { "x-forwarded-for": "203.0.113.9" };

let world: World;
beforeEach(async () => {
  world = await openWorld({ environment: { access: { publicUrl, client } } });
  const { logins } = world.hub.registration;
  Object.assign(logins.client, client);
  logins.callbackUrls = [`${publicUrl}/login/github/callback`];
});
afterEach(() => world.close());

const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> =>
  fetch(`${world.forgehand.url}${path}`, {
    ...init,
    headers: { ...proxied, ...headers },
    redirect: "manual",
  });
async function logIn(login: string): Promise<Response> {
  world.hub.registration.logins.consent = { by: login };
  const away = await ask("/login/github?next=/board");
  const cookie = away.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const consent = await fetch(away.headers.get("location") ?? "", { redirect: "manual" });
  const back = new URL(consent.headers.get("location") ?? "");
  return await ask(`${back.pathname}${back.search}`, { cookie });
}

test("from the login to the last look", async () => {
  world.people.person("kim", "write");
  world.people.person("passer-by", "read");
  const issue = world.people.openIssue({ by: "kim", title: "Mend the date", body: "It is off by one." });
  world.people.label(issue, "agent-ready", "kim");
  await world.untilState(issue, "In Review");

  expect((await logIn("passer-by")).status).toBe(403);
  const entered = await logIn("kim");
  expect(entered.status).toBe(200);
  const cookie =
    entered.headers
      .getSetCookie()
      .find((one) => one.startsWith("__Host-forgehand="))
      ?.split(";")[0] ?? "";
  const board = await (await ask("/board", { cookie })).text();
  expect(board).toContain("Mend the date");
  const csrf = /name="csrf" value="([^"]+)"/u.exec(board)?.[1] ?? "";
  const id = `github:${world.repo.id}#${issue}`;
  const page = `/tickets/${encodeURIComponent(id)}`;
  const halt = (): Promise<Response> =>
    ask(
      `${page}/halt`,
      { cookie, origin: publicUrl },
      { method: "POST", body: new URLSearchParams({ csrf }) },
    );
  expect((await halt()).status).toBe(303);
  await world.untilState(issue, "Blocked");
  expect(await world.forgehand.store.haltersOf(id)).toMatchObject([{ actor: "page:kim" }]);
  expect(world.forgehand.shop.detailsUrl(id)).toBe(`${publicUrl}${page}`);

  world.people.person("kim", "read");
  expect((await halt()).status).toBe(403);
  expect((await ask("/board", { cookie })).status).toBe(401);
  // The token was for one question.
  expect(world.hub.registration.logins.tokens.size).toBe(0);
});
