import type { Ask, CommentRef, Gap } from "./event.ts";
import type { Phase, RunId, Sha, State } from "./ticket.ts";

/**
 * Intentions, in the imperative. `run.*` are internal: engine rows written in the same transaction.
 * The others are outbox rows; `workpad`, `mirror` and `check` only mirror the ticket and are coalesced to the newest.
 */
export type Effect =
  | { readonly type: "run.start"; readonly phase: Phase; readonly run: RunId; readonly head: Sha | undefined }
  | { readonly type: "run.stop"; readonly run: RunId }
  /** Adds and removes labels of ours on the issue. */
  | { readonly type: "labels"; readonly add: readonly OwnLabel[]; readonly remove: readonly OwnLabel[] }
  /** An acknowledging reaction on the issue. */
  | { readonly type: "react"; readonly content: "eyes" | "rocket" | "hooray" | "confused" }
  /** Reacts to a person's comment and, where words are due, replies. */
  | { readonly type: "answer"; readonly comment: CommentRef; readonly ask: Ask }
  /** A new comment, which notifies: only when a person must act, or it is over. */
  | { readonly type: "say"; readonly about: Notice }
  | { readonly type: "workpad" }
  | { readonly type: "mirror"; readonly to: State }
  | { readonly type: "pull.open"; readonly head: Sha }
  /** Ready for review, reviewers requested. */
  | { readonly type: "pull.ask"; readonly head: Sha }
  | { readonly type: "pull.close" }
  | { readonly type: "check"; readonly head: Sha }
  /** One COMMENT review with the verdict of this run and its inline findings. */
  | { readonly type: "review.post"; readonly head: Sha; readonly run: RunId }
  | { readonly type: "merge.arm"; readonly head: Sha }
  | { readonly type: "merge.disarm" }
  | { readonly type: "merge.try"; readonly head: Sha }
  /** Drops the worktree; after a merge or a reset the branch too. */
  | { readonly type: "clean" };

export type EffectType = Effect["type"];

/** Labels that forgehand itself may set or remove; `auto-merge` is never among those it adds. */
export type OwnLabel = "agent-ready" | "needs-spec" | "harness-blocked" | "auto-merge";

/** Why a new comment is written. */
export type Notice =
  | { readonly about: "flagged"; readonly gaps: readonly Gap[]; readonly comment: string }
  | { readonly about: "contested-runtime" }
  | { readonly about: "blocked"; readonly why: string }
  | { readonly about: "merged"; readonly head: Sha };
