import { describe, expect, test } from "vitest";
import { readConfig } from "./config-file.ts";
import { narrowed, readWay, wayOf } from "./config-roles.ts";
import type { ToolRules } from "./ports-agents.ts";

describe("model and effort of a tier", () => {
  const none = { models: {}, tiers: {} };
  const own = { models: {}, tiers: { codex: { high: { model: "gpt-6.1-sol", effort: "xhigh" as const } } } };
  const partly = { models: { codex: "gpt-5.5" }, tiers: { codex: { low: { effort: "medium" as const } } } };
  test.each([
    ["no tier: the runtime's own choice", none, "claude-code", undefined, undefined, undefined],
    ["no tier, a model configured", partly, "codex", undefined, "gpt-5.5", undefined],
    ["the house's, Claude Code high", none, "claude-code", "high", "opus", "high"],
    ["the house's, Claude Code low", none, "claude-code", "low", "haiku", "low"],
    ["the house's, Codex: effort alone", none, "codex", "high", undefined, "high"],
    ["configured", own, "codex", "high", "gpt-6.1-sol", "xhigh"],
    ["another tier than the configured one", own, "codex", "low", undefined, "low"],
    ["a model for all tiers, effort for one", partly, "codex", "low", "gpt-5.5", "medium"],
    ["a model for all tiers, effort the house's", partly, "codex", "high", "gpt-5.5", "high"],
    ["a runtime the house knows nothing of", none, "gemini", "high", undefined, undefined],
  ] as const)("%s", (_, rules, runtime, tier, model, effort) => {
    expect(wayOf(rules, runtime, tier)).toEqual({ model, effort });
  });
});

describe("several lists of tools", () => {
  test.each<[string, readonly (ToolRules | undefined)[], ToolRules | undefined]>([
    ["none", [undefined, undefined], undefined],
    ["one", [undefined, { allow: ["read"] }], { allow: ["read"] }],
    [
      "allow what both allow",
      [{ allow: ["read", "edit"] }, { allow: ["read", "shell"] }],
      { allow: ["read"] },
    ],
    [
      "deny what either denies",
      [{ deny: ["shell"] }, { deny: ["edit", "shell"] }],
      { deny: ["shell", "edit"] },
    ],
    [
      "a whole server and one tool of it are that tool",
      [{ allow: ["mcp:docs", "read"] }, { allow: ["mcp:docs/find"] }],
      { allow: ["mcp:docs/find"] },
    ],
    ["nothing in common is nothing", [{ allow: ["read"] }, { allow: ["edit"] }], { allow: [] }],
  ])("%s", (_, lists, left) => {
    expect(narrowed(lists)).toEqual(left);
  });
});

describe("what is wrong with roles is shown at its place", () => {
  test.each([
    ["a tier", "runtime:\n  tier:\n    build: top\n", 3, 5, '"high"|"medium"|"low"'],
    ["a role", "runtime:\n  tier:\n    biuld: high\n", 3, 5, "Did you mean `build`?"],
    ["an effort", "runtime:\n  tiers:\n    codex: { high: { effort: loud } }\n", 3, 22, '"xhigh"'],
    ["a tool", "runtime:\n  tools:\n    build:\n      deny:\n        - web\n", 5, 11, "one of `read`"],
    ["a path for a persona", "runtime:\n  personas:\n    review: [../evil]\n", 3, 14, "lower-case letters"],
    [
      "a definition of a server",
      "runtime:\n  mcp:\n    build: [{ command: evil }]\n",
      3,
      13,
      "expected string",
    ],
    ["a chain where groups belong", "runtime:\n  fallback: [codex]\n", 2, 3, "expected object"],
  ])("%s", (_, text, line, column, message) => {
    const [problem] = readConfig(text).problems;
    expect(problem?.message).toContain(message);
    expect([problem?.line, problem?.column]).toEqual([line, column]);
  });
});

test("a task that asks for what does not exist is refused for good, with its name", () => {
  expect(readWay({ role: "plan", tier: "high", mcp: ["docs"] })).toEqual({ tier: "high", mcp: ["docs"] });
  expect(() => readWay({ tier: "top" })).toThrow(/`tier`/u);
  expect(() => readWay({ tools: { allow: ["web"] } })).toThrow(/`tools\.allow\.0`/u);
});
