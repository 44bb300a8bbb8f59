import { once } from "node:events";
import { Agent, get } from "node:http";
import { expect, test } from "vitest";
import { serveAt } from "./serve.ts";

test("an idle connection outlives that of any usual proxy", async () => {
  const served = await serveAt(() => new Response("here"), { host: "127.0.0.1", port: 0 });
  const pool = new Agent({ keepAlive: true });
  const [answer] = await once(get(served.url, { agent: pool }), "response");
  answer.resume();
  await once(answer, "end");
  const [, seconds] = /timeout=(\d+)/.exec(answer.headers["keep-alive"]) ?? [];
  // Caddy's 120 are the longest among them.
  expect(Number(seconds)).toBeGreaterThan(120);
  await served.stop();
  pool.destroy();
});

test("a server ends although somebody still waits for an answer", async () => {
  const asked = Promise.withResolvers<void>();
  const served = await serveAt(
    () => {
      asked.resolve();
      return new Promise<Response>(() => undefined);
    },
    { host: "127.0.0.1", port: 0 },
  );
  const waiting = get(served.url);
  const cut = once(waiting, "error");
  await asked.promise;
  await served.stop();
  expect(await cut).toMatchObject([{ code: "ECONNRESET" }]);
});
