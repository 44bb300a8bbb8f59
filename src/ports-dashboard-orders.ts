/** What may be asked for on a ticket, and what becomes of it. */
import type { State, TicketId } from "./state-machine/ticket.ts";

export const orderNames = ["approve", "reject", "release", "budget", "retry", "tell", "stop"] as const;
export type OrderName = (typeof orderNames)[number];
/** What an order says besides its name. */
export interface OrderWords {
  /** What is to change, or what the agent should know. */
  readonly text?: string | undefined;
  /** Dollars beyond what is spent. */
  readonly usd?: number | undefined;
}
/** What a person asks for on a page. */
export interface PageOrder extends OrderWords {
  readonly ticket: TicketId;
  readonly order: OrderName;
  /** The version of the ticket that they had before them. */
  readonly seen: number;
}
/** What somebody did, or asked for. */
export interface OrderSeen {
  readonly by: string;
  readonly what: string;
  readonly at: number;
}
/**
 * `taken`: it lies in the inbox; `stale`: the ticket went on meanwhile, or somebody's order was first; `impossible`: its
 * state has no row for it; `unclear`: its words say too little; `forbidden`: they may look and not act.
 */
export type OrderAnswer =
  | { readonly is: "taken"; readonly to: State }
  | { readonly is: "stale"; readonly state: State; readonly last?: OrderSeen | undefined }
  | { readonly is: "impossible"; readonly state: State }
  | { readonly is: "unclear"; readonly why: string }
  | { readonly is: "forbidden" }
  | { readonly is: "unknown" };
