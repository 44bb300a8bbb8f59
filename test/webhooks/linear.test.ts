import { createHmac } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunningLinear } from "../../src/simulator/linear/linear.ts";
import { migrate } from "../../src/store/database.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { runVerbs } from "../../src/engine/run-verbs.ts";
import { openSqlite } from "../../src/sql.ts";
import { maxLinearBodyBytes } from "../../src/webhooks/linear-route.ts";
import { freshnessMs, linearWebhooks, type LinearSecret } from "../../src/webhooks/linear.ts";
import { createServer } from "../../src/webhooks/server.ts";
import { stand, type Stand } from "../simulator/linear/stand.ts";
import { temporaryFolder } from "../temporary.ts";

const [secret, previous, acmeOnly] = ["new secret", "old secret", "acme secret"];
const secrets: readonly LinearSecret[] = [
  { secret, workspace: undefined },
  { secret: previous, workspace: undefined },
  { secret: acmeOnly, workspace: "acme" },
];
const now = 1_700_000_000_000;
const canary = "canary-7f3a";
const guid = "72d3162e-cc78-41e3-81ab-4c9367dc0958";
const bodyOf = (more: object = {}) =>
  JSON.stringify({
    type: "Issue",
    action: "update",
    organizationId: "acme",
    webhookTimestamp: now - 1_000,
    data: { id: "i", title: canary },
    ...more,
  });
const sign = (text: string, by = secret) => createHmac("sha256", by).update(text).digest("hex");

let store: Store;
let disk: "works" | "full";
let lines: { status?: number; why?: string; msg: string }[];
let text: string;
let server: ReturnType<typeof createServer>;

const serverWith = (known: readonly LinearSecret[], clock: { now(): number }) => {
  const log = pino(
    { level: "info", base: null },
    { write: (line: string) => ((text += line), void lines.push(JSON.parse(line))) },
  );
  const linear = linearWebhooks({
    secrets: known,
    clock,
    deliveries: {
      store: async (delivery) => {
        if (disk === "full") throw new Error("SQLITE_FULL");
        return await store.receive(delivery);
      },
    },
  });
  return createServer({ github: undefined, linear, health: () => ({ ok: "yes" }), log });
};

beforeEach(async () => {
  const sql = openSqlite(join(temporaryFolder("linear-"), "t.db"));
  await migrateEngine(sql);
  await migrate(sql);
  store = openStore(sql, runVerbs);
  disk = "works";
  lines = [];
  text = "";
  server = serverWith(secrets, { now: () => now });
});

const post = (body: string, headers: Record<string, string | undefined> = {}) => {
  const all = {
    "content-type": "application/json; charset=utf-8",
    "linear-event": "Issue",
    "linear-delivery": guid,
    "linear-signature": sign(body),
    ...headers,
  };
  const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return server.request("/webhooks/linear", { method: "POST", body, headers: given });
};
const kept = () => store.unread(0, 100);

describe("a genuine webhook of Linear", () => {
  test("is stored as received before it is answered 200", async () => {
    const body = bodyOf();
    const response = await post(body);
    expect([response.status, await response.json()]).toEqual([200, { delivery: "stored" }]);
    expect(await kept()).toMatchObject([
      { id: guid, source: "linear", name: "Issue", action: "update", body, receivedAt: now },
    ]);
    expect(lines).toEqual([]);
  });
  test("is kept once, however often it comes", async () => {
    await post(bodyOf());
    expect(await (await post(bodyOf({ webhookTimestamp: now }))).json()).toEqual({ delivery: "repeat" });
    expect(await kept()).toHaveLength(1);
  });
  test("may be signed with a secret that is being replaced", async () => {
    const body = bodyOf();
    expect((await post(body, { "linear-signature": sign(body, previous) })).status).toBe(200);
  });
  test("is good as long as its stamp is within a minute, on either side", async () => {
    for (const webhookTimestamp of [now - freshnessMs, now + freshnessMs])
      expect((await post(bodyOf({ webhookTimestamp }))).status).toBe(200);
  });
  test("that nobody reads is acknowledged and not kept", async () => {
    const body = bodyOf({ type: "Reaction" });
    expect(await (await post(body)).json()).toEqual({ delivery: "unread" });
    expect(await kept()).toEqual([]);
  });
  test("has the type its signed body says, whatever its header says", async () => {
    await post(bodyOf({ type: "Comment" }), { "linear-event": "Issue" });
    expect(await kept()).toMatchObject([{ name: "Comment" }]);
  });
  test("that cannot be stored is not acknowledged, so that it comes again", async () => {
    disk = "full";
    expect((await post(bodyOf())).status).toBe(503);
    disk = "works";
    expect((await post(bodyOf())).status).toBe(200);
  });
});

describe("the secret of one workspace", () => {
  test("speaks for that workspace alone", async () => {
    const [own, others] = [bodyOf(), bodyOf({ organizationId: "umbrella" })];
    expect((await post(own, { "linear-signature": sign(own, acmeOnly) })).status).toBe(200);
    expect((await post(others, { "linear-signature": sign(others, acmeOnly) })).status).toBe(401);
    expect((await post(others, { "linear-delivery": guid.replace("7", "8") })).status).toBe(200);
  });
  test("must be there at all", () => {
    expect(() => serverWith([], { now: () => now })).toThrow(RangeError);
    expect(() => serverWith([{ secret: "", workspace: undefined }], { now: () => now })).toThrow(RangeError);
  });
});

