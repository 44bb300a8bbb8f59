import type { Instant } from "../ports.ts";
import type { CommentRef, Remark } from "../state-machine/event.ts";
import type { Sha, SpecHash, State } from "../state-machine/ticket.ts";
import type { Command } from "./command.ts";

/** What one delivery hints at. Nothing here is believed before `interpret` has seen freshly read facts. */
export interface Heard {
  readonly repo: RepoHint;
  readonly target: Target;
  readonly sender: Sender;
  readonly says: Say;
}

/** A repository as a payload names it; some payloads leave parts out. */
export interface RepoHint {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly installation: number | undefined;
  readonly defaultBranch: string | undefined;
  readonly private: boolean;
}

export type Target =
  | { readonly issue: number }
  | { readonly pull: number }
  /** Checks belong to a commit; the payload may know which pull requests have it at their tip. */
  | { readonly head: Sha; readonly pulls: readonly number[] }
  | { readonly repo: "whole" };

export interface Sender {
  readonly login: string;
  readonly id: number;
  readonly kind: "person" | "bot" | "forgehand";
}

export type Say =
  /** `spec` is the text that stood there when the label was set; undefined where nobody told. */
  | { readonly type: "labelled"; readonly label: string; readonly spec?: SpecHash | undefined }
  | { readonly type: "unlabelled"; readonly label: string }
  /** Handed to us in a tracker that knows agents. `spec` as above. */
  | { readonly type: "released"; readonly how: "delegated"; readonly spec?: SpecHash | undefined }
  /** The ticket's card was moved on its board. `spec` as above. */
  | {
      readonly type: "moved";
      /** The state of ours that the place is for; undefined where it is for none. */
      readonly to: State | undefined;
      /** What people call the place. */
      readonly name: string;
      /** Whether it is where the ticket's state belongs; `anywhere`: that state has no place of its own. */
      readonly belongs: "here" | "elsewhere" | "anywhere";
      /** How often the card was put back since anything else happened. */
      readonly returns: number;
      /** What moved it, where that was no person. */
      readonly automation: string | undefined;
      readonly at: Instant | undefined;
      /** It was moved before the ticket came to where it is, or may have been: what it meant then is over. */
      readonly isStale?: boolean;
      readonly spec?: SpecHash | undefined;
    }
  | { readonly type: "issue.edited" }
  | { readonly type: "issue.closed"; readonly how: "completed" | "declined" }
  | { readonly type: "issue.reopened" }
  | { readonly type: "issue.deleted" }
  | { readonly type: "issue.transferred"; readonly to: string }
  /**
   * `wroteOn` is the head an inline comment stands on; a comment in the thread stands on none, so `at` must tell what
   * the writer had before them. `spec` as above.
   */
  | {
      readonly type: "commented";
      readonly comment: CommentRef;
      readonly command: Command;
      readonly wroteOn: Sha | undefined;
      readonly at?: Instant | undefined;
      readonly spec?: SpecHash | undefined;
    }
  /** Plain words on a line of the diff. */
  | { readonly type: "remarked"; readonly on: Remark; readonly body: string }
  | { readonly type: "pull.opened"; readonly head: Sha }
  | { readonly type: "pull.reopened"; readonly head: Sha }
  | { readonly type: "pull.closed"; readonly merge: Sha | undefined }
  | { readonly type: "pull.moved"; readonly head: Sha }
  | { readonly type: "pull.retargeted"; readonly base: string }
  | { readonly type: "pull.disarmed" }
  | {
      readonly type: "reviewed";
      readonly state: "approved" | "objected" | "commented";
      readonly head: Sha;
      readonly body: string;
      readonly comment: CommentRef;
      readonly command: Command | undefined;
      /** When it was submitted, which tells it from the person's others. */
      readonly at?: Instant | undefined;
    }
  | {
      readonly type: "review.dismissed";
      readonly head: Sha;
      readonly by: string;
      readonly review?: number | undefined;
      readonly at?: Instant | undefined;
    }
  | { readonly type: "checks.changed"; readonly head: Sha }
  | {
      readonly type: "button";
      readonly identifier: string;
      readonly head: Sha;
      readonly externalId: string;
    }
  | { readonly type: "config.changed"; readonly at: Sha | undefined }
  | { readonly type: "merge.grouped"; readonly head: Sha; readonly group: string }
  | { readonly type: "pull.dequeued" }
  | { readonly type: "installed" }
  | { readonly type: "uninstalled" }
  | { readonly type: "repo.renamed" };

/** A stored delivery, as far as reading it goes. */
export interface Readable {
  readonly name: string;
  /** The raw body as received. */
  readonly body: string;
}

/** Who we are, so that our own voice is told from a person's. */
export interface Self {
  readonly appId: number;
  /** `<slug>[bot]` */
  readonly botLogin: string;
}

/** What one event's payload hints at; the envelope is added by `readGitHub`. */
export interface Hint {
  readonly target: Target;
  readonly says: Say;
}
