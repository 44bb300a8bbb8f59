import type { Hub } from "./context.ts";
import { commentOf, issueOf } from "./format.ts";
import type { SimComment, SimRepo, SimThread } from "./state.ts";
import { note } from "./threads.ts";

export interface IssueChange {
  readonly title?: string | undefined;
  readonly body?: string | undefined;
  readonly state?: "open" | "closed" | undefined;
  readonly reason?: SimThread["reason"] | undefined;
}

export function tellIssue(
  hub: Hub,
  repo: SimRepo,
  thread: SimThread,
  action: string,
  by: string,
  more: object = {},
): void {
  hub.courier.send(repo, "issues", action, by, { ...more, issue: issueOf(hub.state, repo, thread, hub.url) });
}

/** Changes an issue; everybody hears of what changed, and of nothing else. */
export function changeIssue(
  hub: Hub,
  repo: SimRepo,
  thread: SimThread,
  change: IssueChange,
  by: string,
): void {
  const { title = thread.title, body = thread.body, state = thread.state } = change;
  const changes = {
    ...(title === thread.title ? {} : { title: { from: thread.title } }),
    ...(body === thread.body ? {} : { body: { from: thread.body } }),
  };
  if (title !== thread.title) note(hub, thread, "renamed", by, { from: thread.title, to: title });
  if (body !== thread.body) thread.editedAt = hub.now();
  Object.assign(thread, { title, body });
  if (Object.keys(changes).length > 0) {
    thread.updatedAt = hub.now();
    tellIssue(hub, repo, thread, "edited", by, { changes });
  }
  const reason = state === "open" ? null : (change.reason ?? thread.reason ?? "completed");
  const isMoved = state !== thread.state;
  Object.assign(thread, { state, reason });
  if (!isMoved) return;
  note(hub, thread, state === "closed" ? "closed" : "reopened", by);
  tellIssue(hub, repo, thread, state === "closed" ? "closed" : "reopened", by);
}

/** Says something on an issue or pull request. */
export function commentOn(hub: Hub, repo: SimRepo, thread: SimThread, by: string, body: string): SimComment {
  const comment: SimComment = { id: hub.id(), body, by, reactions: [], createdAt: hub.now() };
  thread.comments.push(comment);
  thread.updatedAt = hub.now();
  tellComment(hub, repo, thread, comment, "created", by);
  return comment;
}

export function editComment(
  hub: Hub,
  repo: SimRepo,
  thread: SimThread,
  change: { readonly comment: SimComment; readonly body: string; readonly by: string },
): void {
  const from = change.comment.body;
  change.comment.body = change.body;
  tellComment(hub, repo, thread, change.comment, "edited", change.by, { changes: { body: { from } } });
}

export function deleteComment(
  hub: Hub,
  repo: SimRepo,
  thread: SimThread,
  comment: SimComment,
  by: string,
): void {
  thread.comments.splice(thread.comments.indexOf(comment), 1);
  tellComment(hub, repo, thread, comment, "deleted", by);
}

function tellComment(
  hub: Hub,
  repo: SimRepo,
  thread: SimThread,
  comment: SimComment,
  action: string,
  by: string,
  more: object = {},
): void {
  hub.courier.send(repo, "issue_comment", action, by, {
    ...more,
    issue: issueOf(hub.state, repo, thread, hub.url),
    comment: commentOf(hub.state, repo, thread, comment, hub.url),
  });
}
