/** The way out of a closed sandbox: only calls of the model, and the key is added on the way. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  openModelProxy,
  type ModelProxy,
  type ModelUpstream,
} from "../../../src/adapters/sandboxes/model-proxy.ts";

interface Heard {
  readonly what: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}
let folder: string;
let model: Server;
let proxy: ModelProxy;
let heard: Heard[];
let answer: (incoming: IncomingMessage, response: ServerResponse) => void;
const token = "token-of-this-run";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "model-proxy-"));
  heard = [];
  answer = (_incoming, response) => response.end("{}");
  model = createServer((incoming, response) => {
    void text(incoming).then(
      (body) => {
        heard.push({ what: `${incoming.method} ${incoming.url}`, headers: incoming.headers, body });
        answer(incoming, response);
      },
      () => undefined,
    );
  });
  await new Promise<void>((listening) => model.listen(0, "127.0.0.1", listening));
});
afterEach(async () => {
  await proxy.close();
  model.closeAllConnections();
  model.close();
  rmSync(folder, { recursive: true, force: true });
});
const socket = (): string => join(folder, "socket");
const open = async (change: Partial<ModelUpstream> = {}): Promise<void> => {
  const upstream: ModelUpstream = {
    dialect: "anthropic",
    url: `http://127.0.0.1:${(model.address() as AddressInfo).port}`,
    credential: async () => ({ "x-api-key": "the-real-key" }),
    proxyEnvironment: {},
    ...change,
  };
  proxy = await openModelProxy({ upstream, socket: socket(), token });
};
interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly on?: (text: string) => unknown;
}
const ask = (
  path: string,
  { method = "POST", headers = { "x-api-key": token }, body = "{}", on = () => undefined }: Asking = {},
) =>
  new Promise<{
    readonly status: number;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
  }>((answered, failed) => {
    const asking = request({ socketPath: socket(), path, method, headers }, (response) => {
      let said = "";
      response.on("data", (bytes: Buffer) => {
        said += bytes.toString();
        on(bytes.toString());
      });
      response.on("end", () =>
        answered({ status: response.statusCode ?? 0, headers: response.headers, body: said }),
      );
      response.on("error", failed);
    });
    asking.on("error", failed);
    asking.end(body);
  });

test("a call of the model goes through with the key in place of the token", async () => {
  await open();
  answer = (_incoming, response) => {
    response.writeHead(200, { "content-type": "application/json", "set-cookie": "a=b", "request-id": "r1" });
    response.end('{"said":"hello"}');
  };
  const said = await ask("/v1/messages?beta=true", {
    headers: { "x-api-key": token, "anthropic-version": "2023-06-01", cookie: "c=d" },
    body: '{"model":"m"}',
  });
  expect(said).toMatchObject({ status: 200, body: '{"said":"hello"}', headers: { "request-id": "r1" } });
  expect(said.headers["set-cookie"]).toBeUndefined();
  expect(heard[0]).toMatchObject({ what: "POST /v1/messages?beta=true", body: '{"model":"m"}' });
  expect(heard[0]?.headers).toMatchObject({ "x-api-key": "the-real-key", "anthropic-version": "2023-06-01" });
  expect(JSON.stringify(heard)).not.toContain(token);
  expect(heard[0]?.headers.cookie).toBeUndefined();
});

test("a bearer token is exchanged as well, and OpenAI's paths follow its address", async () => {
  const { port } = model.address() as AddressInfo;
  await open({
    dialect: "openai",
    url: `http://127.0.0.1:${port}/some/v1`,
    credential: async () => ({ authorization: "Bearer the-real-key" }),
  });
  const headers = { authorization: `Bearer ${token}` };
  expect((await ask("/v1/responses", { headers })).status).toBe(200);
  expect((await ask("/v1/models", { headers, method: "GET", body: "" })).status).toBe(200);
  expect(heard.map(({ what }) => what)).toEqual(["POST /some/v1/responses", "GET /some/v1/models"]);
  expect(heard[0]?.headers.authorization).toBe("Bearer the-real-key");
});

test("OpenAI's older way to ask goes through as well", async () => {
  const { port } = model.address() as AddressInfo;
  await open({ dialect: "openai", url: `http://127.0.0.1:${port}/some/v1` });
  expect((await ask("/v1/chat/completions")).status).toBe(200);
  expect(heard.map(({ what }) => what)).toEqual(["POST /some/v1/chat/completions"]);
});

test("Google's calls name the model in their path, and nothing else of its API is let through", async () => {
  await open({ dialect: "google", credential: async () => ({ "x-goog-api-key": "the-real-key" }) });
  const headers = { "x-goog-api-key": token };
  const call = "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse";
  expect((await ask(call, { headers })).status).toBe(200);
  expect((await ask(call, { headers: { "x-goog-api-key": "another" } })).status).toBe(401);
  for (const path of [
    "/v1beta/files",
    "/v1beta/models/../files:generateContent",
    "/v1beta/models/a/b:generateContent",
    "/v1beta/cachedContents",
    "/v1beta/models/m:predict",
    "/v1/messages",
  ])
    expect((await ask(path, { headers })).status).toBe(403);
  expect(heard.map(({ what }) => what)).toEqual([`POST ${call}`]);
  expect(heard[0]?.headers["x-goog-api-key"]).toBe("the-real-key");
  expect(JSON.stringify(heard)).not.toContain(token);
});

test.each([
  ["no token", {}],
  ["another token", { "x-api-key": "token-of-another-run" }],
  ["an empty one", { authorization: "Bearer " }],
])("a call with %s is refused and never sent", async (_what, headers) => {
  await open();
  expect((await ask("/v1/messages", { headers })).status).toBe(401);
  expect(heard).toEqual([]);
});

test.each([
  ["GET", "/v1/messages"],
  ["DELETE", "/v1/messages"],
  ["POST", "/v1/files"],
  ["POST", "/v1/messages/batches"],
  ["POST", "/v1/messages/../files"],
  ["POST", "/v1/messages/%2e%2e/files"],
  ["POST", "/v1//messages"],
  ["POST", "http://elsewhere.example/v1/files"],
  ["GET", "/"],
])("%s %s is no call of the model and is refused", async (method, path) => {
  await open();
  expect((await ask(path, { method })).status).toBe(403);
  expect(heard).toEqual([]);
});

test("an address in the request line does not lead elsewhere", async () => {
  await open();
  expect((await ask("http://elsewhere.example/v1/messages")).status).toBe(200);
  expect(heard[0]?.what).toBe("POST /v1/messages");
});

test("a stream arrives event by event", async () => {
  await open();
  let go = (): void => undefined;
  const received = new Promise<void>((resolve) => (go = resolve));
  answer = (_incoming, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: one\n\n");
    // The second is only said once the first was heard.
    void received.then(() => response.end("data: two\n\n"));
  };
  const said = await ask("/v1/messages", { on: (part) => part.includes("one") && go() });
  expect(said.body).toBe("data: one\n\ndata: two\n\n");
});

test("a failure of the model arrives as it is, and a redirect leads nowhere", async () => {
  await open();
  answer = (_incoming, response) => {
    response.writeHead(429, { "retry-after": "7" });
    response.end('{"error":"slow down"}');
  };
  expect(await ask("/v1/messages")).toMatchObject({
    status: 429,
    body: '{"error":"slow down"}',
    headers: { "retry-after": "7" },
  });
  answer = (_incoming, response) => {
    response.writeHead(307, { location: "http://elsewhere.example/" });
    response.end();
  };
  const moved = await ask("/v1/messages");
  expect([moved.status, moved.headers.location]).toEqual([307, undefined]);
});

test("a model that is not there, and a key that is not, are a 502 without a word of either", async () => {
  await open({ url: "http://127.0.0.1:1" });
  expect((await ask("/v1/messages")).status).toBe(502);
  await proxy.close();
  await open({ credential: () => Promise.reject(new Error("the-real-key is broken")) });
  const said = await ask("/v1/messages");
  expect(said.status).toBe(502);
  expect(said.body).not.toContain("the-real-key");
});

test("who stops listening stops the call", async () => {
  await open();
  const dropped = new Promise<void>((resolve) => {
    answer = (incoming, response) => {
      response.write("data: one\n\n");
      incoming.socket.once("close", resolve);
    };
  });
  const asking = request({
    socketPath: socket(),
    path: "/v1/messages",
    method: "POST",
    headers: { "x-api-key": token },
  });
  asking.on("error", () => undefined);
  asking.on("response", (response) => {
    response.on("error", () => undefined);
    response.once("data", () => asking.destroy());
  });
  asking.end("{}");
  await dropped;
});
