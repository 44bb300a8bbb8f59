import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SimApp } from "../../../src/simulator/linear/context.ts";
import { refusal, stand, type Json, type Stand } from "./stand.ts";

let s: Stand;
let app: SimApp;
beforeEach(async () => {
  s = await stand();
  app = s.linear.app({
    name: "Walker",
    home: s.acme,
    redirectUris: ["http://127.0.0.1:9/back"],
    allowsClientCredentials: true,
  });
  s.linear.oauth.consent = { by: s.ada.user };
});
afterEach(() => s.close());

const verifier = "a-verifier-of-forty-three-characters-or-more-123";
const challenge = createHash("sha256").update(verifier).digest("base64url");
const redirectUri = "http://127.0.0.1:9/back";

/** What the browser is sent back with. */
async function authorize(more: Record<string, string> = {}): Promise<URLSearchParams> {
  const url = new URL("/oauth/authorize", s.linear.url);
  const asked = {
    client_id: app.clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "read,write,app:assignable,app:mentionable",
    state: "xyz",
    actor: "app",
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...more,
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  const response = await fetch(url, { redirect: "manual" });
  const location = response.headers.get("location");
  if (location === null) throw new Error(`${response.status} ${await response.text()}`);
  expect(location.startsWith(redirectUri)).toBe(true);
  return new URL(location).searchParams;
}
async function post(
  path: string,
  form: Record<string, string>,
  headers = {},
): Promise<{ status: number; body: Json }> {
  const response = await fetch(new URL(path, s.linear.url), {
    method: "POST",
    headers,
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as Json };
}
const exchange = async (more: Record<string, string> = {}, by: Record<string, string> = {}) =>
  post("/oauth/token", {
    grant_type: "authorization_code",
    code: (await authorize(by)).get("code") ?? "",
    redirect_uri: redirectUri,
    client_id: app.clientId,
    code_verifier: verifier,
    ...more,
  });
const refresh = (token: unknown) =>
  post("/oauth/token", {
    grant_type: "refresh_token",
    refresh_token: String(token),
    client_id: app.clientId,
    client_secret: app.clientSecret,
  });
const works = async (token: unknown): Promise<boolean> => {
  try {
    await s.as({ accessToken: String(token) }).viewer;
    return true;
  } catch (error) {
    expect(error).toMatchObject({ type: "AuthenticationError", status: 401 });
    return false;
  }
};

describe("the walk with a code and PKCE", () => {
  it("ends with a token for a day that acts as the app", async () => {
    const back = await authorize();
    expect(back.get("state")).toBe("xyz");
    const { status, body } = await exchange();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token_type: "Bearer",
      expires_in: 86_400,
      scope: "read write app:assignable app:mentionable",
    });
    const client = s.as({ accessToken: String(body["access_token"]) });
    expect(await client.viewer).toMatchObject({
      name: "Walker",
      app: true,
      isAssignable: true,
      isMentionable: true,
    });
    expect(await client.organization).toMatchObject({ urlKey: "acme" });
  });

  it("fails with the wrong verifier, another redirect, a second use, or after ten minutes", async () => {
    const wrong = async (answer: Promise<{ status: number; body: Json }>) => {
      const { status, body } = await answer;
      expect(status).toBe(400);
      expect(body["error"]).toBe("invalid_grant");
    };
    await wrong(exchange({ code_verifier: "another" }));
    await wrong(exchange({ redirect_uri: "http://127.0.0.1:9/elsewhere" }));
    await wrong(exchange({ code: "made up" }));
    const code = (await authorize()).get("code") ?? "";
    expect((await exchange({ code })).status).toBe(200);
    await wrong(exchange({ code }));
    const late = (await authorize()).get("code") ?? "";
    await s.clock.advance(10 * 60_000);
    await wrong(exchange({ code: late }));
    expect((await exchange({ client_id: "nobody" })).body["error"]).toBe("invalid_client");
    expect((await exchange({ client_secret: "wrong" })).status).toBe(401);
    expect((await exchange({ grant_type: "password" })).body["error"]).toBe("unsupported_grant_type");
  });

  it("is refused when it asks for what cannot be given", async () => {
    expect((await authorize({ scope: "read,admin" })).get("error_description")).toContain(
      "actor=app cannot ask for admin",
    );
    expect((await authorize({ scope: "read,everything" })).get("error_description")).toContain(
      "unknown scope everything",
    );
    expect((await authorize({ actor: "user" })).get("error_description")).toContain("needs actor=app");
    expect((await authorize({ code_challenge_method: "plain" })).get("error_description")).toContain("S256");
    await expect(authorize({ client_id: "nobody" })).rejects.toThrow("400 Invalid client_id");
    await expect(authorize({ redirect_uri: "http://evil.example" })).rejects.toThrow(
      "400 Invalid redirect_uri",
    );
    s.linear.oauth.consent = { by: s.bob.user };
    expect((await authorize()).get("error_description")).toContain("Only an admin");
    s.linear.oauth.consent = { by: s.ada.user, denies: true };
    expect((await authorize()).get("error")).toBe("access_denied");
    s.linear.oauth.consent = undefined;
    await expect(authorize()).rejects.toThrow("401");
  });

  it("can act as the person instead", async () => {
    const { body } = await exchange({}, { actor: "user", scope: "read" });
    expect(await s.as({ accessToken: String(body["access_token"]) }).viewer).toMatchObject({
      name: "Ada",
      app: false,
    });
  });

  it("lets the app into the teams that were chosen", async () => {
    const ops = s.linear.team(s.acme, { key: "OPS" });
    s.linear.oauth.consent = { by: s.ada.user, teams: [ops] };
    const { body } = await exchange();
    const teams = await s.as({ accessToken: String(body["access_token"]) }).teams();
    expect(teams.nodes.map(({ key }) => key)).toEqual(["OPS"]);
  });
});

