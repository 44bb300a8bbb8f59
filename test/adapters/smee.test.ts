/** A Smee channel as it misbehaves: pieces, silence, breaks, strangers. */
import { afterEach, expect, test } from "vitest";
import { openSmee, type Passed } from "../../src/adapters/smee.ts";
import { virtualClock } from "../../src/simulator/virtual-clock.ts";

let listening: { stop(): Promise<void> } | undefined;
afterEach(async () => {
  await listening?.stop();
});

const webhook = (id: string, body: unknown): string =>
  JSON.stringify({
    "x-github-delivery": id,
    "x-github-event": "issues",
    "x-hub-signature-256": `sha256=${"a".repeat(64)}`,
    body,
  });
const turns = async (count = 50): Promise<void> => {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
};

function listen() {
  const clock = virtualClock(0);
  const heard: Passed[] = [];
  const warned: string[] = [];
  const calls: { readonly write: (text: string) => void; readonly end: () => void }[] = [];
  let opened = 0;
  const answers: (() => Response)[] = [];
  // As much of fetch as is called: an address, and a signal that ends the stream.
  const fetch = (async (_url: string, { signal }: RequestInit) => {
    const other = answers.shift();
    if (other !== undefined) return other();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const bytes = new TextEncoder();
    signal?.addEventListener("abort", () => void writer.abort(signal.reason).catch(() => undefined));
    calls.push({
      write: (text) => void writer.write(bytes.encode(text)).catch(() => undefined),
      end: () => void writer.close().catch(() => undefined),
    });
    return new Response(readable, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
  }) as typeof globalThis.fetch;
  listening = openSmee({
    url: "https://smee.example/c",
    fetch,
    clock,
    random: () => 0,
    hear: async (passed) => void heard.push(passed),
    opened: () => (opened += 1),
    warn: (why) => warned.push(why),
  });
  return { clock, heard, warned, calls, answers, opened: () => opened };
}

test("an event is heard whole, in whatever pieces it comes, and its body is what was signed", async () => {
  const { calls, heard } = listen();
  await turns();
  const text = `id: 7\r\ndata: ${webhook("d1", { action: "opened", title: "ü" })}\r\n\r\nevent: ping\ndata: {}\n\n`;
  for (const piece of text.match(/[^]{1,7}/gu) ?? []) calls[0]?.write(piece);
  calls[0]?.write(`data: ${webhook("d2", '{"raw":  true}')}\n\n`);
  await turns();
  expect(heard.map(({ id, name, body }) => [id, name, body])).toEqual([
    ["d1", "issues", '{"action":"opened","title":"ü"}'],
    ["d2", "issues", '{"raw":  true}'],
  ]);
});

test.each(["no JSON", '{"hello":1}', webhook("../../etc", {}), webhook("d1", 7)])(
  "what a stranger posts is not heard: %s",
  async (data) => {
    const { calls, heard, warned } = listen();
    await turns();
    calls[0]?.write(`data: ${data}\n\n`);
    await turns();
    expect([heard.length, warned.length]).toEqual([0, 1]);
  },
);

test("a channel that breaks off is opened again, later each time, and each time what was missed is asked for", async () => {
  const { calls, clock, answers, opened, warned } = listen();
  await turns();
  answers.push(
    () => new Response("no", { status: 503 }),
    () => new Response("<p>hello", { headers: { "content-type": "text/html" } }),
  );
  calls[0]?.end();
  await turns();
  for (const ms of [1_000, 2_000, 4_000]) {
    await clock.advance(ms);
    await turns();
  }
  expect([calls.length, opened()]).toEqual([2, 2]);
  expect(warned).toEqual(["the channel closed the stream"]);
});

test("one that is silent for a minute and a half is taken for dead", async () => {
  const { calls, clock, warned } = listen();
  await turns();
  await clock.advance(60_000);
  calls[0]?.write("event: ping\ndata: {}\n\n");
  await turns();
  await clock.advance(60_000);
  expect(calls).toHaveLength(1);
  await clock.advance(31_000);
  await turns();
  await clock.advance(1_000);
  await turns();
  expect(calls).toHaveLength(2);
  expect(warned).toEqual(["the channel fell silent"]);
});
