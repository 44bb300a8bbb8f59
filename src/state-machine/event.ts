import type { ChecksSeen, Digest, MergeFacts, ReviewEvidence } from "./evidence.ts";
import type { RunId, RuntimeName, Sha, SpecHash, Upon } from "./ticket.ts";

/** Facts about one ticket, in the past tense. A report of a run carries the run; news of a head carries the head. */
export type TicketEvent =
  // What people did on the forge or the tracker.
  | { readonly type: "ready.granted"; readonly spec: SpecHash }
  | { readonly type: "ready.revoked" }
  | { readonly type: "spec.edited"; readonly spec: SpecHash }
  /** What the labels pick for the build; two of a kind contest the choice as a whole. */
  | {
      readonly type: "runtime.chosen";
      readonly runtime: RuntimeName | "contested" | undefined;
      readonly workflow?: string | undefined;
    }
  | { readonly type: "automerge.set"; readonly on: boolean }
  | { readonly type: "hold.set"; readonly on: boolean }
  | { readonly type: "halt.raised" }
  | { readonly type: "halt.lifted" }
  | { readonly type: "human.approved"; readonly head: Sha; readonly by: string }
  | { readonly type: "approval.withdrawn"; readonly head: Sha; readonly by: string }
  | { readonly type: "human.objected"; readonly by: string; readonly order: string }
  /** What an agent should know besides: one at work hears it before its next turn. `on`: said on lines of the diff. */
  | {
      readonly type: "human.told";
      readonly by: string;
      readonly order: string;
      readonly on?: Remark | undefined;
    }
  /** A review that asked for changes was dismissed before the work on it began; `left` is what else waits for a build. */
  | {
      readonly type: "order.withdrawn";
      readonly by: string;
      /** The event of that objection, and its review where that is known. */
      readonly objection: string;
      readonly review?: number | undefined;
      readonly left: "nothing" | "more";
    }
  | { readonly type: "human.asked"; readonly comment: CommentRef; readonly ask: Ask }
  | { readonly type: "ticket.cancelled"; readonly why: string }
  | { readonly type: "ticket.reopened" }
  /** Somebody moved the card to where the ticket is not. `left`: put back before, again and again, so it stays there. */
  | { readonly type: "tracker.contested"; readonly why: string; readonly card: "put back" | "left" }
  // What an operator or a person commanded.
  | { readonly type: "operator.retried"; readonly orders?: OrdersWait }
  | { readonly type: "operator.stopped" }
  | { readonly type: "operator.reset" }
  /** `usd`: what may be spent beyond what is; what the run's own cap leaves where nobody named a sum. */
  | { readonly type: "budget.raised"; readonly usd?: number | undefined; readonly orders?: OrdersWait }
  // What the scheduler and the clock said.
  /** `upon`: it starts on the head of what it depends on, which is still in review. */
  | { readonly type: "slot.granted"; readonly upon?: Upon | undefined }
  /** It would have got a slot, but what it depends on is not done; `why` names that. */
  | { readonly type: "slot.withheld"; readonly why: string }
  | { readonly type: "deadline.passed"; readonly run: RunId; readonly why: string }
  /** `wantsUsd`: what may be enough to finish. `liftsAt`: when the cap lifts by itself, for one on a day. */
  | {
      readonly type: "budget.spent";
      readonly run: RunId;
      readonly why: string;
      readonly wantsUsd?: number | undefined;
      readonly liftsAt?: number | undefined;
    }
  /** An effect the ticket cannot go on without was given up. */
  | { readonly type: "effect.failed"; readonly effect: string; readonly why: string }
  // What the ticket's current run reported.
  | { readonly type: "gate.passed"; readonly run: RunId }
  | {
      readonly type: "gate.flagged";
      readonly run: RunId;
      readonly gaps: readonly Gap[];
      readonly comment: string;
    }
  | {
      readonly type: "build.delivered";
      readonly run: RunId;
      readonly head: Sha;
      readonly summary: string;
      readonly orders?: OrdersWait;
    }
  | {
      readonly type: "build.gave-up";
      readonly run: RunId;
      readonly how: "failed" | "unfinished";
      readonly why: string;
      /** Turns that ended unfinished in this run; one where nobody counted. */
      readonly turns?: number | undefined;
    }
  /** It made no headway, so somebody at the tiller did something about it; the run goes on. */
  | {
      readonly type: "agent.prodded";
      readonly run: RunId;
      readonly how: "nudged" | "stopped" | "resumed" | "replaced";
      readonly why: string;
    }
  | {
      readonly type: "review.passed";
      readonly run: RunId;
      readonly head: Sha;
      readonly summary: string;
      readonly needsPerson: readonly string[];
      /** What it stands on; a verdict of before there was such a record has none. */
      readonly evidence?: ReviewEvidence | undefined;
    }
  | { readonly type: "review.failed"; readonly run: RunId; readonly head: Sha; readonly summary: string }
  | { readonly type: "review.blocked"; readonly run: RunId; readonly head: Sha; readonly why: string }
  | { readonly type: "run.exhausted"; readonly run: RunId; readonly why: string }
  // What became of the pull request.
  | { readonly type: "pr.opened"; readonly pull: number; readonly head: Sha }
  /** The forge is about to be asked to merge exactly this head, and this is how it stood. */
  | {
      readonly type: "merge.asked";
      readonly head: Sha;
      readonly base: Sha;
      readonly method: string;
      readonly checks: ChecksSeen;
    }
  | { readonly type: "pr.merged"; readonly head: Sha; readonly merge: Sha }
  /** What is known of the merge only afterwards, and the certificate that it completes. */
  | {
      readonly type: "merge.certified";
      readonly head: Sha;
      readonly merge: Sha;
      readonly facts: MergeFacts;
      readonly certificate: Digest;
    }
  | { readonly type: "pr.closed" }
  | { readonly type: "pr.retargeted"; readonly base: string }
  /** `update`: how the host itself made that head from another, by taking over the base. */
  | { readonly type: "head.moved"; readonly head: Sha; readonly update?: HeadUpdate | undefined }
  /** The base has something that this head must take over before it can go on. */
  | { readonly type: "base.moved"; readonly head: Sha; readonly why: string }
  | { readonly type: "checks.started"; readonly head: Sha }
  /** `aside`: checks that are red and need not be green. */
  | { readonly type: "checks.passed"; readonly head: Sha; readonly aside?: readonly string[] | undefined }
  /** `log`: what the failed checks left to read, for who mends it. */
  | {
      readonly type: "checks.failed";
      readonly head: Sha;
      readonly why: string;
      readonly log?: string | undefined;
    }
  | { readonly type: "checks.absent"; readonly head: Sha }
  /** What is red may not be the change's fault: it is run again, once, or it waits for the base. */
  | {
      readonly type: "ci.doubted";
      readonly head: Sha;
      readonly how: "rerun" | "base";
      readonly checks: readonly {
        readonly name: string;
        readonly id?: number | undefined;
        readonly endedAt?: number | undefined;
      }[];
      readonly why: string;
    }
  | {
      readonly type: "merge.refused";
      readonly head: Sha;
      /** `checks`: those of the commit that a merge queue built of it failed. */
      readonly how: "conflict" | "checks" | "policy";
      readonly why: string;
    };

