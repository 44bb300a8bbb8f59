import {
  organizationOf,
  identifierOf,
  type SimActivity,
  type SimAttachment,
  type SimComment,
  type SimIssue,
  type SimLabel,
  type SimNode,
  type SimReaction,
  type SimSession,
  type SimUser,
} from "./world.ts";
import { statusOf } from "./session-status.ts";

type Payload = Record<string, unknown>;

/** An instant as Linear writes it; nothing stays nothing. */
export const iso = (instant: number | undefined): string | null =>
  instant === undefined ? null : new Date(instant).toISOString();

export const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 60);

export const urlOf = {
  issue: (issue: SimIssue): string =>
    `https://linear.app/${issue.team.organization.urlKey}/issue/${identifierOf(issue)}/${slugOf(issue.title)}`,
  comment: (comment: SimComment): string => `${urlOf.issue(comment.issue)}#comment-${comment.id.slice(-8)}`,
  user: (user: SimUser): string =>
    `https://linear.app/${user.organization.urlKey}/profiles/${user.displayName}`,
  session: (session: SimSession): string =>
    `${urlOf.issue(session.issue)}#agent-session-${session.id.slice(-8)}`,
};

const priorities = ["No priority", "Urgent", "High", "Medium", "Low"];
export const priorityLabelOf = (priority: number): string => priorities[priority] ?? "No priority";

const stampsOf = (node: SimNode): Payload => ({
  id: node.id,
  createdAt: iso(node.createdAt),
  updatedAt: iso(node.updatedAt),
  archivedAt: iso(node.archivedAt),
});
export const childOf = {
  user: (user: SimUser): Payload => ({
    id: user.id,
    name: user.name,
    email: user.email,
    avatarUrl: null,
    url: urlOf.user(user),
  }),
  issue: (issue: SimIssue): Payload => ({
    id: issue.id,
    identifier: identifierOf(issue),
    title: issue.title,
    url: urlOf.issue(issue),
    teamId: issue.team.id,
    team: { id: issue.team.id, key: issue.team.key, name: issue.team.name },
  }),
  comment: (comment: SimComment): Payload => ({
    id: comment.id,
    body: comment.body,
    userId: comment.user?.id ?? null,
    issueId: comment.issue.id,
  }),
};
const orNull = <T>(one: T | undefined, of: (one: T) => Payload): Payload | null =>
  one === undefined ? null : of(one);

/** What a webhook says of an entity, by its type; undefined for what Linear sends no webhooks about. */
export function dataOf(node: SimNode): Payload | undefined {
  const write = (writers as Record<string, ((node: never) => Payload) | undefined>)[node.__typename];
  // The table maps each type's name to the writer of that very type.
  return write === undefined ? undefined : { ...stampsOf(node), ...write(node as never) };
}

