/** Google's API has a dialect of its own, spoken here by a server of a few lines. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aiSdkEntry } from "../../../src/adapters/agents/ai-sdk/entry.ts";
import { key, openStand, usages, work, type Stand } from "./stand.ts";

let stand: Stand;
let server: Server;
const asked: { readonly path: string; readonly key: unknown; readonly body: string }[] = [];
const answers = [
  [{ functionCall: { name: "write", args: { path: "a.txt", text: "by gemini" } } }],
  [{ text: "Done." }],
];
beforeEach(async () => {
  stand = await openStand();
  asked.length = 0;
  server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      asked.push({ path: request.url ?? "", key: request.headers["x-goog-api-key"], body });
      const chunk = {
        candidates: [
          { content: { role: "model", parts: answers[asked.length - 1] }, finishReason: "STOP", index: 0 },
        ],
        modelVersion: "gemini-3-flash",
        responseId: "r",
        usageMetadata: {
          promptTokenCount: 500,
          cachedContentTokenCount: 100,
          candidatesTokenCount: 20,
          thoughtsTokenCount: 5,
          totalTokenCount: 525,
        },
      };
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`data: ${JSON.stringify(chunk)}\n\n`);
    })();
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

test("it edits through Google's API and counts what was cached and thought", async () => {
  const { port } = server.address() as AddressInfo;
  const entry = aiSdkEntry.parse({
    protocol: "ai-sdk",
    provider: "google",
    model: "gemini-3-flash",
    base_url: `http://127.0.0.1:${port}/v1beta`,
    key: "MODEL_KEY",
  });
  const agent = stand.agent("openai", { entry });
  expect(agent.family).toBe("google");
  const { says, outcome } = await work(agent, stand.order([{ say: "unused" }]));
  expect(outcome).toMatchObject({ is: "done", text: "Done." });
  expect(readFileSync(stand.at("tree", "a.txt"), "utf8")).toBe("by gemini");
  expect(asked.map(({ path }) => path)).toEqual(
    Array.from({ length: 2 }, () => "/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse"),
  );
  expect(asked[0]?.key).toBe(key);
  expect(asked[1]?.body).toContain("a.txt is written");
  expect(usages(says)).toEqual(
    Array.from({ length: 2 }, () => ({
      inputTokens: 500,
      cachedInputTokens: 100,
      outputTokens: 25,
      reasoningTokens: 5,
      usd: undefined,
    })),
  );
  const models = says.flatMap((one) => (one.type === "model" ? [one.id] : []));
  expect(models).toEqual(["gemini-3-flash"]);
});