describe("every refusal has its status, one line of the log, and nothing of the body", () => {
  const old = bodyOf({ webhookTimestamp: now - freshnessMs - 1 });
  const ahead = bodyOf({ webhookTimestamp: now + freshnessMs + 1 });
  const undated = bodyOf({ webhookTimestamp: undefined });
  const odd = bodyOf({ type: "../Issue" });
  test.each([
    ["no signature", bodyOf(), { "linear-signature": undefined }, 400, "missing linear-signature"],
    ["no delivery id", bodyOf(), { "linear-delivery": undefined }, 400, "missing linear-delivery"],
    ["a delivery id that is no UUID", bodyOf(), { "linear-delivery": "run_1" }, 400, "malformed"],
    ["an endless delivery id", bodyOf(), { "linear-delivery": "a".repeat(5000) }, 400, "malformed"],
    [
      "another secret",
      bodyOf(),
      { "linear-signature": sign(bodyOf(), "guess") },
      401,
      "FORGEHAND_LINEAR_WEBHOOK_SECRET",
    ],
    ["a changed body", bodyOf({ n: 1 }), { "linear-signature": sign(bodyOf()) }, 401, "signature"],
    [
      "a signature in capitals",
      bodyOf(),
      { "linear-signature": sign(bodyOf()).toUpperCase() },
      400,
      "malformed",
    ],
    ["a stamp of over a minute ago", old, {}, 401, "60 seconds ago"],
    ["a stamp of over a minute ahead", ahead, {}, 401, "60 seconds ahead"],
    ["no stamp", undated, {}, 400, "webhookTimestamp"],
    ["a type with a path in it", odd, {}, 400, "type"],
    ["no JSON", canary, {}, 400, "expected object"],
    ["a form", bodyOf(), { "content-type": "application/x-www-form-urlencoded" }, 415, "application/json"],
    ["nothing", "", {}, 400, "empty"],
    ["too much", "x".repeat(maxLinearBodyBytes + 1), {}, 413, "over"],
  ])("%s", async (_, body, headers, status, why) => {
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    expect(lines).toMatchObject([{ status, msg: "delivery refused" }]);
    expect(lines[0]?.why).toContain(why);
    expect(text).not.toContain(canary);
    expect(await kept()).toEqual([]);
  });
  test("what is not posted", async () => {
    const response = await server.request("/webhooks/linear");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });
  test("any, where no secret of Linear is set", async () => {
    const log = pino({ level: "silent" });
    server = createServer({ github: undefined, health: () => ({ ok: "yes" }), log });
    expect((await post(bodyOf())).status).toBe(404);
  });
});

describe("what Linear itself sends", () => {
  let s: Stand;
  let linear: RunningLinear;
  let http: ReturnType<typeof createHttpServer>;
  beforeEach(async () => {
    s = await stand();
    linear = s.linear;
    server = serverWith([{ secret: s.app.webhook.secret, workspace: undefined }], { now: () => Date.now() });
    const listener = getRequestListener(server.fetch);
    http = createHttpServer((request, response) => void listener(request, response));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    s.app.webhook.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/webhooks/linear`;
  });
  afterEach(async () => {
    await s.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });

  test("is taken whole, and a double of it is harmless", async () => {
    linear.courier.deliver = (delivery) => [delivery, delivery];
    const issue = s.ada.open(s.eng, "Greet");
    s.ada.comment(issue, "Hello");
    s.ada.delegate(issue, s.install.user);
    s.ada.revoke(s.app);
    await linear.courier.idle();
    const names = (await kept()).map(({ name, action }) => `${name}.${action ?? ""}`);
    expect(names).toEqual([
      "Issue.create",
      "Comment.create",
      "Issue.update",
      "Comment.create",
      "AgentSessionEvent.created",
      "OAuthApp.revoked",
    ]);
    expect(linear.courier.deliveries.every(({ outcome }) => outcome === "delivered")).toBe(true);
  });

  test("comes again until it is stored, in whatever order", async () => {
    disk = "full";
    s.ada.open(s.eng, "First");
    await linear.courier.idle();
    disk = "works";
    s.ada.open(s.eng, "Second");
    await linear.courier.idle();
    await s.clock.advance(60_000);
    await linear.courier.idle();
    const titles = (await kept()).map(
      ({ body }) => (JSON.parse(body) as { data: { title: string } }).data.title,
    );
    expect(titles).toEqual(["Second", "First"]);
  });

  test("forged or played back later is refused", async () => {
    linear.courier.deliver = (delivery) => [
      { ...delivery, to: { ...delivery.to, secret: "guess" } },
      { ...delivery, stampedAt: Date.now() - 61_000 },
    ];
    s.ada.open(s.eng, "Never");
    await linear.courier.idle();
    expect(await kept()).toEqual([]);
    expect(lines.map(({ status }) => status)).toEqual([401, 401]);
  });
});