/** People asked for something that no build has read: while the ticket was blocked, or after its builder's last turn. */
export type OrdersWait = "wait" | undefined;

export type EventType = TicketEvent["type"];

/** What the host did to bring a branch up to date with its base. */
export interface HeadUpdate {
  readonly from: Sha;
  readonly oldBase: Sha;
  readonly base: Sha;
  readonly how: "merge" | "rebase";
  /** The change against its base is the same, by patch id. */
  readonly unchanged: boolean;
  /** How many commits the base gained, and the subjects of the newest. */
  readonly gained: { readonly count: number; readonly subjects: readonly string[] };
  /** What the new head is stacked on; nothing where it stands on the default branch. */
  readonly upon?: Upon | undefined;
}

/** One thing the spec gate missed. */
export interface Gap {
  readonly about: "Where" | "What" | "Acceptance" | "Ambiguity";
  readonly missing: string;
  /** Answers to pick from, where it comes down to that. */
  readonly choices?: readonly string[] | undefined;
}

/** A comment a person wrote: on the forge, or in a tracker of its own. */
export type CommentRef = ForgeComment | TrackerComment;

/** On the issue, on the pull request, as a review or inline in the diff. */
export interface ForgeComment {
  readonly kind: "comment" | "review" | "inline";
  readonly id: number;
  /** The issue or pull request it stands on. */
  readonly thread: number;
}
/** Below the ticket itself. */
export interface TrackerComment {
  readonly kind: "tracker";
  readonly id: string;
  /** The comment that began its conversation. */
  readonly root?: string | undefined;
  /** The agent session it was said in, where it was. */
  readonly session?: string | undefined;
}

/** Where in the diff a comment stands: in the conversation that its root began, in a review where it came with one. */
export interface Remark {
  readonly root: number;
  readonly comment: number;
  readonly path: string;
  readonly line?: number | undefined;
  readonly review?: number | undefined;
}

/** What to answer a person: a question about the ticket, an accepted command, or a refusal with its reason. */
export type Ask =
  | { readonly about: "explain" | "status" | "help" }
  /** For an agent that reads the code and writes none; `grants` says whether it may come to be an order. */
  | {
      readonly about: "question";
      readonly text: string;
      readonly by: string;
      readonly grants: "an answer" | "an order";
      readonly on?: Remark | undefined;
    }
  /** What that agent, or whoever could not ask one, says. */
  | { readonly about: "answered"; readonly text: string; readonly on?: Remark | undefined }
  | { readonly about: "accepted"; readonly command: string }
  | { readonly about: "refused"; readonly command: string; readonly why: string };
