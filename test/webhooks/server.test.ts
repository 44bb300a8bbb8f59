import { createHmac, generateKeyPairSync } from "node:crypto";
import { Hono } from "hono";
import { pino } from "pino";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Delivery, GitHubWebhooks } from "../../src/webhooks/github.ts";
import { openGitHubWebhooks } from "../../src/webhooks/github.ts";
import { createServer, maxBodyBytes } from "../../src/webhooks/server.ts";

const secret = "new secret";
const previous = "old secret";
const canary = "canary-7f3a";
const body = JSON.stringify({
  action: "labeled",
  note: canary,
  repository: { id: 1 },
  installation: { id: 5 },
});
const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958";

const stored = new Map<string, Delivery>();
const lines: { status?: number; why?: string; msg: string }[] = [];
let text = "";
let disk: "works" | "full" = "works";
let github: GitHubWebhooks;
let server: Hono;

const log = pino(
  { level: "info", base: null },
  { write: (line: string) => ((text += line), void lines.push(JSON.parse(line))) },
);

beforeAll(async () => {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  github = await openGitHubWebhooks({
    appId: 111,
    privateKey,
    secrets: [secret, previous],
    baseUrl: undefined,
    clock: { now: () => 1_700_000_000_000 },
    log,
    deliveries: {
      store: async (delivery) => {
        if (disk === "full") throw new Error("SQLITE_FULL");
        if (stored.has(delivery.id)) return "repeat";
        stored.set(delivery.id, delivery);
        return "stored";
      },
    },
  });
  const web = new Hono().get("/", (context) => context.text("dashboard"));
  server = createServer({ github, web, health: () => ({ ok: "yes" }), log });
});
beforeEach(() => {
  stored.clear();
  lines.length = 0;
  text = "";
  disk = "works";
});

const sign = (payload: string, by = secret) =>
  `sha256=${createHmac("sha256", by).update(payload).digest("hex")}`;
const post = (
  payload: string | ReadableStream<Uint8Array>,
  headers: Record<string, string | undefined> = {},
) => {
  const all = {
    "content-type": "application/json",
    "x-github-event": "issues",
    "x-github-delivery": guid,
    "x-hub-signature-256": typeof payload === "string" ? sign(payload) : sign(""),
    ...headers,
  };
  const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return server.request("/webhooks/github", {
    method: "POST",
    body: payload,
    headers: given,
    ...(typeof payload === "string" ? {} : { duplex: "half" }),
  });
};

describe("a genuine delivery", () => {
  test("is stored as received and answered 202", async () => {
    const response = await post(body);
    expect(response.status).toBe(202);
    expect([...stored.values()]).toEqual([
      { id: guid, source: "github", name: "issues", action: "labeled", body, receivedAt: 1_700_000_000_000 },
    ]);
    expect(lines).toEqual([]);
  });
  test("is answered 202 again when repeated, and stored once", async () => {
    await post(body);
    const response = await post(body);
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ delivery: "repeat" });
    expect(stored.size).toBe(1);
  });
  test("may be signed with the previous secret during a rotation", async () => {
    expect((await post(body, { "x-hub-signature-256": sign(body, previous) })).status).toBe(202);
  });
  test("keeps every byte, whatever the script", async () => {
    const odd = '{ "action":"édité \\u00e9 😀" ,"n": 1.0 }';
    expect((await post(odd)).status).toBe(202);
    expect(stored.get(guid)?.body).toBe(odd);
  });
  test("of an event nobody reads is answered 204, not stored, with one line", async () => {
    expect((await post(body, { "x-github-event": "star" })).status).toBe(204);
    expect(stored.size).toBe(0);
    expect(lines).toHaveLength(1);
  });
  test("that cannot be stored is not acknowledged", async () => {
    disk = "full";
    expect((await post(body)).status).toBe(503);
    expect(lines).toHaveLength(1);
  });
});

