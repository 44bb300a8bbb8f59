/** Conversations on lines of a pull request, and what people push and suggest there, in our words. */
import type { Sha } from "./state-machine/ticket.ts";

/** One conversation on lines of a pull request. */
export interface ReviewThread {
  /** The forge's name of it, to resolve it by. */
  readonly id: string;
  readonly resolved: boolean;
  /** The lines it hangs on are not in the present diff any more. */
  readonly outdated: boolean;
  readonly path: string;
  readonly side: "LEFT" | "RIGHT";
  /** The lines it was written on, as they were numbered in `writtenOn`; undefined for a whole file. */
  readonly lines: { readonly from: number; readonly to: number } | undefined;
  readonly writtenOn: Sha;
  /** The diff as it was when it was written, down to its last line. */
  readonly hunk: string;
  /** Oldest first; the first names the thread for replies. */
  readonly comments: readonly ThreadComment[];
}
export interface ThreadComment {
  readonly id: number;
  readonly by: string;
  /** The author's number, which their address for commits is made of. */
  readonly byId: number;
  readonly kind: "person" | "bot" | "forgehand";
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `other`: somebody else changed what its author wrote. */
  readonly edited: "no" | "by author" | "by other";
  /** How the review that it came with stands now; undefined where it came with none. */
  readonly review: "approved" | "objected" | "commented" | "dismissed" | "pending" | undefined;
}
/** New text for lines of a file, by who is credited for it. */
export interface LineSuggestion {
  /** The conversation, and the comment in it. */
  readonly root: number;
  readonly comment: number;
  readonly path: string;
  readonly from: number;
  readonly to: number;
  readonly writtenOn: Sha;
  /** Lines in place of those; none deletes them. */
  readonly lines: readonly string[];
  readonly by: string;
  readonly byId: number;
}
/** Where branches are, by the remote's own word. */
export interface SeenTips {
  readonly default: Sha;
  /** The ticket's own; undefined where it is not there yet. */
  readonly branch?: Sha | undefined;
  /** What that one grows from: the default branch, or the head that it is stacked on. */
  readonly base: Sha;
}
export interface TakenTheirs {
  /** The remote's tip that the work grows from now; undefined where the remote has no such branch. */
  readonly upon: Sha | undefined;
  /** Files in which both sides are left to be settled, marked. */
  readonly conflicts: readonly string[];
  /** Where the remote's branches are. */
  readonly seen: SeenTips;
}
