import { expect, test } from "vitest";
import { z } from "zod";
import { aiSdkEntry, baseUrlOf, keyName } from "../../../src/adapters/agents/ai-sdk/entry.ts";

const entry = { protocol: "ai-sdk", provider: "anthropic", model: "claude-haiku-4-5" };

test("a maker's own entry needs no more than a model", () => {
  const parsed = aiSdkEntry.parse(entry);
  expect(keyName(parsed)).toBe("ANTHROPIC_API_KEY");
  expect(baseUrlOf(parsed)).toBe("https://api.anthropic.com/v1");
});

test("a server of open models needs its address and no key", () => {
  const local = { ...entry, provider: "openai-compatible", base_url: "http://127.0.0.1:11434/v1/" };
  const parsed = aiSdkEntry.parse(local);
  expect(keyName(parsed)).toBeUndefined();
  expect(baseUrlOf(parsed)).toBe("http://127.0.0.1:11434/v1");
});

test.each([
  ["no address", { provider: "openai-compatible" }, /base_url.*such as http/su],
  ["an address of another kind", { base_url: "file:///etc" }, /base_url/u],
  ["a key in the place of its name", { key: "sk-ant-0123" }, /names an environment variable/u],
  ["a key that is the forge's", { key: "GITHUB_TOKEN" }, /for others than the server of a model/u],
  ["a model that would be a flag", { model: "--help" }, /is no model name/u],
  ["a word it does not know", { temprature: 1 }, /temprature/u],
  ["no such maker", { provider: "acme" }, /openai-compatible/u],
])("an entry with %s is refused", (_name, more, why) => {
  const parsed = aiSdkEntry.safeParse({ ...entry, ...more });
  expect(parsed.success ? "" : z.prettifyError(parsed.error)).toMatch(why);
});
