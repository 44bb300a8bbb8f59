import type { ProcessOrder } from "../processes/agent-process.ts";
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

/** A shell command of a repository in the premises, marked; where there are none, on this host as it is. */
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
  const { command, cwd, home, runId } = shell;
  const marked = (order: ProcessOrder): ProcessOrder => ({ ...order, env: { ...order.env, RUN_ID: runId } });
  const order: ProcessOrder = {
    file: "/bin/sh",
    args: ["-c", command],
    cwd,
    env: shell.env,
    stdin: undefined,
    runId,
    // Whoever runs it keeps its time.
    stallMs: Number.POSITIVE_INFINITY,
    turnMs: Number.POSITIVE_INFINITY,
  };
  if (premises === undefined) return { order: marked(order), leave: async () => undefined };
  const { sandbox, network, limits } = premises;
  const confinement: Confinement = { write: [cwd, home], read: [], network, limits };
  const entered = await sandbox.enter(order, confinement);
  // What stands for it on this host, such as a client of another, is found by the mark as well.
  return { ...entered, order: marked(entered.order) };
}
