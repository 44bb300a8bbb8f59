import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ownVariables, type AgentHost } from "../adapters/agent-environment.ts";
import { claudeCode } from "../adapters/claude-code.ts";
import { systemClock } from "../adapters/clock.ts";
import { codex } from "../adapters/codex.ts";
import { openHousing } from "../adapters/quarters.ts";
import type { Environment } from "../config-environment.ts";
import type { Agent } from "../ports.ts";

/**
 * The coding agents of this host by runtime name. Their logins lie in the operator's HOME, unless FORGEHAND_AGENT_HOME
 * names another; each run is given a copy of its own, its runtime's API key and no other variable of this process.
 */
export function runtimeAgents(
  environment: Environment,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReadonlyMap<string, Agent> {
  const clock = systemClock();
  const home = environment.agentHome ?? env["HOME"] ?? homedir();
  const stateDir = resolve(environment.dataDir, "agents");
  const host = (runtime: keyof Environment["runtimes"]): AgentHost => ({
    home,
    searchPath: env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    tmp: tmpdir(),
    own: ownVariables(runtime, env),
  });
  const { quartersOf } = openHousing(environment, env);
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
  return new Map(agents.map((agent) => [agent.name, agent]));
}
