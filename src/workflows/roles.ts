/** Which agent works in a role, with what, and who takes over when it cannot. */
import type { AgentWay } from "../engine/host.ts";
import type { Instant } from "../ports.ts";
import type { Role, WorkOrder } from "../ports-agents.ts";
import type { RuntimeName } from "../state-machine/ticket.ts";

/** The part of an order that a role decides. */
export type Equipment = Pick<WorkOrder, "model" | "effort" | "mcp" | "tools">;

/** A role as the repository fills it. */
export interface Assignment {
  /** Who takes over, in this order. */
  readonly fallback: readonly RuntimeName[];
  /** Who the agent is to be, in words of the repository's maintainers or ours. */
  readonly persona: string | undefined;
  /** Throws a permanent `Trouble` for a bundle of servers that this host does not offer to such an access. */
  equip(runtime: RuntimeName, access: WorkOrder["access"]): Equipment;
}
/** What a task of a workflow of one's own asks for beside what its role gets. Throws a permanent `Trouble` for what does not exist. */
export type Assign = (role: Role, asked?: AgentWay) => Assignment;

/** A runtime that is left out for a while. */
export interface Down {
  readonly runtime: RuntimeName;
  readonly code: string;
  readonly why: string;
  readonly since: Instant;
  readonly until: Instant;
}
/** What is remembered of runtimes from ticket to ticket, over restarts. */
export interface RuntimeHealth {
  /** Those to be left out now. */
  down(): Promise<ReadonlyMap<RuntimeName, Down>>;
  worked(runtime: RuntimeName): Promise<void>;
  failed(
    runtime: RuntimeName,
    how: {
      readonly code: string;
      readonly why: string;
      readonly how: "blocked" | "retry";
      readonly retryAt: Instant | undefined;
    },
  ): Promise<void>;
}
