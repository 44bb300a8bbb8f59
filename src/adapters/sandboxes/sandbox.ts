import type { ProcessOrder } from "../processes/agent-process.ts";
import type { ResourceLimits } from "./resource-limits.ts";

export type { ResourceLimits } from "./resource-limits.ts";

/** What a process may use of the place it works in. */
export interface Confinement {
  /** Folders of this host it may write; everything else is read-only or not there. */
  readonly write: readonly string[];
  /** Folders and files of this host it may read beside the system's own and those it may write. */
  readonly read: readonly string[];
  /** `model`: nothing but the endpoint of its model, through a proxy of ours that adds the key. */
  readonly network: Network;
  /** Where that proxy listens; there when `network` is `model`. */
  readonly model?: ModelRoute | undefined;
  readonly limits: ResourceLimits;
}
export type Network = "none" | "model" | "open";
/** How a sandbox without a network reaches its model: what comes to the port inside goes to the socket outside. */
export interface ModelRoute {
  /** Unix socket of this host. */
  readonly socket: string;
  /** On the loopback inside. */
  readonly port: number;
}

/** A process of this host through which the ordered one runs inside. */
export interface Entered {
  readonly order: ProcessOrder;
  /**
   * Ends whatever still runs inside and takes back what was made for it; a worktree that lay elsewhere is brought home
   * first. May be called again, also by a later process of ours for an order that a crash left behind: entering the
   * same order again without running it, and leaving, is enough.
   */
  leave(): Promise<void>;
}

/** Where an agent's processes run. Git stays outside: only the host commits and pushes. */
export interface Sandbox {
  readonly name: SandboxName;
  enter(order: ProcessOrder, confinement: Confinement): Promise<Entered>;
  /**
   * For a start: ends and brings home what processes of ours that are gone left inside. Where nothing outlives such a
   * process elsewhere, there is no need for it.
   */
  recover?(): Promise<void>;
  /** Can it be used on this host, and if not, what to do. Asks without starting an agent. */
  probe(): Promise<{
    readonly found: boolean;
    readonly version: string | undefined;
    readonly why: string | undefined;
  }>;
}
export const sandboxNames = ["local", "bubblewrap", "docker", "kubernetes", "ssh"] as const;
export type SandboxName = (typeof sandboxNames)[number];
