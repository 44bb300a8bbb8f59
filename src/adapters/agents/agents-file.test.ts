import { expect, test } from "vitest";
import { z } from "zod";
import type { Agent } from "../../ports-agents.ts";
import { acpProtocol } from "./acp/entry.ts";
import { protocolOf, readAgentsFile, type AgentGround } from "./agents-file.ts";
import { systemClock } from "../clock.ts";

const asked: string[][] = [];
const ground: AgentGround = {
  host: (names) => {
    asked.push([...names]);
    return { home: "/home/me", searchPath: "/usr/bin", tmp: "/tmp", own: {} };
  },
  stateDir: "/state",
  clock: systemClock(),
};
const echo = protocolOf(
  z.strictObject({ protocol: z.literal("echo"), word: z.string() }),
  (name, { word }): Agent => ({
    name,
    family: "unknown",
    work: async function* () {
      yield { type: "result", outcome: { is: "done", text: word, structured: undefined } };
    },
    probe: async () => ({ found: true, version: undefined, why: undefined }),
  }),
);
const protocols = { acp: acpProtocol, echo };
const read = (text: string) => readAgentsFile(text, protocols);
const faultsOf = (text: string): readonly string[] =>
  read(text).faults.map(({ line, column, message }) => `${line}:${column} ${message}`);

test.each(["", "# nothing yet\n", "---\n"])("a file with nothing in it (%j) lists no agent", (text) =>
  expect(read(text)).toEqual({ agents: new Map(), faults: [] }),
);

test("a known agent needs its name alone, and brings its own variables", () => {
  const { agents, faults } = read("qwen: { use: qwen, env: [MY_KEY] }\n");
  expect(faults).toEqual([]);
  asked.length = 0;
  expect(agents.get("qwen")?.(ground)).toMatchObject({
    name: "qwen",
    family: "alibaba",
    tested: { from: "0.24.0" },
  });
  expect(asked.flat()).toContain("OPENAI_API_KEY");
  expect(asked.flat()).toContain("MY_KEY");
});

test("an entry may change what is known of an agent, under another name", () => {
  const { agents } = read(
    "open-deepseek:\n  use: opencode\n  model: deepseek/deepseek-chat\n  version: { from: 1.18.33, below: 2.0.0 }\n",
  );
  expect(agents.get("open-deepseek")?.(ground)).toMatchObject({
    name: "open-deepseek",
    family: "deepseek",
    tested: { from: "1.18.33", below: "2.0.0" },
  });
});

test("an agent nobody knows is described whole", () => {
  const { agents, faults } = read(
    "house:\n  protocol: acp\n  command: [house-agent, --acp]\n  family: mistral\n  model: house-1\n  pinned: true\n  env: [HOUSE_API_KEY]\n  set: { HOUSE_QUIET: '1' }\n  setup: pip install house\n  login: run `house login`\n  modes: { read: look, write: edit }\n",
  );
  expect(faults).toEqual([]);
  expect(agents.get("house")?.(ground)).toMatchObject({ name: "house", family: "mistral" });
});

test("another protocol is one more entry of the table", () => {
  const { agents } = read("parrot: { protocol: echo, word: hello }\n");
  expect(agents.get("parrot")?.(ground).name).toBe("parrot");
});

test.each([
  ["a: [", "1:5 this is no YAML"],
  ["- a\n", "1:1 the file must hold names with entries"],
  ["a: { use: opencode }\na: { use: qwen }\n", "2:1 this is no YAML: Map keys must be unique"],
  ["Open Code: { use: opencode }\n", "1:1 `Open Code`: a runtime is named like"],
  ["a: opencode\n", "1:1 `a` must hold keys with values"],
  ["a: { command: [x] }\n", "1:1 `a` names no `protocol`; there is `acp`, `echo`"],
  ["a:\n  protocol: acpp\n", "2:3 there is no protocol `acpp`; did you mean `acp`?"],
  ["a:\n  protocol: constructor\n", "2:3 there is no protocol `constructor`"],
  ["a:\n  protocol: [acp]\n", "2:3 `a.protocol` must be one word"],
  [
    "a:\n  protocol: acp\n",
    "1:1 wrong value of `a.command`: `command`, or `use` with one of opencode, copilot",
  ],
  ["a:\n  use: opencod\n", '2:3 wrong value of `a.use`: expected one of "opencode"'],
  ["a:\n  use: opencode\n  modle: x\n", "3:3 unknown key `a.modle`; did you mean `model`?"],
  ["a:\n  use: opencode\n  modes: { look: x }\n", "3:12 unknown key `a.modes.look`; take it out"],
  ["a:\n  use: opencode\n  family: acme\n", "3:3 wrong value of `a.family`"],
  [
    "a:\n  use: opencode\n  env: [GITHUB_TOKEN]\n",
    "3:9 wrong value of `a.env.0`: this variable is never passed",
  ],
  ["a:\n  use: opencode\n  set: { GH_TOKEN: x }\n", "3:10 wrong value of `a.set.GH_TOKEN`"],
  [
    "a:\n  use: opencode\n  pinned: true\n",
    "3:3 wrong value of `a.pinned`: a `model` beside it whose maker is known",
  ],
  ["a:\n  use: opencode\n  model: big-pickle\n  pinned: true\n", "4:3 wrong value of `a.pinned`"],
  ["a:\n  use: opencode\n  version: { from: new, below: 2.0.0 }\n", "3:14 wrong value of `a.version.from`"],
  ["a: &x { use: opencode }\nb: *x\n", "1:1 the file must hold names with entries"],
])("%j is told with its place", (text, fault) => {
  const [first, ...others] = faultsOf(text);
  expect(first).toContain(fault);
  expect(others).toEqual([]);
});

test("every fault of a file is told at once, in its order", () => {
  const text = "b: { use: nothing }\na:\n  use: opencode\n  colour: red\n";
  expect(faultsOf(text).map((fault) => fault.split(" ")[0])).toEqual(["1:6", "4:3"]);
});

test("a secret in the wrong place is not repeated", () => {
  expect(faultsOf("a:\n  use: opencode\n  env: hunter2hunter2\n").join()).not.toContain("hunter2");
});