describe("every refusal has its status, one log line, and nothing of the body", () => {
  const big = "x".repeat(maxBodyBytes + 1);
  test.each([
    ["no signature", body, { "x-hub-signature-256": undefined }, 400],
    ["no event", body, { "x-github-event": undefined }, 400],
    ["no delivery id", body, { "x-github-delivery": undefined }, 400],
    ["an event name with a path in it", body, { "x-github-event": "../issues" }, 400],
    ["an endless delivery id", body, { "x-github-delivery": "a".repeat(5000) }, 400],
    ["another secret", body, { "x-hub-signature-256": sign(body, "guess") }, 401],
    ["an empty secret", body, { "x-hub-signature-256": sign(body, "") }, 401],
    ["Probot's default secret", body, { "x-hub-signature-256": sign(body, "development") }, 401],
    ["another body", `${body} `, { "x-hub-signature-256": sign(body) }, 401],
    ["the older sha1 signature", body, { "x-hub-signature-256": "sha1=abc" }, 400],
    ["malformed JSON", `{"x": "${canary}"`, {}, 400],
    ["JSON that is no object", `["${canary}"]`, {}, 400],
    ["an empty body", "", { "x-hub-signature-256": sign(body) }, 400],
    ["a form", body, { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["a body over the limit", big, { "x-hub-signature-256": sign(body) }, 413],
    ["a length over the limit", body, { "content-length": String(maxBodyBytes + 1) }, 413],
  ])("%s", async (_, payload, headers, status) => {
    const response = await post(payload, headers);
    expect(response.status).toBe(status);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ status, msg: "delivery refused" });
    expect(text).not.toContain(canary);
    expect(text.length).toBeLessThan(500);
    expect(text).not.toContain(secret);
    expect(stored.size).toBe(0);
  });
  test("an endless body is cut off at the limit instead of being read whole", async () => {
    const chunk = new Uint8Array(1024 * 1024);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(chunk);
      },
    });
    expect((await post(endless)).status).toBe(413);
    expect(sent).toBeLessThan(40);
    expect(lines).toHaveLength(1);
  });
  test("another method", async () => {
    const response = await server.request("/webhooks/github");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
  });
});

test("a stored delivery given to the Probot app reaches its handlers with an Octokit of the installation", async () => {
  const heard: { id: string; name: string; octokit: string }[] = [];
  github.onAny(async ({ id, name, octokit }) => {
    heard.push({ id, name, octokit: typeof octokit.rest.issues.get });
  });
  await post(body);
  const delivery = stored.get(guid);
  if (delivery === undefined) throw new Error("not stored");
  expect(heard).toEqual([]);
  await github.receive(delivery);
  expect(heard).toEqual([{ id: guid, name: "issues", octokit: "function" }]);
  expect(typeof (await github.auth(5)).rest.issues.get).toBe("function");
});

test("an empty secret is refused at the start", async () => {
  const options = { appId: 1, privateKey: "x", baseUrl: undefined, clock: { now: () => 0 }, log } as const;
  const deliveries = { store: async () => "stored" as const };
  await expect(openGitHubWebhooks({ ...options, deliveries, secrets: [""] })).rejects.toThrow(RangeError);
  await expect(openGitHubWebhooks({ ...options, deliveries, secrets: ["a", ""] })).rejects.toThrow(
    RangeError,
  );
});

test("health is told, the dashboard is mounted, and without an App there is no webhook route", async () => {
  expect((await server.request("/healthz")).status).toBe(200);
  expect(await (await server.request("/")).text()).toBe("dashboard");
  const bare = createServer({ github: undefined, health: () => ({ ok: "no", why: "draining" }), log });
  const health = await bare.request("/healthz");
  expect([health.status, await health.json()]).toEqual([503, { ok: "no", why: "draining" }]);
  expect((await bare.request("/webhooks/github", { method: "POST" })).status).toBe(404);
});

test("one that drains lives, takes no news, and has them sent again", async () => {
  const ready = () => ({ ok: "no", why: "draining" }) as const;
  const draining = createServer({ github, health: () => ({ ok: "yes" }), ready, log });
  expect((await draining.request("/healthz")).status).toBe(200);
  const readiness = await draining.request("/readyz");
  expect([readiness.status, await readiness.json()]).toEqual([503, { ok: "no", why: "draining" }]);
  const refused = await draining.request("/webhooks/github", { method: "POST", body: "{}" });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "60"]);
  expect((await server.request("/readyz")).status).toBe(200);
});
