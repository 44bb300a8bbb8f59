/** A ticket is the unit of work: one GitHub issue (or Linear card) on its way to a merged pull request. */

/** Every state a ticket can be in. `Blocked` is any state plus `harness-blocked`: only a person leads out of it. */
export const states = [
  "Backlog",
  "Ready",
  "Gate",
  "In Progress",
  "Adversarial Review",
  "In Review",
  "Merging",
  "Rework",
  "Blocked",
  "Done",
  "Cancelled",
] as const;
export type State = (typeof states)[number];

/** The states in which a run of the engine works for the ticket, and the workflow that works in each. */
export const phases = { Gate: "gate", "In Progress": "build", "Adversarial Review": "review" } as const;
type WorkingState = keyof typeof phases;
export type Phase = (typeof phases)[WorkingState];

/** 40 hex digits of a git commit. */
export type Sha = string;
/** `github:<repository id>#<issue number>`: survives renames. */
export type TicketId = string;
/** `<ticket id>/<n>`: the n-th run of a ticket. */
export type RunId = string;
export const ticketOfRun = (run: RunId): TicketId => run.slice(0, run.lastIndexOf("/"));
/** sha256 (hex) of the released title and body. */
export type SpecHash = string;
/** A configured runtime by name, as in the label `runtime/<name>`. */
export type RuntimeName = string;

/**
 * What continuous integration says about one head; `none` means the repository has no checks for it, `doubted` that
 * what is red may not be the change's fault, so it is run again or waits for the base.
 */
export type ChecksAre = "unknown" | "pending" | "green" | "red" | "none" | "doubted";

/** Failures so far, persisted; a person's retry sets all three to zero. */
export interface Counters {
  /** Builds that failed and merges that were refused; limit N. */
  readonly attempts: number;
  /** Review rounds that ended in rework; limit N, the mediator speaks from M. */
  readonly cycles: number;
  /** Turns of builds that ended unfinished since the last build that reached review; limit K. */
  readonly unreviewed: number;
}

export interface Ticket {
  readonly id: TicketId;
  readonly state: State;
  /** What a permitted person released; an edit voids it, and Backlog never holds one. */
  readonly spec: SpecHash | undefined;
  /** Picked by label; `contested` when more than one `runtime/*` label, or more than one `workflow/*`, is set. */
  readonly runtime: RuntimeName | "contested" | undefined;
  /** The workflow that builds in place of the usual one, picked by `workflow/<name>`. */
  readonly workflow: string | undefined;
  readonly pull: number | undefined;
  /** Tip of the pull request's branch, as last learned. */
  readonly head: Sha | undefined;
  /** The head a review passed; known only in In Review, Merging and Done. */
  readonly reviewed: Sha | undefined;
  /** The head a person with write access approved. */
  readonly approved: Sha | undefined;
  /** `auto-merge` was set by a person with write access and nothing has voided it. */
  readonly autoMerge: boolean;
  /** The head whose review demands a person's own approval: auto-merge does not consent to it. */
  readonly needsPerson: Sha | undefined;
  /** About `head` only; a new head makes it `unknown`. */
  readonly checks: ChecksAre;
  /** Stacked on another ticket, it is neither asked for nor merged before that is. */
  readonly upon: Upon | undefined;
  readonly counters: Counters;
  /** The one run that may speak for this ticket. */
  readonly run: RunId | undefined;
  /** How many runs were ever started. */
  readonly runs: number;
  /** The working state in which its budget was spent; only while Blocked, and `budget.raised` leads back there. */
  readonly stoppedIn: WorkingState | undefined;
  /** The run that spent its budget, held as it was; it goes on where it stopped, unless what it was about has changed. */
  readonly aside: RunId | undefined;
  /** Dollars that may be enough to finish, asked for with the stop. */
  readonly wantsUsd: number | undefined;
  /** Dollars that a person allowed beyond what is spent, until the run reports. */
  readonly allowance: number | undefined;
  /** `forgehand:halt` is on. */
  readonly halted: boolean;
  /** `forgehand:do-not-dispatch` is on. */
  readonly held: boolean;
}

/** What a stacked ticket stands on: another one in review, and the head of that which its own work grows from. */
export interface Upon {
  readonly ticket: TicketId;
  /** `owner/repo#7` */
  readonly ref: string;
  readonly head: Sha;
}

/** Numbers the table may ask about; read from the repository's configuration, recorded with every ledger line. */
export interface Policy {
  readonly maxAttempts: number;
  readonly maxCycles: number;
  readonly maxUnreviewed: number;
  /** An approving review releases the merge; otherwise a person presses the button. */
  readonly mergeAfterApproval: boolean;
}

export function newTicket(id: TicketId): Ticket {
  return {
    id,
    state: "Backlog",
    spec: undefined,
    runtime: undefined,
    workflow: undefined,
    pull: undefined,
    head: undefined,
    reviewed: undefined,
    approved: undefined,
    autoMerge: false,
    needsPerson: undefined,
    checks: "unknown",
    upon: undefined,
    counters: { attempts: 0, cycles: 0, unreviewed: 0 },
    run: undefined,
    runs: 0,
    stoppedIn: undefined,
    aside: undefined,
    wantsUsd: undefined,
    allowance: undefined,
    halted: false,
    held: false,
  };
}
