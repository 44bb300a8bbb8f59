import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { openConsentPage } from "../../src/adapters/linear/consent.ts";
import { openLinearOAuth } from "../../src/adapters/linear/oauth.ts";
import type { LinearOAuth } from "../../src/ports-linear.ts";
import { Problem } from "../../src/problems.ts";
import { app, openLinearStand, type LinearStand } from "./stand.ts";

const redirect = "http://localhost:8977/linear/callback";
let stand: LinearStand;
beforeEach(async () => {
  stand = await openLinearStand();
});
afterEach(() => stand.close());

const oauthOf = (clientSecret: string = app.secret, apiUrl: string = stand.url): LinearOAuth =>
  openLinearOAuth({
    settings: { clientId: app.id, clientSecret, apiKey: undefined, apiUrl, redirect },
    fetch: globalThis.fetch,
    clock: systemClock(),
  });
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("what is said of a failure", () => {
  test("holds no part of a token that cannot be sent", async () => {
    const token = `honey_${"0123456789".repeat(60)}\nmore`;
    const error = await errorOf(oauthOf().identity(token, "app"));
    expect(String(error)).toContain("invalid header value");
    expect(String(error)).not.toContain("honey_");
  });

  test("keeps the words that are no secret: they say what is wrong", async () => {
    const why = `authorization_code: redirect_uri ${redirect} is unknown to ${app.id}; code stolen-code`;
    stand.next.push({ status: 400, body: { error: "invalid_grant", error_description: why } });
    const verifier = "honey-verifier-0123456789";
    const answer = await oauthOf().exchange("stolen-code", { redirect, verifier });
    expect(answer).toEqual({
      is: "refused",
      why: `invalid_grant ${why.replace("stolen-code", "[secret removed]")}`,
    });
  });
});

test.each([
  [
    "a wrong secret",
    { error: "invalid_client", error_description: "wrong honey-wrong-secret" },
    "linear-app-refused",
  ],
  ["tokens it does not know", { errors: [{ message: "Authentication required" }] }, undefined],
])("of %s only what is gone at Linear counts as revoked", async (_, body, code) => {
  const server = createServer((_request, response) => {
    response.writeHead(401, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // `address` is an object for a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  const oauth = oauthOf("honey-wrong-secret", `http://127.0.0.1:${port}`);
  const error = await errorOf(oauth.revoke({ access: "honey-access", refresh: "honey-refresh" }));
  server.close();
  expect(error instanceof Problem ? error.code : error).toBe(code);
  expect(String(error)).not.toContain("honey");
});

// Other systems have but one address of 127.0.0.0/8.
const hosts = ["localhost", "127.0.0.1", ...(process.platform === "linux" ? ["127.0.0.2"] : [])];
test.each(hosts)("the page for %s is where the browser goes", async (host) => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  const page = await openConsentPage({
    redirect: `http://${host}:${port}/back`,
    state: "ours",
    clock: systemClock(),
    limitMs: 60_000,
    say: () => undefined,
  });
  const browsed = await errorOf(
    fetch(`http://${host}:${port}/back?state=ours&code=one`).then(({ status }) => expect(status).toBe(200)),
  );
  const code = browsed === undefined ? await page.answer() : undefined;
  await page.close();
  expect(browsed).toBeUndefined();
  expect(code).toBe("one");
});
