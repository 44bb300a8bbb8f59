import type { Agent } from "../ports.ts";
import { bad, ok, type Finding } from "./doctor-finding.ts";

/** Is each runtime there and logged in? Asks without spending. A review needs another family, so both are wanted. */
export async function checkRuntimes(agents: ReadonlyMap<string, Agent>): Promise<readonly Finding[]> {
  return await Promise.all(
    [...agents.values()].map(async (agent) => {
      const { found, version, why } = await agent.probe();
      if (!found)
        return bad(
          "usage",
          `${agent.name} is not installed; without it no model of the ${agent.family} family builds or reviews`,
          why ?? "install it, or set its FORGEHAND_*_BINARY",
        );
      const name = `${agent.name} ${version ?? "of unknown version"}`;
      return why === undefined
        ? ok(`${name}, logged in`)
        : bad("permission", `${name} is not logged in`, why);
    }),
  );
}
