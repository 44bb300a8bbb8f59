/** Who may work beside a repository of this host, found before anything is spent. */
import { resolve } from "node:path";
import { scriptedAgent } from "../adapters/agents/scripted.ts";
import { systemClock } from "../adapters/clock.ts";
import type { Environment } from "../config-environment.ts";
import type { Agent } from "../ports-agents.ts";
import { exitCodes, Problem } from "../problems.ts";
import { runtimeAgents } from "./agents.ts";
import { Failure, oneLine } from "./output.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Models of the two usual families, for agents that play a part. */
const parts = [
  ["claude-code", "anthropic", "claude-opus-5-5"],
  ["codex", "openai", "gpt-5.5"],
] as const;

/** Agents that are installed here, by name. Throws a `Problem` where there is none. */
export async function agentsHere(environment: Environment, env: Env): Promise<ReadonlyMap<string, Agent>> {
  const { scenes } = environment;
  if (scenes !== undefined) {
    const common = {
      scenes: resolve(scenes),
      searchPath: env["PATH"] ?? "/usr/bin:/bin",
      clock: systemClock(),
    };
    return new Map(
      parts.map(([name, family, model]) => [name, scriptedAgent({ ...common, name, family, model })]),
    );
  }
  const all = [...runtimeAgents(environment, env).values()];
  const probed = await Promise.all(
    all.map(async (agent) => ({
      agent,
      probe: await agent.probe().catch((error: unknown) => ({ found: false, why: String(error) })),
    })),
  );
  const found = probed.filter(({ probe }) => probe.found);
  if (found.length === 0) {
    const looked = probed.map(
      ({ agent, probe }) => `${agent.name}: ${oneLine(probe.why ?? "not on the PATH")}`,
    );
    throw new Problem("local-no-agent", { looked: `Looked for ${looked.join("; ")}.` });
  }
  return new Map(found.map(({ agent }) => [agent.name, agent]));
}

/** What is said where one family would have to review its own work; undefined where two are here. */
export function oneFamily(agents: ReadonlyMap<string, Agent>): Problem | undefined {
  const families = new Set(
    [...agents.values()].map(({ family }) => family).filter((family) => family !== "unknown"),
  );
  // An agent without a family of its own is known by the model it is seen to run.
  const isOpen = [...agents.values()].some(({ family }) => family === "unknown");
  if (families.size > 1 || (isOpen && agents.size > 1)) return undefined;
  const [family = "one kind of"] = families;
  return new Problem("local-one-family", { family, names: [...agents.keys()].join(", ") });
}

/** The label that picks a runtime. */
export function runtimeLabel(name: string, agents: ReadonlyMap<string, Agent>): string {
  if (agents.has(name)) return `runtime/${name}`;
  throw new Failure(
    exitCodes.usage,
    `no runtime here is called ${name}; there is ${[...agents.keys()].join(", ")}`,
  );
}
