/** Servers of tools that the operator named for an order. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PackageMissing } from "../../../src/adapters/agents/ai-sdk/packages.ts";
import { processAt } from "../../../src/adapters/processes/process-table.ts";
import type { AgentSays, McpServer } from "../../../src/ports-agents.ts";
import { comes, openStand, outcomeIn, tool, work, type Stand } from "./stand.ts";

const program = fileURLToPath(new URL("./tool-server.mjs", import.meta.url));
let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

const wiki = (...args: readonly string[]): McpServer => ({
  is: "process",
  name: "wiki",
  command: process.execPath,
  args: [program, ...args],
  env: { WIKI_TOKEN: "for the wiki alone" },
});
const lastResult = (): string => stand.asked().at(-1) ?? "";

test("its tools are used like our own, and it sees its own variables and no other", async () => {
  process.env["GITHUB_TOKEN"] = "honey-token";
  const steps = [
    tool("wiki__env", {}),
    tool("wiki__put_page", { page: "Home" }),
    tool("wiki__fails", {}),
    { say: "Done." },
  ];
  const { says, outcome } = await work(stand.agent("openai"), stand.order(steps, { mcp: [wiki()] }));
  delete process.env["GITHUB_TOKEN"];
  expect(outcome).toMatchObject({ is: "done" });
  expect(says.flatMap((one) => (one.type === "tool" ? [one.name] : []))).toEqual([
    "wiki__env",
    "wiki__put_page",
    "wiki__fails",
  ]);
  expect(lastResult()).toContain("for the wiki alone");
  // Not in the worktree, whose files would decide what a program such as npx runs outside the sandbox.
  expect(lastResult()).toContain(`written: Home in ${stand.at("state")}/`);
  expect(lastResult()).toContain("the wiki is closed");
  expect(lastResult()).not.toMatch(/honey-token|sk-of-the-operator/u);
});

test("who may only read gets the tools that are said to only read", async () => {
  await work(stand.agent("openai"), stand.order([{ say: "Done." }], { mcp: [wiki()], access: "read" }));
  const { tools } = JSON.parse(lastResult()) as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(["read", "list", "search", "wiki__env"]);
});

test("one of which nothing may be called is not even started", async () => {
  for (const tools of [{ deny: ["mcp:wiki"] }, { allow: ["read"] }] as const)
    expect(
      (await work(stand.agent("openai"), stand.order([{ say: "Done." }], { mcp: [wiki("dies")], tools })))
        .outcome,
    ).toMatchObject({ is: "done" });
});

test("it is gone after the turn with all it started, whatever it ignores", async () => {
  const notes = stand.at("notes");
  const { outcome } = await work(
    stand.agent("openai"),
    stand.order([tool("run", { command: "true" }), tool("wiki__env", {}), { say: "Done." }], {
      mcp: [wiki("stubborn", notes)],
    }),
  );
  expect(outcome).toMatchObject({ is: "done" });
  // The end of a command of the agent's ended neither.
  expect(lastResult()).toContain("for the wiki alone");
  expect(readFileSync(notes, "utf8").trim().split(" ").map(Number).map(processAt)).toEqual([
    undefined,
    undefined,
  ]);
});

test("it is gone after an abort in the middle of a call", async () => {
  const notes = stand.at("notes");
  const stop = new AbortController();
  const order = stand.order([tool("wiki__hangs", {})], { mcp: [wiki("stubborn", notes)] });
  const says: string[] = [];
  for await (const one of stand.agent("openai").work(order, stop.signal)) {
    says.push(one.type === "result" && one.outcome.is === "failed" ? one.outcome.code : one.type);
    if (one.type === "tool") setImmediate(() => stop.abort());
  }
  expect(says.slice(-2)).toEqual(["tool", "aborted"]);
  await comes(() => existsSync(notes));
  expect(readFileSync(notes, "utf8").trim().split(" ").map(Number).map(processAt)).toEqual([
    undefined,
    undefined,
  ]);
});

test("a call that is never answered is given up, and the turn goes on", async () => {
  const order = stand.order([tool("wiki__hangs", {}), { say: "Without it." }], {
    mcp: [wiki()],
    limits: { turnMs: 3_600_000, stallMs: 60_000, outputTokens: 1_000, usd: 1 },
  });
  const says: AgentSays[] = [];
  for await (const one of stand.agent("openai").work(order, new AbortController().signal)) {
    says.push(one);
    if (one.type === "tool") void stand.clock.advance(300_000);
  }
  expect(outcomeIn(says)).toMatchObject({ is: "done", text: "Without it." });
  expect(lastResult()).toContain("it did not answer in 300 s");
});

test("one that cannot be used is named, with what it said", async () => {
  const outcomeWith = async (server: McpServer) =>
    (await work(stand.agent("openai"), stand.order([{ say: "?" }], { mcp: [server] }))).outcome;
  expect(await outcomeWith(wiki("dies"))).toMatchObject({
    how: "retry",
    code: "mcp-unusable",
    why: expect.stringMatching(/server of tools `wiki` could not be used: .*no such wiki/u),
  });
  expect(await outcomeWith({ ...wiki(), command: "/no/such/program" } as McpServer)).toMatchObject({
    code: "mcp-unusable",
    why: expect.stringContaining("ENOENT"),
  });
  expect(stand.model.calls).toHaveLength(0);
});

test("one over HTTP is asked with the headers the operator named", async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      seen.push(request.headers.authorization);
      if (request.method !== "POST") return void response.writeHead(405).end();
      const { id, method, params } = JSON.parse(await text(request)) as {
        id?: number;
        method: string;
        params?: { protocolVersion?: string };
      };
      if (id === undefined) return void response.writeHead(202).end();
      const result = {
        initialize: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: "far", version: "1" },
        },
        "tools/list": { tools: [{ name: "hello", inputSchema: { type: "object" } }] },
        "tools/call": { content: [{ type: "text", text: "hello from far" }] },
      }[method];
      const error = { code: -32_601, message: "unknown method" };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ jsonrpc: "2.0", id, ...(result === undefined ? { error } : { result }) }),
      );
    })();
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/mcp`;
  const far: McpServer = { is: "http", name: "far", url, headers: { authorization: "Bearer far-token" } };
  const { outcome } = await work(
    stand.agent("openai"),
    stand.order([tool("far__hello", {}), { say: "Done." }], { mcp: [far] }),
  );
  await new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  });
  expect(outcome).toMatchObject({ is: "done" });
  expect(lastResult()).toContain("hello from far");
  expect(new Set(seen)).toEqual(new Set(["Bearer far-token"]));
});

test("without the package for servers it says what to type", async () => {
  const agent = stand.agent("openai", {
    load: async (name) => {
      if (name === "@ai-sdk/mcp") throw new PackageMissing(name, { cause: undefined });
      return (await import("../../../src/adapters/agents/ai-sdk/packages.ts")).loadPackage(name);
    },
  });
  const { outcome } = await work(agent, stand.order([{ say: "?" }], { mcp: [wiki()] }));
  expect(outcome).toMatchObject({
    how: "blocked",
    code: "runtime-absent",
    why: expect.stringContaining("npm install -g @ai-sdk/mcp@2"),
  });
});
