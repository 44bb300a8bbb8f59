import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { servingAgents } from "../../src/cli/agents.ts";
import { readEnvironment } from "../../src/config-environment.ts";

const agents = (sandbox: string) => {
  const env = { HOME: "/nowhere", FORGEHAND_DATA_DIR: "/nowhere/data", FORGEHAND_SANDBOX: sandbox };
  return servingAgents(
    readEnvironment(env, (path) => readFileSync(path, "utf8")),
    env,
  );
};

test("a sandbox for a runtime that is not there is refused, not left unused", () => {
  expect([...agents("local,codex=bubblewrap").keys()]).toEqual(["claude-code", "codex"]);
  expect(() => agents("local,codx=bubblewrap")).toThrow(
    "no runtime is called codx; there is claude-code, codex",
  );
});
