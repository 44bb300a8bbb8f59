import type { ProcessOrder } from "./agent-process.ts";
import type { Confinement, Entered, Network, ResourceLimits, Sandbox } from "./sandbox.ts";

/** Where processes run, and how much of the host is theirs. */
export interface Premises {
  readonly sandbox: Sandbox;
  readonly network: Network;
  readonly limits: ResourceLimits;
}
/** Where the operator lets a runtime live. */
export interface Quarters extends Premises {
  /** Private folder for the homes of its runs. */
  readonly root: string;
}

/** A shell command of a repository in the premises; where there are none, on this host as it is. */
export async function enterShell(
  premises: Premises | undefined,
  shell: {
    readonly command: string;
    readonly cwd: string;
    readonly home: string;
    readonly env: Readonly<Record<string, string>>;
    readonly runId: string;
  },
): Promise<Entered> {
  const { command, cwd, home, env, runId } = shell;
  const order: ProcessOrder = {
    file: "/bin/sh",
    args: ["-c", command],
    cwd,
    env,
    stdin: undefined,
    runId,
    // Whoever runs it keeps its time.
    stallMs: Number.POSITIVE_INFINITY,
    turnMs: Number.POSITIVE_INFINITY,
  };
  if (premises === undefined) return { order, leave: async () => undefined };
  const { sandbox, network, limits } = premises;
  const confinement: Confinement = { write: [cwd, home], read: [], network, limits };
  return await sandbox.enter(order, confinement);
}
