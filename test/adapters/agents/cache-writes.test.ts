/** Each runtime that tells what was put into its model's cache: that is counted apart from other input. */
import { expect, test } from "vitest";
import { turnCount } from "../../../src/adapters/agents/acp/usage.ts";
import type { RuntimeFacts } from "../../../src/adapters/agents/failure.ts";
import type { AgentStream } from "../../../src/adapters/agents/turn.ts";
import { claudeStream } from "../../../src/adapters/agents/claude-stream.ts";
import { turnMeter } from "../../../src/adapters/agents/ai-sdk/meter.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import { codexTotals } from "../../../src/adapters/agents/codex-stream.ts";
import { piStream } from "../../../src/adapters/agents/pi-stream.ts";
import { larger, minus, noUsage, plus, usedSince } from "../../../src/adapters/agents/session-totals.ts";
import type { Usage } from "../../../src/ports-agents.ts";

const runtime: RuntimeFacts = { title: "It", binary: "it", install: "get it", login: "log in" };
const clock = systemClock();
const usages = (stream: AgentStream, line: object): readonly Usage[] =>
  stream
    .read(JSON.stringify(line))
    .flatMap((seen) => (seen.type === "total" || seen.type === "estimate" ? [seen.usage] : []));
const counted = { inputTokens: 600, cachedInputTokens: 200, cacheWriteTokens: 300, outputTokens: 10 };

test("Claude Code, while it works and at its end", () => {
  const stream = claudeStream(runtime, clock);
  const usage = {
    input_tokens: 100,
    cache_creation_input_tokens: 300,
    cache_read_input_tokens: 200,
    output_tokens: 10,
  };
  const message = { id: "m1", model: "claude-opus-4-5", content: [{ type: "text", text: "x" }], usage };
  expect(usages(stream, { type: "assistant", message })).toEqual([expect.objectContaining(counted)]);
  const use = {
    inputTokens: 100,
    cacheCreationInputTokens: 300,
    cacheReadInputTokens: 200,
    outputTokens: 10,
  };
  const end = { type: "result", subtype: "success", is_error: false, modelUsage: { a: use, b: use } };
  expect(usages(stream, end)).toEqual([
    expect.objectContaining({
      inputTokens: 1200,
      cachedInputTokens: 400,
      cacheWriteTokens: 600,
      outputTokens: 20,
    }),
  ]);
});

test("Codex", () => {
  const said = {
    input_tokens: 600,
    cached_input_tokens: 200,
    cache_write_input_tokens: 300,
    output_tokens: 10,
  };
  expect(codexTotals(said)).toMatchObject(counted);
});

test("pi", () => {
  const usage = { input: 100, output: 10, cacheRead: 200, cacheWrite: 300 };
  const message = { role: "assistant", model: "m", content: [], usage, stopReason: "stop" };
  expect(usages(piStream(runtime, "text", clock), { type: "message_end", message })).toEqual([
    expect.objectContaining(counted),
  ]);
});

test("agents of the Agent Client Protocol, whether their input holds it or not", () => {
  const counts = { inputTokens: 100, outputTokens: 10, cachedReadTokens: 200, cachedWriteTokens: 300 };
  for (const usage of [
    { ...counts, totalTokens: 610 },
    { ...counts, inputTokens: 600, totalTokens: 610 },
  ]) {
    const count = turnCount({ reported: noUsage, estimated: noUsage });
    count.ended({ usage } as Parameters<typeof count.ended>[0]);
    expect(count.total()).toMatchObject(counted);
  }
});

test("an agent on any model, at the price its entry names", () => {
  const limits = { turnMs: 1, stallMs: 1, outputTokens: 1_000, usd: 5 };
  const usage: Usage = { ...noUsage, inputTokens: 3e6, cachedInputTokens: 1e6, cacheWriteTokens: 1e6 };
  const priceOf = (prices: NonNullable<Parameters<typeof turnMeter>[1]>): number | undefined =>
    turnMeter(limits, prices, clock).add(usage, "m").usd;
  expect(priceOf({ input: 4, cached: 1, cache_write: 5, output: 9 })).toBe(10);
  expect(priceOf({ input: 4, cached: 1, output: 9 })).toBe(9);
});

test("it is added up, and taken apart again, like all the rest", () => {
  const one: Usage = { ...noUsage, inputTokens: 10, cacheWriteTokens: 4 };
  const two: Usage = { ...noUsage, inputTokens: 5 };
  expect(plus(one, two).cacheWriteTokens).toBe(4);
  expect(plus(one, one).cacheWriteTokens).toBe(8);
  expect(larger(one, two).cacheWriteTokens).toBe(4);
  expect(minus(plus(one, one), one).cacheWriteTokens).toBe(4);
  expect(plus(two, two)).not.toHaveProperty("cacheWriteTokens");
  expect(usedSince({ reported: one, estimated: noUsage }, plus(one, one)).cacheWriteTokens).toBe(4);
});
