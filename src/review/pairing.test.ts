import { expect, test } from "vitest";
import { chooseReviewer, families, familyNamed, familyOf, familyOfAll, judgePairing } from "./pairing.ts";

test.each([
  ["claude-opus-5-5", "anthropic"],
  ["anthropic/claude-sonnet-4.5", "anthropic"],
  ["amazon-bedrock/anthropic.claude-haiku-4-5-v1:0", "anthropic"],
  ["sonnet[1m]", "anthropic"],
  ["gpt-5.5", "openai"],
  ["gpt-6.1-sol[medium]", "openai"],
  ["openai/gpt-oss-120b", "openai"],
  ["openrouter/openai/o3", "openai"],
  ["google/gemini-3-pro", "google"],
  ["ollama/gemma3:27b", "google"],
  ["qwen3-coder-plus", "alibaba"],
  ["$runtime|openai|qwen3-coder-plus(openai)", "alibaba"],
  ["QwQ-32B", "alibaba"],
  ["amazon.nova-pro-v1:0", "amazon"],
  ["command-r-plus", "cohere"],
  ["deepseek/deepseek-chat", "deepseek"],
  ["deepseek-ai/DeepSeek-V3.2", "deepseek"],
  ["ibm/granite-4.0-h-small", "ibm"],
  ["meta-llama/Llama-4-Maverick", "meta"],
  ["ollama/codellama:13b", "meta"],
  ["phi-4-reasoning", "microsoft"],
  ["minimax/minimax-m2", "minimax"],
  ["mistralai/devstral-medium", "mistral"],
  ["mistral-large-latest", "mistral"],
  ["mixtral-8x22b", "mistral"],
  ["moonshotai/kimi-k2-thinking", "moonshot"],
  ["nemotron-3-ultra-free", "nvidia"],
  ["hunyuan-a13b", "tencent"],
  ["x-ai/grok-code-fast-1", "xai"],
  ["opencode/mimo-v2.6-flash-free", "xiaomi"],
  ["z-ai/glm-4.6", "zhipu"],
] as const)("%s is made by %s", (model, family) => expect(familyOf(model)).toBe(family));

test.each([
  ["a model nobody knows", "big-pickle"],
  ["an alias", "default"],
  ["a server that shares a maker's name, with a model of its own", "deepseek/something-else"],
  ["another such server", "mistral/something-else"],
  ["a word that only contains a maker's", "ollama/something-else"],
  ["a model of one maker taught by another", "deepseek-r1-distill-llama-70b"],
  ["a model of one maker altered by another", "nvidia/llama-3.3-nemotron-super-49b"],
])("%s is nobody's", (_, model) => expect(familyOf(model)).toBe("unknown"));

test("models of several makers are nobody's", () => {
  expect(familyOfAll(["qwen3-max", "qwen3-coder-plus"])).toBe("alibaba");
  expect(familyOfAll(["qwen3-max", "glm-4.6"])).toBe("unknown");
  expect(familyOfAll([])).toBe("unknown");
});

test("every family is read back from its row, and any other name is unknown", () => {
  for (const family of families) expect(familyNamed(family)).toBe(family);
  expect(familyNamed("acme")).toBe("unknown");
  expect(familyNamed(null)).toBe("unknown");
});

test("what is unknown neither judges nor is judged, and a maker never judges its own", () => {
  for (const builder of families)
    for (const reviewer of families) {
      const independent = builder !== reviewer && builder !== "unknown" && reviewer !== "unknown";
      expect(judgePairing({ builder, reviewer }).is).toBe(independent ? "independent" : "blocked");
    }
});

test("no reviewer is chosen whose maker is unknown", () => {
  const candidates = [
    { name: "house", family: "unknown" },
    { name: "qwen", family: "alibaba" },
  ] as const;
  expect(chooseReviewer({ builder: "anthropic", fixed: undefined, candidates })).toEqual({
    is: "chosen",
    runtime: "qwen",
  });
  expect(chooseReviewer({ builder: "alibaba", fixed: undefined, candidates }).is).toBe("blocked");
});
