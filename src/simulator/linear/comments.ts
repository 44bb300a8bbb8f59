import { userOf, type Actor, type Linear } from "./context.ts";
import { iso } from "./payloads.ts";
import { heardInThread } from "./sessions.ts";
import { tell } from "./telling.ts";
import { writeComment, type NewComment } from "./threads.ts";
import { born, drop, touch, type SimComment, type SimIssue, type SimReaction } from "./world.ts";

/** Says something on an issue. A person's word in an agent's thread, or a mention of one, reaches that agent. */
export function addComment(linear: Linear, spec: NewComment, actor: Actor): SimComment {
  const comment = writeComment(linear, spec, actor);
  heardInThread(linear, comment);
  return comment;
}

export function editComment(linear: Linear, comment: SimComment, body: string, actor: Actor): void {
  if (comment.body === body) return;
  const updatedFrom = {
    body: comment.body,
    editedAt: iso(comment.editedAt),
    updatedAt: iso(comment.updatedAt),
  };
  comment.body = body;
  comment.editedAt = linear.world.clock.now();
  touch(linear.world, comment);
  tell(linear, "update", comment, actor, updatedFrom);
}

export function resolveComment(
  linear: Linear,
  comment: SimComment,
  to: "resolved" | "open",
  actor: Actor,
): void {
  const updatedFrom = { resolvedAt: iso(comment.resolvedAt), updatedAt: iso(comment.updatedAt) };
  comment.resolvedAt = to === "resolved" ? linear.world.clock.now() : undefined;
  comment.resolvingUser = to === "resolved" ? userOf(actor) : undefined;
  touch(linear.world, comment);
  tell(linear, "update", comment, actor, updatedFrom);
}

/** Deletes a comment and the replies to it. */
export function deleteComment(linear: Linear, comment: SimComment, actor: Actor): void {
  for (const reply of linear.world.tables.Comment.filter(({ parent }) => parent === comment))
    deleteComment(linear, reply, actor);
  drop(linear.world, "Comment", comment);
  tell(linear, "remove", comment, actor);
}

export function react(
  linear: Linear,
  spec: {
    readonly id?: string | undefined;
    readonly emoji: string;
    readonly comment?: SimComment | undefined;
    readonly issue?: SimIssue | undefined;
  },
  actor: Actor,
): SimReaction {
  const reaction: SimReaction = {
    ...born(linear.world, "Reaction", spec.id),
    emoji: spec.emoji,
    user: userOf(actor),
    comment: spec.comment,
    issue: spec.issue,
  };
  linear.world.tables.Reaction.push(reaction);
  linear.world.syncId += 1;
  tell(linear, "create", reaction, actor);
  return reaction;
}

export function unreact(linear: Linear, reaction: SimReaction, actor: Actor): void {
  drop(linear.world, "Reaction", reaction);
  tell(linear, "remove", reaction, actor);
}
