import { expect, test } from "vitest";
import { claudeArguments } from "../../../src/adapters/agents/claude-code.ts";
import { codexArguments } from "../../../src/adapters/agents/codex.ts";
import { codexTools } from "../../../src/adapters/agents/codex-tools.ts";
import type { WorkOrder } from "../../../src/ports-agents.ts";

const order = (change: Partial<WorkOrder> = {}): WorkOrder => ({
  role: "build",
  prompt: "the prompt",
  cwd: "/tree",
  resume: undefined,
  access: "write",
  schema: undefined,
  runId: 'run "1"',
  model: undefined,
  limits: { turnMs: 1, stallMs: 1, outputTokens: 1, usd: 2.5 },
  ...change,
});
const schema = { type: "object", required: ["a b"] };
const after = (args: readonly string[], flag: string): readonly string[] => {
  const from = args.indexOf(flag);
  const to = args.findIndex((arg, at) => at > from && arg.startsWith("--"));
  return from === -1 ? [] : args.slice(from + 1, to === -1 ? undefined : to);
};

test("Claude Code builds with a shell and edits, without settings or servers of anybody", () => {
  expect(claudeArguments(order())).toEqual([
    "-p",
    "--output-format",
    "stream-json",
    "--verbose",
    "--permission-mode",
    "acceptEdits",
    "--setting-sources",
    "",
    "--strict-mcp-config",
    "--max-budget-usd",
    "2.5000",
    "--tools",
    "Read",
    "Grep",
    "Glob",
    "Edit",
    "Write",
    "NotebookEdit",
    "Bash",
    "Task",
    "--allowedTools",
    "Bash",
  ]);
});

test("Claude Code that only looks has no tool to write with, and none allowed beyond the worktree", () => {
  const args = claudeArguments(order({ access: "read" }));
  expect(after(args, "--permission-mode")).toEqual(["dontAsk"]);
  expect(after(args, "--tools")).toEqual(["Read", "Grep", "Glob"]);
  expect(args).not.toContain("--allowedTools");
  expect(after(args, "--disallowedTools")).toEqual(
    expect.arrayContaining(["Edit", "Write", "NotebookEdit", "Bash"]),
  );
});

test("Claude Code is told session, schema, model and what this run may spend", () => {
  const args = claudeArguments(
    order({ resume: "s-1", schema, model: "claude-opus-5-5", limits: { ...order().limits, usd: 1e-7 } }),
  );
  expect(after(args, "--resume")).toEqual(["s-1"]);
  expect(after(args, "--json-schema")).toEqual([JSON.stringify(schema)]);
  expect(after(args, "--model")).toEqual(["claude-opus-5-5"]);
  expect(after(args, "--max-budget-usd")).toEqual(["0.0001"]);
});

const codexFor = (what: WorkOrder, schemaPath?: string): readonly string[] => {
  const tools = codexTools(what);
  if ("is" in tools) throw new Error(tools.why);
  return codexArguments(what, schemaPath, tools);
};
const settings = [
  "--ignore-user-config",
  "--ignore-rules",
  "-c",
  'web_search="disabled"',
  "-c",
  "features.apps=false",
  "-c",
  "features.plugins=false",
  "-c",
  "features.hooks=false",
  "-c",
  "skills.include_instructions=false",
];
const environment = [
  "-c",
  'shell_environment_policy.inherit="core"',
  "-c",
  'shell_environment_policy.set={RUN_ID="run \\"1\\""}',
];

test("Codex builds inside its sandbox, with the prompt on stdin and nothing of the operator's own", () => {
  expect(codexFor(order())).toEqual([
    "exec",
    "--json",
    "--sandbox",
    "workspace-write",
    "-C",
    "/tree",
    ...settings,
    ...environment,
    "-",
  ]);
});

test("Codex that only looks gets a read-only sandbox", () => {
  expect(after(codexFor(order({ access: "read" })), "--sandbox")[0]).toBe("read-only");
});

test.each([
  ["write", "workspace-write", []],
  ["read", "read-only", ["-c", "features.multi_agent=false"]],
] as const)("a resumed Codex with %s access is told its sandbox again", (access, sandbox, more) => {
  const what = order({ access, resume: "t-1", model: "gpt-5.5", effort: "high" });
  expect(codexFor(what, "/private/schema.json")).toEqual([
    "exec",
    "resume",
    "--json",
    ...settings,
    ...more,
    "-c",
    'model_reasoning_effort="high"',
    ...environment,
    "-c",
    `sandbox_mode="${sandbox}"`,
    "-m",
    "gpt-5.5",
    "--output-schema",
    "/private/schema.json",
    "t-1",
    "-",
  ]);
});

test("no prompt ever stands on a command line", () => {
  for (const access of ["read", "write"] as const) {
    for (const resume of [undefined, "s-1"]) {
      const what = order({ access, resume, schema, model: "m" });
      expect([...claudeArguments(what), ...codexFor(what, "/x")].join(" ")).not.toContain("the prompt");
    }
  }
});
