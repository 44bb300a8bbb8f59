import type { LabelNames } from "../../bootstrap/labels.ts";
import type { Instant, PullFacts, TicketFacts } from "../ports.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { RuntimeName, SpecHash, Ticket } from "../state-machine/ticket.ts";
import type { Standing } from "./authorise.ts";

/** What the shell read from the world, freshly, before anything is believed. */
export interface Facts {
  /** The sender's, now. */
  readonly permission: Standing["permission"];
  /** Where pull requests of this ticket belong: the default branch first, then what it is stacked on. */
  readonly bases: readonly string[];
  /** Logins of who may have forgehand replace itself; nobody when left out. */
  readonly operators?: readonly string[] | undefined;
  /** Bots the configuration lists. */
  readonly allowBots: readonly string[];
  /** The issue behind the ticket, now; undefined when it is gone. */
  readonly issue: TicketFacts | undefined;
  /** `specHash` of that issue. */
  readonly spec: SpecHash | undefined;
  /** The pull request of the ticket (or the one the delivery names), now. */
  readonly pull: PullFacts | undefined;
  /** The ticket as stored; undefined when there is none yet. */
  readonly ticket: Ticket | undefined;
  /** Events of what is read that the ticket has taken: it is read again, after a crash. */
  readonly taken?: ReadonlySet<TicketEvent["type"]> | undefined;
  /** When the ticket learned of the head it has now. */
  readonly headSince?: Instant | undefined;
  /** Whose approval counts for the ticket now. */
  readonly approvedBy?: string | undefined;
  /** The objection that a dismissed review made, while no work on it has begun; and what else waits for a build. */
  readonly objection?: { readonly id: string; readonly left: "nothing" | "more" } | undefined;
  /** What this repository calls our labels. */
  readonly labels: LabelNames;
  /** Runtimes that can be picked. */
  readonly runtimes: readonly RuntimeName[];
  /** Workflows that can be picked in place of the usual build. */
  readonly workflows: readonly string[];
  /** Whether "no checks" has stayed true for `merge.settle_seconds`; before that it teaches nothing. */
  readonly checksSettled: "yes" | "no";
}

/**
 * What a hint comes to. A refusal names its reason for the ledger's reader, and its events answer the person where
 * there is a comment to answer; `halt` and `update` concern no ticket but all of forgehand.
 */
export type Interpretation =
  | { readonly events: readonly TicketEvent[] }
  | { readonly refused: string; readonly events: readonly TicketEvent[] }
  | { readonly ignored: string }
  | { readonly halt: "raised" | "lifted" }
  | { readonly update: UpdateWanted };

/** What an issue asks forgehand to become, or why that does not count. */
export type UpdateWanted =
  | { readonly version: string; readonly integrity: string; readonly by: string }
  | { readonly refused: "no operator" | "text changed" | "text wrong"; readonly by: string };
