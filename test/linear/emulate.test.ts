import { createHash } from "node:crypto";
import { createEmulator, type Emulator } from "emulate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { openLinearOAuth } from "../../src/adapters/linear/oauth.ts";
import { linearScopes, type LinearOAuth, type TokenPair } from "../../src/ports-linear.ts";

const redirect = "http://localhost:8977/linear/callback";
const client = { id: "lin_forgehand", secret: "honey-emulated-secret" };
const verifier = "v".repeat(43);
let emulator: Emulator;
let oauth: LinearOAuth;
const open = (clientSecret: string): LinearOAuth =>
  openLinearOAuth({
    settings: { clientId: client.id, clientSecret, apiKey: undefined, apiUrl: emulator.url, redirect },
    fetch: globalThis.fetch,
    clock: systemClock(),
  });

beforeAll(async () => {
  emulator = await createEmulator({
    service: "linear",
    port: 0,
    seed: {
      linear: {
        organization: { name: "Acme", url_key: "acme" },
        oauth_apps: [
          {
            client_id: client.id,
            client_secret: client.secret,
            name: "forgehand",
            redirect_uris: [redirect],
            scopes: [...linearScopes],
            actor: "app",
            assignable: true,
            mentionable: true,
          },
        ],
      },
    },
  });
  oauth = open(client.secret);
});
afterAll(async () => await emulator.close());

/** Opens the page and presses its one button. */
async function codeFor(challenge: string): Promise<string> {
  const shown = await fetch(oauth.consentUrl({ redirect, state: "s1", challenge }));
  const html = await shown.text();
  expect(shown.status, html).toBe(200);
  const fields = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/gu)];
  const body = new URLSearchParams();
  for (const [, name = "", value = ""] of fields) body.set(name, value.replaceAll("&amp;", "&"));
  const answer = await fetch(`${emulator.url}/oauth/authorize/callback`, {
    method: "POST",
    body,
    redirect: "manual",
  });
  const back = new URL(answer.headers.get("location") ?? "");
  expect(back.searchParams.get("state")).toBe("s1");
  return back.searchParams.get("code") ?? "";
}
const challengeOf = (text: string): string => createHash("sha256").update(text).digest("base64url");
function pairOf(answer: Awaited<ReturnType<LinearOAuth["refresh"]>>): TokenPair {
  if (answer.is !== "granted") throw new Error(`${answer.is}: ${answer.why}`);
  return answer.pair;
}

test("a code with its proof becomes a pair for all scopes, which speaks for the app", async () => {
  const code = await codeFor(challengeOf(verifier));
  const pair = pairOf(await oauth.exchange(code, { redirect, verifier }));
  expect(pair.scopes).toEqual([...linearScopes]);
  expect(pair.lifetimeMs).toBeGreaterThan(0);
  const identity = await oauth.identity(pair.access, "app");
  expect(identity).toMatchObject({
    workspace: { name: "Acme", urlKey: "acme" },
    user: { name: "forgehand" },
  });
  // A code is good once.
  expect(await oauth.exchange(code, { redirect, verifier })).toMatchObject({ is: "refused" });
});

test("a code without its proof is refused", async () => {
  const code = await codeFor(challengeOf(verifier));
  const answer = await oauth.exchange(code, { redirect, verifier: "w".repeat(43) });
  expect(answer).toMatchObject({ is: "refused", why: expect.stringContaining("PKCE") });
});

test("a refresh token is good once, and not at all once it is revoked", async () => {
  const code = await codeFor(challengeOf(verifier));
  const first = pairOf(await oauth.exchange(code, { redirect, verifier }));
  const second = pairOf(await oauth.refresh(first.refresh ?? ""));
  expect(second.access).not.toBe(first.access);
  expect(second.refresh).not.toBe(first.refresh);
  expect(await oauth.refresh(first.refresh ?? "")).toMatchObject({ is: "refused" });
  await oauth.revoke(second);
  expect(await oauth.refresh(second.refresh ?? "")).toMatchObject({ is: "refused" });
});

test("client credentials give a token without a refresh token", async () => {
  const pair = pairOf(await oauth.clientCredentials());
  expect(pair.refresh).toBeUndefined();
  expect(await oauth.identity(pair.access, "app")).toMatchObject({ workspace: { name: "Acme" } });
});

test("a wrong secret is the app's trouble, and is not said back", async () => {
  const answer = await open("honey-wrong").clientCredentials();
  expect(answer).toMatchObject({ is: "app-refused", why: expect.stringContaining("invalid_client") });
  expect(JSON.stringify(answer)).not.toContain("honey");
});