const writers = {
  Issue: (issue: SimIssue): Payload => ({
    number: issue.number,
    identifier: identifierOf(issue),
    title: issue.title,
    description: issue.description ?? null,
    priority: issue.priority,
    priorityLabel: priorityLabelOf(issue.priority),
    prioritySortOrder: issue.sortOrder,
    estimate: issue.estimate ?? null,
    sortOrder: issue.sortOrder,
    startedAt: iso(issue.startedAt),
    completedAt: iso(issue.completedAt),
    canceledAt: iso(issue.canceledAt),
    dueDate: issue.dueDate ?? null,
    trashed: issue.trashed ?? null,
    labelIds: issue.labels.map(({ id }) => id),
    labels: issue.labels.map(({ id, name, color, parent }) => ({
      id,
      name,
      color,
      parentId: parent?.id ?? null,
    })),
    teamId: issue.team.id,
    team: childOf.issue(issue)["team"],
    stateId: issue.state.id,
    state: { id: issue.state.id, name: issue.state.name, color: issue.state.color, type: issue.state.type },
    assigneeId: issue.assignee?.id ?? null,
    assignee: orNull(issue.assignee, childOf.user),
    delegateId: issue.delegate?.id ?? null,
    delegate: orNull(issue.delegate, childOf.user),
    creatorId: issue.creator?.id ?? null,
    creator: orNull(issue.creator, childOf.user),
    parentId: issue.parent?.id ?? null,
    cycleId: issue.cycle?.id ?? null,
    cycle: orNull(issue.cycle, ({ id, number, name, startsAt, endsAt }) => ({
      id,
      number,
      name: name ?? null,
      startsAt: iso(startsAt),
      endsAt: iso(endsAt),
    })),
    projectId: issue.project?.id ?? null,
    project: orNull(issue.project, ({ id, name }) => ({ id, name, url: `https://linear.app/project/${id}` })),
    subscriberIds: issue.subscribers.map(({ id }) => id),
    previousIdentifiers: issue.previousIdentifiers,
    reactionData: [],
    releases: [],
    botActor: null,
    url: urlOf.issue(issue),
  }),
  Comment: (comment: SimComment): Payload => ({
    body: comment.body,
    editedAt: iso(comment.editedAt),
    issueId: comment.issue.id,
    issue: childOf.issue(comment.issue),
    parentId: comment.parent?.id ?? null,
    parent: orNull(comment.parent, childOf.comment),
    userId: comment.user?.id ?? null,
    user: orNull(comment.user, childOf.user),
    resolvedAt: iso(comment.resolvedAt),
    resolvingUserId: comment.resolvingUser?.id ?? null,
    reactionData: [],
    botActor: null,
  }),
  IssueLabel: (label: SimLabel): Payload => ({
    name: label.name,
    color: label.color,
    description: label.description ?? null,
    isGroup: label.isGroup,
    parentId: label.parent?.id ?? null,
    teamId: label.team?.id ?? null,
    creatorId: label.creator?.id ?? null,
    inheritedFromId: null,
  }),
  Reaction: (reaction: SimReaction): Payload => ({
    emoji: reaction.emoji,
    userId: reaction.user?.id ?? null,
    user: orNull(reaction.user, childOf.user),
    commentId: reaction.comment?.id ?? null,
    comment: orNull(reaction.comment, childOf.comment),
    issueId: reaction.issue?.id ?? null,
    issue: orNull(reaction.issue, childOf.issue),
  }),
  Attachment: (attachment: SimAttachment): Payload => ({
    title: attachment.title,
    subtitle: attachment.subtitle ?? null,
    url: attachment.url,
    metadata: attachment.metadata,
    sourceType: attachment.sourceType ?? null,
    groupBySource: attachment.groupBySource,
    issueId: attachment.issue.id,
    creatorId: attachment.creator?.id ?? null,
  }),
};

/** What an `AgentSessionEvent` says of its session. */
export const sessionData = (session: SimSession, now: number): Payload => ({
  ...stampsOf(session),
  appUserId: session.appUser.id,
  creatorId: session.creator?.id ?? null,
  creator: orNull(session.creator, childOf.user),
  commentId: session.comment.id,
  comment: childOf.comment(session.comment),
  sourceCommentId: session.sourceComment?.id ?? null,
  issueId: session.issue.id,
  issue: { ...childOf.issue(session.issue), description: session.issue.description ?? null },
  organizationId: organizationOf(session.issue)?.id,
  status: statusOf(session, now),
  type: "commentThread",
  startedAt: iso(session.startedAt),
  endedAt: iso(session.endedAt),
  summary: session.summary ?? null,
  sourceMetadata: null,
  url: urlOf.session(session),
});

export const activityData = (activity: SimActivity): Payload => {
  const { __typename: _, ...content } = activity.content;
  return {
    ...stampsOf(activity),
    agentSessionId: activity.agentSession.id,
    content,
    signal: activity.signal ?? null,
    signalMetadata: activity.signalMetadata ?? null,
    sourceCommentId: activity.sourceComment?.id ?? null,
    userId: activity.user.id,
    user: childOf.user(activity.user),
  };
};
