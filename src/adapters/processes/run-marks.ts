import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { Agent } from "../../ports-agents.ts";

/**
 * Names the processes of a run on this host. The name of a run is unique only within its database: another forgehand of
 * the same user may work on the same ticket, and neither may ever end the other's agents.
 */
export interface RunMarks {
  /** What the processes of this run carry as `RUN_ID`; the same after a restart. */
  of(run: string): string;
  /** This agent, its processes so marked. */
  agent(agent: Agent): Agent;
}

/** Marks for the forgehand that keeps its database at this path. */
export function runMarks(database: string): RunMarks {
  const house = createHash("sha256").update(resolve(database)).digest("hex").slice(0, 12);
  const of = (run: string): string => `${house}/${run}`;
  return {
    of,
    agent: (agent) => ({
      ...agent,
      work: (order, signal) => agent.work({ ...order, runId: of(order.runId) }, signal),
      ...(agent.steering === undefined ? {} : { steering: (run: string) => agent.steering?.(of(run)) }),
    }),
  };
}