describe("a token", () => {
  it("is worth nothing after a day, and a refresh makes the old pair worthless", async () => {
    const { body: first } = await exchange();
    expect(await works(first["access_token"])).toBe(true);
    await s.clock.advance(86_400_000);
    expect(await works(first["access_token"])).toBe(false);
    const { body: second } = await refresh(first["refresh_token"]);
    expect(await works(second["access_token"])).toBe(true);
    const replay = await refresh(first["refresh_token"]);
    expect(replay).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    const { body: third } = await refresh(second["refresh_token"]);
    expect([await works(second["access_token"]), await works(third["access_token"])]).toEqual([false, true]);
  });

  it("can be lost on its way: the refresh happened, the answer never came", async () => {
    const { body } = await exchange();
    s.linear.fail({ is: "reset", of: /oauth\/token/, after: true });
    await expect(refresh(body["refresh_token"])).rejects.toThrow("fetch failed");
    expect((await refresh(body["refresh_token"])).body["error"]).toBe("invalid_grant");
  });

  it("of client credentials lives a month, alone, in the workspace of the app", async () => {
    const ask = () =>
      post(
        "/oauth/token",
        { grant_type: "client_credentials", scope: "read,write" },
        {
          authorization: `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString("base64")}`,
        },
      );
    const { body } = await ask();
    expect(body).toMatchObject({ expires_in: 30 * 86_400, scope: "read write" });
    expect(body).not.toHaveProperty("refresh_token");
    expect(await s.as({ accessToken: String(body["access_token"]) }).viewer).toMatchObject({
      name: "Walker",
      app: true,
    });
    const { body: next } = await ask();
    expect([await works(body["access_token"]), await works(next["access_token"])]).toEqual([false, true]);
    const wrong = await post("/oauth/token", {
      grant_type: "client_credentials",
      client_id: s.app.clientId,
      client_secret: s.app.clientSecret,
    });
    expect(wrong.body["error_description"]).toContain("not enabled");
  });

  it("dies when it is revoked, with what could renew it", async () => {
    const { body } = await exchange();
    expect((await post("/oauth/revoke", { token: String(body["access_token"]) })).status).toBe(200);
    expect(await works(body["access_token"])).toBe(false);
    expect((await refresh(body["refresh_token"])).status).toBe(400);
    expect((await post("/oauth/revoke", { token: String(body["access_token"]) })).status).toBe(400);
  });

  it("dies when an admin throws the app out, and the app is told", async () => {
    s.ada.revoke(s.app);
    expect(await refusal(() => s.client.viewer)).toMatchObject({ type: "AuthenticationError", status: 401 });
    const [revoked] = await s.heard();
    expect(revoked?.payload).toMatchObject({
      type: "OAuthApp",
      action: "revoked",
      oauthClientId: s.app.clientId,
      organizationId: s.acme.id,
    });
    const user = s.install.user.id;
    expect(() => s.bob.grant(s.app, { scopes: ["read"] })).toThrow("Bob is no admin of Acme");
    const again = s.ada.grant(s.app, { scopes: ["read"] });
    expect(again.install.user.id).toBe(user);
  });

  it("that nobody issued gets 401", async () => {
    expect(await works("lin_oauth_made_up")).toBe(false);
    expect(await refusal(() => s.as({ apiKey: "lin_api_made_up" }).viewer)).toMatchObject({
      type: "AuthenticationError",
      status: 401,
    });
  });
});

describe("a personal key", () => {
  it("acts as its person, without the word Bearer", async () => {
    const apiKey = s.linear.apiKey(s.bob.user);
    expect(await s.as({ apiKey }).viewer).toMatchObject({ name: "Bob" });
    expect(await works(apiKey)).toBe(false);
  });

  it("cannot speak in an agent's session", async () => {
    const session = s.ada.delegate(s.ada.open(s.eng, "x"), s.install.user);
    const key = s.as({ apiKey: s.linear.apiKey(s.bob.user) });
    const error = await refusal(() =>
      key.createAgentActivity({ agentSessionId: session.id, content: { type: "thought", body: "x" } }),
    );
    expect(error).toMatchObject({ type: "Forbidden" });
  });
});

describe("scopes", () => {
  it("are enforced on what changes something", async () => {
    const issue = s.ada.open(s.eng, "Scoped");
    const having = (...scopes: string[]) => {
      const other = s.linear.app({ name: `With ${scopes.join(" ")}`, home: s.acme });
      return s.as({ accessToken: s.linear.oauth.install(other, s.acme, { scopes }).accessToken });
    };
    const reader = having("read");
    expect((await reader.issue(issue.id)).title).toBe("Scoped");
    const refused = await refusal(() => reader.createComment({ issueId: issue.id, body: "x" }));
    expect(refused).toMatchObject({ type: "Forbidden", status: 403 });
    expect(refused.message).toContain("Invalid scope: `comments:create` required");
    const commenter = having("read", "comments:create");
    await commenter.createComment({ issueId: issue.id, body: "x" });
    expect((await refusal(() => commenter.updateIssue(issue.id, { title: "y" }))).message).toContain(
      "`write` required",
    );
    await having("read", "issues:create").createIssue({ teamId: s.eng.id, title: "z" });
    const hook = { url: "http://127.0.0.1:9", resourceTypes: ["Issue"], teamId: s.eng.id };
    expect((await refusal(() => s.client.createWebhook(hook))).message).toContain("`admin` required");
  });
});
