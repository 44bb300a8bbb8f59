import { userOf, type Actor, type Linear } from "./context.ts";
import { tell } from "./telling.ts";
import { born, type SimComment, type SimIssue } from "./world.ts";

export interface NewComment {
  readonly id?: string | undefined;
  readonly issue: SimIssue;
  readonly parent?: SimComment | undefined;
  readonly body: string;
}

/** Writes a comment that calls nobody: what agents' activities and Linear itself leave in a thread. */
export function writeComment(linear: Linear, spec: NewComment, actor: Actor): SimComment {
  const comment: SimComment = {
    ...born(linear.world, "Comment", spec.id),
    issue: spec.issue,
    user: userOf(actor),
    // Threads are one level deep: a reply to a reply joins its thread.
    parent: spec.parent?.parent ?? spec.parent,
    body: spec.body,
    editedAt: undefined,
    resolvedAt: undefined,
    resolvingUser: undefined,
    isArtificialAgentSessionRoot: actor.is === "linear",
  };
  linear.world.tables.Comment.push(comment);
  linear.world.syncId += 1;
  tell(linear, "create", comment, actor);
  return comment;
}
