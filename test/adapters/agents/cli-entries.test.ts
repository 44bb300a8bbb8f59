import { expect, test } from "vitest";
import { readAgentsFile } from "../../../src/adapters/agents/agents-file.ts";
import { codexAppServerProtocol, piProtocol } from "../../../src/adapters/agents/cli-entries.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import { at, notes, onStage, order, scriptSample } from "./stage.ts";
import { work } from "./turns.ts";

onStage();

const protocols = { pi: piProtocol, "codex-app-server": codexAppServerProtocol };
const named: string[][] = [];
const build = (text: string, name: string) => {
  const { agents, faults } = readAgentsFile(text, protocols);
  expect(faults).toEqual([]);
  const agent = agents.get(name)?.({
    host: (names) => {
      named.push([...names]);
      const own = { FAKE: at("part.json"), CODEX_HOME: at("codex") };
      return { home: at("home"), searchPath: "/usr/bin:/bin", tmp: at("."), own };
    },
    stateDir: at("state"),
    clock: systemClock(),
  });
  if (agent === undefined) throw new Error(`no agent ${name}`);
  return agent;
};
const flag = (name: string): string | undefined => {
  const args = notes()[0]?.args ?? [];
  return args[args.indexOf(name) + 1];
};

test("an entry makes a pi of its own name, model and variables", async () => {
  const agent = build(
    `opus: { protocol: pi, command: ${at("fake")}, model: anthropic/claude-opus-4-5, env: [GROQ_API_KEY] }`,
    "opus",
  );
  expect(agent).toMatchObject({ name: "opus", family: "anthropic" });
  expect(named.at(-1)).toEqual(expect.arrayContaining(["ANTHROPIC_API_KEY", "GROQ_API_KEY"]));
  scriptSample("pi-edit");
  expect((await work(agent, order())).outcome.is).toBe("done");
  expect(flag("--model")).toBe("anthropic/claude-opus-4-5");
});

test("an order's own model goes before that of the entry", async () => {
  const agent = build(`local: { protocol: pi, command: ${at("fake")}, model: ollama/qwen3-coder }`, "local");
  scriptSample("pi-edit");
  await work(agent, order({ model: "ollama/other" }));
  expect(flag("--model")).toBe("ollama/other");
});

test("an entry makes a Codex that is spoken with", async () => {
  const agent = build(`talk: { protocol: codex-app-server, command: ${at("fake")}, model: gpt-6 }`, "talk");
  expect(agent).toMatchObject({ name: "talk", family: "openai" });
  scriptSample("app-server-edit");
  expect((await work(agent, order())).outcome.is).toBe("done");
  expect(notes()[0]?.heard).toContainEqual(
    expect.objectContaining({ method: "thread/start", params: expect.objectContaining({ model: "gpt-6" }) }),
  );
});

test.each([
  ["x: { protocol: pi, modle: y }", /modle.*did you mean `model`/u],
  ["x: { protocol: pi, env: [GITHUB_TOKEN] }", /never passed/u],
  ["x: { protocol: codex-app-server, model: --help }", /name of a model/u],
])("%j is told at its place", (text, words) => {
  expect(readAgentsFile(text, protocols).faults).toMatchObject([
    { line: 1, message: expect.stringMatching(words) },
  ]);
});
