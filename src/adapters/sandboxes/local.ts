import { endMarked } from "../processes/descendants.ts";
import { behind, limiter } from "./limits.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * This host as it is: the environment is scrubbed, the home is one of the run's own and limits hold, but the files of the
 * user it runs as are not hidden, and the network cannot be closed.
 */
export function localSandbox(): Sandbox {
  return {
    name: "local",
    enter: async (order, { limits, write }) => ({
      order: { ...behind(order, limiter(limits, "one-user")), allowance: { limits, folders: write } },
      leave: async () => void (await endMarked(order.runId)),
    }),
    probe: async () => ({ found: true, version: undefined, why: undefined }),
  };
}
