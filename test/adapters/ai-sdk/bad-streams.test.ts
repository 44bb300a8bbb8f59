/** Answers no model should give: each ends as a failure that says so, and none ends the process or fills its memory. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { comes, key, openStand, usages, work, type Stand } from "./stand.ts";

let stand: Stand;
let server: Server;
let answer: (response: ServerResponse) => void = () => undefined;
let asked = 0;
let elsewhere = 0;
beforeEach(async () => {
  stand = await openStand();
  asked = 0;
  elsewhere = 0;
  server = createServer((request, response) => {
    request.resume();
    if (request.url?.startsWith("/elsewhere") === true) {
      elsewhere += 1;
      return void response.writeHead(404).end();
    }
    asked += 1;
    answer(response);
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
});
afterEach(async () => {
  await stand.close();
  await new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  });
});

const outcomeOf = async (more: Record<string, unknown> = {}) => {
  const { port } = server.address() as AddressInfo;
  const entry = stand.entry("openai-compatible", { base_url: `http://127.0.0.1:${port}/v1`, ...more });
  return await work(stand.agent("openai-compatible", { entry }), stand.order([{ say: "unused" }]), {
    clock: stand.clock,
  });
};
const stream =
  (...lines: readonly (string | Buffer)[]) =>
  (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const line of lines) response.write(line);
    response.end();
  };
const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", created: 0, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

test.each<[string, () => void, object]>([
  ["nothing at all", () => (answer = stream()), { how: "retry", code: "stream" }],
  [
    "the end of a stream without an answer",
    () => (answer = stream("data: [DONE]\n\n")),
    { how: "retry", code: "stream" },
  ],
  [
    "an answer that never ends as one",
    () => (answer = stream(chunk({ content: "Half of" }))),
    { how: "retry", code: "stream" },
  ],
  [
    "a page in the place of a stream",
    () =>
      (answer = (response) =>
        void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Login</h1>")),
    { how: "retry", code: "stream" },
  ],
  [
    "success with an error inside",
    () => (answer = stream('data: {"error":{"message":"The engine is overloaded","code":503}}\n\n')),
    { how: "retry", code: "server" },
  ],
  [
    "an answer of no words",
    () => (answer = stream(chunk({ role: "assistant", content: "" }), chunk({}, "stop"))),
    { how: "retry", code: "no-result" },
  ],
  [
    "a request that is refused for its form",
    () =>
      (answer = (response) => void response.writeHead(422).end('{"error":{"message":"tools: too many"}}')),
    { how: "give-up", code: "request-rejected", why: expect.stringContaining("tools: too many") },
  ],
  [
    "a model that is not there",
    () =>
      (answer = (response) =>
        void response.writeHead(404).end('{"error":{"message":"The model `m` does not exist"}}')),
    { how: "blocked", code: "model-unknown" },
  ],
  [
    "a server that says the key back",
    () =>
      (answer = (response) =>
        void response.writeHead(401).end(`{"error":{"message":"Incorrect API key: ${key}"}}`)),
    { how: "blocked", code: "logged-out", why: expect.stringContaining("Incorrect API key: [key removed]") },
  ],
])("%s", async (_name, prepare, expected) => {
  prepare();
  const { outcome } = await outcomeOf();
  expect(outcome).toMatchObject(expected);
});

test("bytes that are no UTF-8 become signs that say so", async () => {
  const bytes = Buffer.from(chunk({ content: "caf#" }));
  bytes[bytes.indexOf("#")] = 0xe9;
  answer = stream(bytes, chunk({}, "stop"));
  const { outcome } = await outcomeOf();
  expect(outcome).toMatchObject({ is: "done", text: "caf\uFFFD" });
});

test("a line of fifty megabytes is cut off, charged and not asked for for ever", async () => {
  answer = stream(chunk({ content: "x".repeat(50_000_000) }), chunk({}, "stop"));
  const { says, outcome } = await outcomeOf({ prices: { input: 0, cached: 0, output: 1 } });
  expect(outcome).toMatchObject({
    how: "retry",
    code: "stream",
    why: expect.stringContaining("longer than the"),
  });
  expect(usages(says)).toHaveLength(1);
  expect(usages(says)[0]?.outputTokens).toBeGreaterThan(10_000_000);
  expect(asked).toBe(1);
});

test("an answer that never stops is cut off long before memory is", async () => {
  let open = 0;
  let sent = 0;
  answer = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    open += 1;
    response.on("close", () => (open -= 1));
    const more = (): void => {
      if (response.destroyed) return;
      sent += 1;
      if (response.write(`: ${"x".repeat(1_000_000)}\n`)) setImmediate(more);
      else response.once("drain", more);
    };
    more();
  };
  const { outcome } = await outcomeOf();
  expect(outcome).toMatchObject({ how: "retry", code: "stream" });
  await comes(() => open === 0);
  expect(sent / asked).toBeLessThan(100);
});

test("a redirect is not followed, so that the key goes nowhere else", async () => {
  answer = (response) => void response.writeHead(307, { location: "/elsewhere" }).end();
  const { outcome } = await outcomeOf();
  expect(outcome).toMatchObject({ is: "failed", code: "stream" });
  expect(elsewhere).toBe(0);
});

test("a server that is not there is tried again, and then later", async () => {
  const agent = stand.agent("openai-compatible", {
    entry: stand.entry("openai-compatible", { base_url: "http://127.0.0.1:9/v1" }),
  });
  const { says, outcome } = await work(agent, stand.order([{ say: "?" }]), { clock: stand.clock });
  expect(outcome).toMatchObject({ how: "retry", code: "stream" });
  expect(says.filter(({ type }) => type === "waiting")).toHaveLength(3);
});
