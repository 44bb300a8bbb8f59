import { expect, test } from "vitest";
import { readPrices } from "./config-prices.ts";
import { usdOf } from "./pricing.ts";

const usage = {
  inputTokens: 2_000_000,
  cachedInputTokens: 1_000_000,
  outputTokens: 1_000_000,
  reasoningTokens: 0,
  usd: 40,
};

test("a price of the operator's goes before what the runtime reports and what the table knows", () => {
  const prices = readPrices(
    "p.yml",
    "claude-opus-5-5: { input: 1, cached: 0.5, output: 2 }\nlocal: { input: 0, output: 0 }\n",
  );
  expect(usdOf(usage, "claude-opus-5-5", 0, prices)).toEqual({
    usd: 3.5,
    source: "operator",
    version: "operator",
  });
  expect(usdOf({ ...usage, usd: undefined }, "local", 0, prices).usd).toBe(0);
  expect(usdOf(usage, "gpt-5.5", 0, prices)).toMatchObject({ usd: 40, source: "runtime" });
  expect(usdOf({ ...usage, usd: undefined }, "nobody-knows", 0, prices)).toMatchObject({ source: "guess" });
});

const written = {
  inputTokens: 3_000_000,
  cachedInputTokens: 1_000_000,
  cacheWriteTokens: 1_000_000,
  outputTokens: 0,
  reasoningTokens: 0,
  usd: undefined,
};

test("what is put into a cache costs what its maker asks for that", () => {
  // A million each: fresh at $5, read at $0.50, written at $6.25.
  const now = Date.UTC(2026, 10, 1);
  expect(usdOf(written, "claude-opus-4-5", now)).toMatchObject({ usd: 11.75, source: "table" });
  expect(usdOf({ ...written, cacheWriteTokens: undefined }, "claude-opus-4-5", now).usd).toBe(10.5);
  // A maker who asks nothing more for it.
  expect(usdOf(written, "gpt-5", now).usd).toBe(usdOf({ ...written, cacheWriteTokens: 0 }, "gpt-5", now).usd);
  // Counts that do not add up are priced all the same.
  expect(usdOf({ ...written, inputTokens: 0 }, "claude-opus-4-5", now)).toMatchObject({
    usd: 6.75,
    source: "table",
  });
  expect(usdOf(written, "nobody-knows", now)).toMatchObject({ usd: 97.5, source: "guess" });
});

test("the operator may name a price for it, and without one it costs what any other input does", () => {
  const prices = readPrices(
    "p.yml",
    "a: { input: 4, cached: 1, cache_write: 5, output: 9 }\nb: { input: 4, cached: 1, output: 9 }\n",
  );
  expect(usdOf(written, "a", 0, prices)).toMatchObject({ usd: 10, source: "operator" });
  expect(usdOf(written, "b", 0, prices)).toMatchObject({ usd: 9, source: "operator" });
});

test("without a price of its own a cached token costs what any other does", () => {
  expect(readPrices("p.yml", "a: { input: 3, output: 4 }").get("a")).toEqual({
    input: 3,
    cached: 3,
    output: 4,
  });
  expect(readPrices("p.yml", undefined).size).toBe(0);
});

test.each([
  ["a: { input: -1, output: 1 }", /p\.yml:1:\d+/u],
  ["a: { input: 1, output: 1, cache_write: -1 }", /p\.yml:1:\d+/u],
  ["a: { input: 1 }", /p\.yml:1:\d+/u],
  ["a: { input: 1, output: 1, outptu: 2 }", /outptu/u],
  ["- a", /models by name/u],
  ["a: {", /no YAML/u],
])("what is wrong in the file is told with its place: %j", (text, why) => {
  expect(() => readPrices("p.yml", text)).toThrow(why);
});
