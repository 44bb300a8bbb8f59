import { existsSync, readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { acpProtocol } from "../adapters/agents/acp/entry.ts";
import { namedVariables, ownVariables, type AgentHost } from "../adapters/agents/environment.ts";
import { readAgentsFile, type AgentGround, type Protocol } from "../adapters/agents/agents-file.ts";
import { aiSdkProtocol } from "../adapters/agents/ai-sdk/protocol.ts";
import { claudeCode } from "../adapters/agents/claude-code.ts";
import { systemClock } from "../adapters/clock.ts";
import { codexAppServerProtocol, piProtocol } from "../adapters/agents/cli-entries.ts";
import { codex } from "../adapters/agents/codex.ts";
import { openHousing } from "../adapters/sandboxes/quarters.ts";
import type { Environment } from "../config-environment.ts";
import type { Agent } from "../ports-agents.ts";
import { Problem } from "../problems.ts";

/** Every way to speak with an agent of the agents file. */
const protocols: Readonly<Record<string, Protocol>> = {
  acp: acpProtocol,
  pi: piProtocol,
  "codex-app-server": codexAppServerProtocol,
  "ai-sdk": aiSdkProtocol,
};

/**
 * The coding agents of this host by runtime name. Their logins lie in the operator's HOME, unless FORGEHAND_AGENT_HOME
 * names another; each run is given a copy of its own, its runtime's API key and no other variable of this process. One of
 * the agents file takes the place of ours of the same name. Throws a `Problem` when that file is wrong.
 */
export function runtimeAgents(
  environment: Environment,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReadonlyMap<string, Agent> {
  const clock = systemClock();
  const home = environment.agentHome ?? env["HOME"] ?? homedir();
  const stateDir = resolve(environment.dataDir, "agents");
  const place = { home, searchPath: env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", tmp: tmpdir() };
  const host = (runtime: keyof Environment["runtimes"]): AgentHost => ({
    ...place,
    own: ownVariables(runtime, env),
  });
  const { quartersOf } = openHousing(environment, env);
  const ground: AgentGround = {
    host: (names) => ({ ...place, own: namedVariables(names, env) }),
    quartersOf,
    stateDir,
    clock,
  };
  const agents = [
    claudeCode({
      binary: environment.runtimes["claude-code"],
      host: host("claude-code"),
      stateDir,
      clock,
      quarters: quartersOf("claude-code"),
    }),
    codex({
      binary: environment.runtimes.codex,
      host: host("codex"),
      codexHome: env["CODEX_HOME"] ?? join(home, ".codex"),
      stateDir,
      clock,
      quarters: quartersOf("codex"),
    }),
  ];
  const further = [...listed(environment)].map((build) => build(ground));
  const all = new Map([...agents, ...further].map((agent) => [agent.name, agent]));
  const { sandbox, summary } = environment;
  // A misspelt name would leave the runtime that was meant outside of its sandbox.
  refuseUnknown("FORGEHAND_SANDBOX", Object.keys(sandbox?.byRuntime ?? {}), all);
  refuseUnknown("FORGEHAND_SUMMARY", summary === undefined ? [] : [summary.runtime], all);
  return all;
}

function refuseUnknown(setting: string, named: readonly string[], all: ReadonlyMap<string, Agent>): void {
  const unknown = named.find((name) => !all.has(name));
  if (unknown === undefined) return;
  throw new Problem("environment-wrong", {
    name: setting,
    wrong: `no runtime is called ${unknown}; there is ${[...all.keys()].join(", ")}`,
  });
}

/** The agents file of a data folder, where there is one. */
export function agentsFileIn(dataDir: string): string | undefined {
  const path = resolve(dataDir, "agents.yml");
  return existsSync(path) ? path : undefined;
}

/** The agents of the agents file; none where there is no such file and nobody named one. */
function listed(environment: Environment): Iterable<(ground: AgentGround) => Agent> {
  const named = environment.agents ?? agentsFileIn(environment.dataDir);
  if (named === undefined) return [];
  const path = resolve(named);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "it is unreadable";
    throw new Problem("agents-file-unreadable", { path, why }, { cause });
  }
  const { agents, faults } = readAgentsFile(text, protocols);
  if (faults.length === 0) return agents.values();
  const told = faults.map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`);
  throw new Problem("agents-file-wrong", { path, faults: told.join("\n") });
}
