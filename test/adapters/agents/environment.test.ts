import { expect, test } from "vitest";
import { agentEnvironment, ownVariables } from "../../../src/adapters/agents/environment.ts";

const host = { home: "/home/agent", searchPath: "/usr/bin", tmp: "/tmp/agent", own: {} };
const ours = [
  "FORGEHAND_PRIVATE_KEY",
  "FORGEHAND_WEBHOOK_SECRET",
  "GITHUB_TOKEN",
  "GH_TOKEN",
  "LINEAR_API_KEY",
  "SSH_AUTH_SOCK",
  "GIT_ASKPASS",
  "NODE_OPTIONS",
  "LD_PRELOAD",
  "PRIVATE_KEY",
];
const honey = Object.fromEntries(ours.map((name) => [name, "honey-token"]));

test("a runtime is given its own key and way to the model, not the other runtime's", () => {
  const env = {
    ...honey,
    ANTHROPIC_API_KEY: "a",
    OPENAI_API_KEY: "o",
    HTTPS_PROXY: "p",
    CODEX_HOME: "",
    HOME: "/root",
  };
  expect(ownVariables("claude-code", env)).toEqual({ ANTHROPIC_API_KEY: "a", HTTPS_PROXY: "p" });
  expect(ownVariables("codex", env)).toEqual({ OPENAI_API_KEY: "o", HTTPS_PROXY: "p" });
});

test("what is ours never reaches an agent, not even when it was named as the runtime's own", () => {
  const env = agentEnvironment({ ...host, own: { ...honey, ANTHROPIC_API_KEY: "a" } });
  expect(Object.values(env)).not.toContain("honey-token");
  expect(env["ANTHROPIC_API_KEY"]).toBe("a");
});

test("a runtime's own variables cannot move its path or home", () => {
  const env = agentEnvironment({ ...host, own: { PATH: "/evil", HOME: "/evil", TMPDIR: "/evil" } });
  expect(env).toMatchObject({ PATH: "/usr/bin", HOME: "/home/agent", TMPDIR: "/tmp/agent" });
});
