/** The program as it ships: an agents file, a workflow that names its agent, and `doctor`. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../../cli/run.ts";
import { key, openStand, tool, type Stand } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
  writeFileSync(
    stand.at("agents.yml"),
    `local:
  protocol: ai-sdk
  provider: openai-compatible
  model: qwen3-coder
  base_url: ${stand.model.url}/v1
  key: MODEL_KEY
  prices: { input: 0.1, cached: 0.1, output: 0.4 }
`,
  );
});
afterEach(() => stand.close());
const env = (more: Record<string, string> = {}) => ({
  HOME: stand.at("home"),
  FORGEHAND_AGENTS: stand.at("agents.yml"),
  MODEL_KEY: key,
  ...more,
});

test("a workflow's task works with an agent of the agents file", async () => {
  stand.model.script("greet", [
    tool("run", { command: "env > env.txt; echo hello > greeting.txt" }),
    { answer: { file: "greeting.txt" } },
  ]);
  writeFileSync(
    stand.at("tree", "greet.tsx"),
    `import { leaf, Task, workflow } from "forgehand";
import { z } from "zod";
const greeting = leaf("greeting", z.object({ file: z.string() }));
export default workflow({
  name: "greet", input: z.object({}), output: z.unknown(),
  render: () => <Task {...greeting} agent="local" prompt="Greet. [[greet]]" />,
  result: (ctx) => ctx.latest(greeting) ?? null,
});
`,
  );
  const ended = await run(["workflow", "run", "greet.tsx"], env(), stand.at("tree"));
  expect({ code: ended.code, err: ended.err }).toMatchObject({ code: 0 });
  expect(ended.out).toContain('"greeting.txt"');
  expect(readFileSync(stand.at("tree", "greeting.txt"), "utf8")).toBe("hello\n");
  expect(readFileSync(stand.at("tree", "env.txt"), "utf8")).not.toContain(key);
});

test("doctor finds it, and says what to type where its key is missing", async () => {
  const found = await run(["doctor"], env({ FORGEHAND_DATA_DIR: stand.at("data") }), stand.at("tree"));
  expect(`${found.out}${found.err}`).toMatch(/local 7\.\d+\.\d+, logged in/u);
  const missing = await run(["doctor"], env({ MODEL_KEY: "" }), stand.at("tree"));
  expect(`${missing.out}${missing.err}`).toMatch(
    /local 7\.\d+\.\d+ is not logged in[^]*set MODEL_KEY to a key/u,
  );
});

test("what is wrong in an entry is told by its line", async () => {
  writeFileSync(
    stand.at("agents.yml"),
    "local:\n  protocol: ai-sdk\n  provider: openai-compatible\n  modle: qwen3-coder\n",
  );
  const { code, out, err } = await run(["doctor"], env(), stand.at("tree"));
  expect(code).not.toBe(0);
  expect(`${out}${err}`).toMatch(/agents\.yml:4:\d+: .*modle/u);
});
