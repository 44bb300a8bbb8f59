import { existsSync } from "node:fs";
import type { Agent } from "../ports-agents.ts";
import { isTested } from "../adapters/agents/versions.ts";
import { systemClock } from "../adapters/clock.ts";
import type { Environment } from "../config-environment.ts";
import { Problem } from "../problems.ts";
import { openSqlite } from "../sql.ts";
import { runtimeTroubles } from "../store/runtimes.ts";
import { bad, badly, ok, warn, type Finding } from "./doctor-finding.ts";
import { downInWords } from "./runtimes-told.ts";
import { ownPrices } from "./prices.ts";
import { serverBundles } from "./servers.ts";

/** Is each runtime there and logged in? Asks without spending. A review needs another family, so both are wanted. */
export async function checkRuntimes(agents: ReadonlyMap<string, Agent>): Promise<readonly Finding[]> {
  const families = [...agents.values()].map(({ family }) => family);
  const isAlone = ({ family }: Agent): boolean =>
    family !== "unknown" && families.filter((one) => one === family).length === 1;
  return await Promise.all(
    [...agents.values()].map(async (agent) => {
      const { found, version, why, problem } = await agent.probe();
      if (!found)
        return bad(
          "usage",
          `${agent.name} is not installed${isAlone(agent) ? `; without it no model of the ${agent.family} family builds or reviews` : ""}`,
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

/** Runtimes that the last tickets found unable to work. */
export async function checkTroubles(database: string): Promise<readonly Finding[]> {
  if (!existsSync(database)) return [];
  try {
    const sql = openSqlite(database, { readonly: true });
    try {
      const troubles = await sql.read(() => runtimeTroubles());
      return downInWords(troubles, systemClock().now()).map((text) =>
        warn(text, "put it right and wait until then, or choose another runtime in `runtime.fallback`"),
      );
    } finally {
      sql.close();
    }
  } catch {
    // What is wrong with the database is told where the database is looked at.
    return [];
  }
}

/** The operator's own files, where there are any: bundles of MCP servers, and prices. */
export const checkFiles = (environment: Environment): readonly Finding[] => [
  ...told("MCP bundles that repositories may name", () => serverBundles(environment)),
  ...told("prices of your own", () => ownPrices(environment)),
];

function told(what: string, read: () => ReadonlyMap<string, unknown>): readonly Finding[] {
  try {
    const names = [...read().keys()];
    return names.length === 0 ? [] : [ok(`${what}: ${names.join(", ")}`)];
  } catch (error) {
    if (error instanceof Problem) return [badly(error)];
    throw error;
  }
}
