import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toolResultsIn } from "./tool-results.ts";

const sample = (name: string): readonly string[] =>
  readFileSync(new URL(`../test/fixtures/agents/${name}.jsonl`, import.meta.url), "utf8")
    .split("\n")
    .flatMap(toolResultsIn);
const json = (value: unknown): string => JSON.stringify(value);

test("what Claude Code's tools answered is read from its recorded stream", () => {
  expect(sample("claude-edit")[0]).toBe("1\thello world\n2");
  expect(sample("claude-edit")[1]).toMatch(/^The file .* has been updated/u);
  expect(sample("claude-denied-default-mode").some((text) => text.startsWith("failed: "))).toBe(true);
});

test("what Codex's commands answered is read from its recorded stream, with how they failed", () => {
  expect(sample("codex-edit")).toEqual(["hello world", "exit 1:  M greet.txt\n?? notes.md"]);
});

test.each([
  [
    "the Codex server",
    {
      method: "item/completed",
      params: { item: { type: "commandExecution", aggregatedOutput: "ok\n", exitCode: 2 } },
    },
    ["exit 2: ok"],
  ],
  [
    "pi",
    {
      type: "tool_execution_end",
      toolName: "bash",
      result: { content: [{ type: "text", text: "(no output)" }] },
      isError: true,
    },
    ["failed: (no output)"],
  ],
  ["opencode", { type: "tool_use", part: { state: { output: "done\n", metadata: { exit: 0 } } } }, ["done"]],
  [
    "an agent of the Agent Client Protocol",
    {
      jsonrpc: "2.0",
      method: "session/update",
      params: {
        sessionId: "s",
        update: {
          sessionUpdate: "tool_call_update",
          status: "completed",
          content: [{ type: "content", content: { type: "text", text: "edited" } }, { type: "diff" }],
        },
      },
    },
    ["edited"],
  ],
  [
    "an agent in our own process",
    {
      role: "tool",
      content: [
        {
          type: "tool-result",
          toolCallId: "1",
          toolName: "read",
          output: { type: "error-text", value: "no such file" },
        },
        { type: "tool-result", toolCallId: "2", toolName: "list", output: { type: "json", value: ["a"] } },
      ],
    },
    ["failed: no such file", '["a"]'],
  ],
  ["a tool that said nothing", { type: "tool_execution_end", result: { content: [] } }, []],
  ["a line of another kind", { type: "assistant", message: { content: "hello" } }, []],
])("what %s told is read", (_, line, results) => {
  expect(toolResultsIn(json(line))).toEqual(results);
});

test("a long answer is shortened", () => {
  const line = (text: string) =>
    json({ type: "user", message: { content: [{ type: "tool_result", content: text }] } });
  expect(toolResultsIn(line("1\n2\n3\n4\n5\n6"))).toEqual(["1\n2\n3\n4\n… 2 more lines"]);
  expect(toolResultsIn(line("x".repeat(10_000)))[0]?.length).toBe(401);
});

test.each([
  "",
  "no json",
  "{",
  "[]",
  "null",
  '{"type":"user"}',
  '{"type":"user","message":{"content":[null,1]}}',
])("%j holds nothing and harms nobody", (line) => {
  expect(toolResultsIn(line)).toEqual([]);
});
