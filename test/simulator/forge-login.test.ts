/** Logging in through the App on the simulated forge, as GitHub does it. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { githubLogin } from "../../src/adapters/github/login.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";

const redirect = "https://forgehand.example/login/github/callback";
const verifier = "a-verifier-of-forty-three-letters-or-more-xx";
const challenge = createHash("sha256").update(verifier).digest("base64url");

let hub: RunningHub;
beforeEach(async () => {
  hub = await startHub();
  hub.state.people.set("ada", { login: "ada", id: 501, type: "User" });
  Object.assign(hub.registration.logins, { callbackUrls: [redirect], consent: { by: "ada" } });
});
afterEach(() => hub.close());

const loginAs = (client = hub.registration.logins.client, apiUrl = hub.url) =>
  githubLogin({ client, apiUrl, fetch: globalThis.fetch });
async function consent(url = loginAs().consentUrl({ state: "s", challenge, redirect })): Promise<URL> {
  const answer = await fetch(url, { redirect: "manual" });
  return new URL(answer.headers.get("location") ?? "about:blank", hub.url);
}
const codeIn = (back: URL): string => back.searchParams.get("code") ?? "";

describe("the login", () => {
  test("says who consented, by number and name, and leaves no token behind", async () => {
    const back = await consent();
    expect([back.origin, back.pathname, back.searchParams.get("state")]).toEqual([
      "https://forgehand.example",
      "/login/github/callback",
      "s",
    ]);
    const came = { code: codeIn(back), verifier, redirect };
    expect(await loginAs().personOf(came)).toEqual({ id: 501, login: "ada" });
    expect(hub.registration.logins.tokens.size).toBe(0);
    expect(await loginAs().personOf(came)).toBe("refused");
  });

  test.each([
    ["a code of nobody's", { code: "guessed" }],
    ["another verifier", { verifier: "another" }],
    ["another way back", { redirect: "https://evil.example/" }],
  ])("is refused for %s", async (_name, wrong) => {
    const code = codeIn(await consent());
    expect(await loginAs().personOf({ code, verifier, redirect, ...wrong })).toBe("refused");
    expect(hub.registration.logins.tokens.size).toBe(0);
  });

  test("is refused with a wrong secret of the App", async () => {
    const code = codeIn(await consent());
    const { id } = hub.registration.logins.client;
    expect(await loginAs({ id, secret: "wrong" }).personOf({ code, verifier, redirect })).toBe("refused");
  });

  test("a forge below a path, as GitHub Enterprise Server is, is asked at its own addresses", async () => {
    const login = loginAs(undefined, `${hub.url}/api/v3`);
    const url = login.consentUrl({ state: "s", challenge, redirect });
    expect(url.startsWith(`${hub.url}/login/oauth/authorize?`)).toBe(true);
    const code = codeIn(await consent(url));
    expect(await login.personOf({ code, verifier, redirect })).toEqual({ id: 501, login: "ada" });
    expect(hub.registration.logins.tokens.size).toBe(0);
  });

  test.each([
    ["https://api.github.com", "https://github.com/login/oauth/authorize"],
    ["https://github.example/api/v3", "https://github.example/login/oauth/authorize"],
    ["https://api.acme.ghe.com", "https://acme.ghe.com/login/oauth/authorize"],
  ])("%s: consent at %s", (apiUrl, page) => {
    const client = { id: "Iv1.x", secret: "secret" };
    const url = new URL(loginAs(client, apiUrl).consentUrl({ state: "s", challenge, redirect }));
    expect(`${url.origin}${url.pathname}`).toBe(page);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "Iv1.x",
      redirect_uri: redirect,
      state: "s",
      code_challenge: challenge,
      code_challenge_method: "S256",
      allow_signup: "false",
    });
  });

  test("no answer is trouble that names no secret", async () => {
    const { client } = hub.registration.logins;
    const dead = githubLogin({
      client,
      apiUrl: hub.url,
      fetch: async () => {
        throw new Error("connect ECONNREFUSED");
      },
    });
    const error: unknown = await dead
      .personOf({ code: "c0de", verifier, redirect })
      .catch((one: unknown) => one);
    expect(error).toMatchObject({ name: "Trouble", code: "github-unavailable" });
    expect(JSON.stringify([error, String(error)])).not.toMatch(/c0de|verifier/u);
    expect(JSON.stringify([error, String(error)])).not.toContain(client.secret);
  });
});

describe("the forge", () => {
  test("sends nobody to an address that is not the App's", async () => {
    const back = await consent(
      loginAs().consentUrl({ state: "s", challenge, redirect: "https://evil.example/" }),
    );
    expect([back.origin, back.searchParams.get("error")]).toEqual([
      "https://forgehand.example",
      "redirect_uri_mismatch",
    ]);
  });
  test("knows no other App", async () => {
    const url = loginAs({ id: "Iv1.other", secret: "x" }).consentUrl({ state: "s", challenge, redirect });
    expect((await fetch(url, { redirect: "manual" })).status).toBe(404);
  });
  test("tells of a refusal", async () => {
    hub.registration.logins.consent = { by: "ada", denies: true };
    expect((await consent()).searchParams.get("error")).toBe("access_denied");
  });
  test("a token of a person opens nothing of the App's, and one of an installation no person", async () => {
    hub.registration.logins.tokens.set("ghu_x", { account: 501, until: Number.MAX_SAFE_INTEGER });
    const status = async (path: string, token: string): Promise<number> =>
      (await fetch(`${hub.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await status("/user", "ghu_x")).toBe(200);
    expect(await status("/app", "ghu_x")).toBe(401);
    expect(await status("/user", "ghs_x")).toBe(401);
  });
});
