import { isTested } from "../adapters/agent-versions.ts";
import type { Agent } from "../ports.ts";
import { bad, ok, warn, type Finding } from "./doctor-finding.ts";

/** Is each runtime there and logged in? Asks without spending. A review needs another family, so both are wanted. */
export async function checkRuntimes(agents: ReadonlyMap<string, Agent>): Promise<readonly Finding[]> {
  return await Promise.all(
    [...agents.values()].map(async (agent) => {
      const { found, version, why, problem } = await agent.probe();
      if (!found)
        return bad(
          "usage",
          `${agent.name} is not installed; without it no model of the ${agent.family} family builds or reviews`,
          why ?? "install it, or set its FORGEHAND_*_BINARY",
        );
      const name = `${agent.name} ${version ?? "of unknown version"}`;
      if (why !== undefined)
        return problem === "unusable"
          ? bad("usage", `${name} cannot be used`, why)
          : bad("permission", `${name} is not logged in`, why);
      const { tested } = agent;
      if (tested === undefined || (version !== undefined && isTested(version, tested)))
        return ok(`${name}, logged in`);
      return warn(
        `${name}, logged in; forgehand was tested with ${tested.from} up to, not including, ${tested.below}`,
        "install a version in that range, or watch its first tickets",
      );
    }),
  );
}
