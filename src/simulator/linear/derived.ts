import { enters, installOf, type Caller, type Linear } from "./context.ts";
import { priorityLabelOf, slugOf, urlOf } from "./payloads.ts";
import { statusOf } from "./session-status.ts";
import { identifierOf, type Kind, type SimIssue, type SimTeam, type SimUser, type Tables } from "./world.ts";

/** What a field is read with: the world, and who asks. */
export interface Asking {
  readonly linear: Linear;
  readonly caller: Caller;
}
type Readers = {
  readonly [K in Kind]?: Readonly<Record<string, (node: Tables[K][number], asking: Asking) => unknown>>;
};

const tables = ({ linear }: Asking): Tables => linear.world.tables;
const now = ({ linear }: Asking): number => linear.world.clock.now();

/** Where Linear's own GitHub automation moves a card of that team. */
const gitState =
  (event: string) =>
  (team: SimTeam, asking: Asking): unknown =>
    tables(asking).GitAutomationState.find((one) => one.team === team && one.event === event)?.state;

const membershipOf = (team: SimTeam, user: SimUser): object => ({
  __typename: "TeamMembership",
  id: `${team.id}:${user.id}`,
  createdAt: team.createdAt,
  updatedAt: team.updatedAt,
  team,
  user,
});

/** Fields that are worked out; all others are read off the objects, or answer by their declared type. */
export const derived: Readers = {
  Organization: {
    users: (node, asking) => tables(asking).User.filter(({ organization }) => organization === node),
    teams: (node, asking) => tables(asking).Team.filter(({ organization }) => organization === node),
    labels: (node, asking) => tables(asking).IssueLabel.filter(({ organization }) => organization === node),
    integrations: (node, asking) =>
      tables(asking).Integration.filter(({ organization }) => organization === node),
    userCount: (node, asking) =>
      tables(asking).User.filter(({ organization }) => organization === node).length,
    linearAgentEnabled: () => true,
  },
  User: {
    isMe: (node, { caller }) => caller.user === node,
    url: (node) => urlOf.user(node),
    initials: (node) => node.name.slice(0, 2).toUpperCase(),
    assignedIssues: (node, asking) => tables(asking).Issue.filter(({ assignee }) => assignee === node),
    delegatedIssues: (node, asking) => tables(asking).Issue.filter(({ delegate }) => delegate === node),
    createdIssues: (node, asking) => tables(asking).Issue.filter(({ creator }) => creator === node),
    createdIssueCount: (node, asking) =>
      tables(asking).Issue.filter(({ creator }) => creator === node).length,
    teams: (node, asking) => teamsOf(node, asking),
    teamMemberships: (node, asking) => teamsOf(node, asking).map((team) => membershipOf(team, node)),
    isAssignable: (node, { linear }) =>
      node.active && (!node.app || installOf(linear, node)?.scopes.includes("app:assignable") === true),
    isMentionable: (node, { linear }) =>
      node.active && (!node.app || installOf(linear, node)?.scopes.includes("app:mentionable") === true),
    supportsAgentSessions: (node, { linear }) =>
      installOf(linear, node)?.app.webhook.resourceTypes.includes("AgentSessionEvent") === true,
    canAccessAnyPublicTeam: (node, { linear }) => installOf(linear, node)?.entersAllPublicTeams ?? true,
  },
  Team: {
    displayName: (node) => node.name,
    issues: (node, asking) => tables(asking).Issue.filter(({ team }) => team === node),
    issueCount: (node, asking) => tables(asking).Issue.filter(({ team }) => team === node).length,
    states: (node, asking) => tables(asking).WorkflowState.filter(({ team }) => team === node),
    labels: (node, asking) => tables(asking).IssueLabel.filter(({ team }) => team === node),
    cycles: (node, asking) => tables(asking).Cycle.filter(({ team }) => team === node),
    projects: (node, asking) => tables(asking).Project.filter(({ teams }) => teams.includes(node)),
    webhooks: (node, asking) => tables(asking).Webhook.filter(({ team }) => team === node),
    memberships: (node) => node.members.map((user) => membershipOf(node, user)),
    membership: (node, { caller }) =>
      node.members.includes(caller.user) ? membershipOf(node, caller.user) : undefined,
    activeCycle: (node, asking) =>
      tables(asking).Cycle.find(
        (one) => one.team === node && one.startsAt <= now(asking) && now(asking) < one.endsAt,
      ),
    defaultIssueState: (node, asking) =>
      tables(asking)
        .WorkflowState.filter(
          ({ team, type, archivedAt }) => team === node && type === "backlog" && archivedAt === undefined,
        )
        .toSorted((one, other) => one.position - other.position)[0],
    gitAutomationStates: (node, asking) =>
      tables(asking).GitAutomationState.filter(({ team }) => team === node),
    draftWorkflowState: gitState("draft"),
    startWorkflowState: gitState("start"),
    reviewWorkflowState: gitState("review"),
    mergeableWorkflowState: gitState("mergeable"),
    mergeWorkflowState: gitState("merge"),
    timezone: () => "Etc/UTC",
  },
  WorkflowState: {
    issues: (node, asking) => tables(asking).Issue.filter(({ state }) => state === node),
  },
  IssueLabel: {
    issues: (node, asking) => tables(asking).Issue.filter(({ labels }) => labels.includes(node)),
    children: (node, asking) => tables(asking).IssueLabel.filter(({ parent }) => parent === node),
  },
  Cycle: {
    issues: (node, asking) => tables(asking).Issue.filter(({ cycle }) => cycle === node),
    isActive: (node, asking) => node.startsAt <= now(asking) && now(asking) < node.endsAt,
    isPast: (node, asking) => node.endsAt <= now(asking),
    isFuture: (node, asking) => node.startsAt > now(asking),
  },
  Project: {
    issues: (node, asking) => tables(asking).Issue.filter(({ project }) => project === node),
    slugId: (node) => node.id.slice(-12),
    url: (node) =>
      `https://linear.app/${node.organization.urlKey}/project/${slugOf(node.name)}-${node.id.slice(-12)}`,
  },
  Issue: {
    identifier: identifierOf,
    url: (node) => urlOf.issue(node),
    branchName: (node, { caller }) =>
      `${slugOf(caller.user.displayName)}/${identifierOf(node).toLowerCase()}-${slugOf(node.title)}`,
    priorityLabel: (node) => priorityLabelOf(node.priority),
    prioritySortOrder: (node) => node.sortOrder,
    boardOrder: (node) => node.sortOrder,
    // Nodes of a search are copies under a name of their own, so what belongs to an issue is found by its id.
    comments: (node, asking) => tables(asking).Comment.filter(({ issue }) => issue.id === node.id),
    children: (node, asking) => tables(asking).Issue.filter(({ parent }) => parent?.id === node.id),
    attachments: (node, asking) => tables(asking).Attachment.filter(({ issue }) => issue.id === node.id),
    relations: (node, asking) => tables(asking).IssueRelation.filter(({ issue }) => issue.id === node.id),
    inverseRelations: (node, asking) =>
      tables(asking).IssueRelation.filter(({ relatedIssue }) => relatedIssue.id === node.id),
    agentSessions: (node, asking) => tables(asking).AgentSession.filter(({ issue }) => issue.id === node.id),
    history: (node, asking) => tables(asking).IssueHistory.filter(({ issue }) => issue.id === node.id),
    reactions: (node, asking) => tables(asking).Reaction.filter(({ issue }) => issue?.id === node.id),
  },
  Comment: {
    url: (node) => urlOf.comment(node),
    children: (node, asking) => tables(asking).Comment.filter(({ parent }) => parent === node),
    reactions: (node, asking) => tables(asking).Reaction.filter(({ comment }) => comment === node),
    agentSession: (node, asking) => tables(asking).AgentSession.find(({ comment }) => comment === node),
    agentSessions: (node, asking) => tables(asking).AgentSession.filter(({ comment }) => comment === node),
    bodyData: () => "{}",
  },
  AgentSession: {
    activities: (node, asking) =>
      tables(asking).AgentActivity.filter(({ agentSession }) => agentSession === node),
    status: (node, asking) => statusOf(node, now(asking)),
    externalUrls: (node) => node.externalLinks,
    externalLink: (node) => node.externalLinks[0]?.url,
    slugId: (node) => node.id.slice(-12),
    type: () => "commentThread",
    url: (node) => urlOf.session(node),
  },
  Webhook: {
    allPublicTeams: (node) => node.team === undefined,
    teamIds: (node) => (node.team === undefined ? undefined : [node.team.id]),
  },
};

const related = (node: SimIssue, asking: Asking, type: string, side: "issue" | "relatedIssue"): boolean =>
  tables(asking).IssueRelation.some((one) => one.type === type && one[side] === node);
/** What filters may ask that no field says. */
export const filterOnly: Readers = {
  Issue: {
    hasBlockedByRelations: (node, asking) => related(node, asking, "blocks", "relatedIssue"),
    hasBlockingRelations: (node, asking) => related(node, asking, "blocks", "issue"),
    hasDuplicateRelations: (node, asking) => related(node, asking, "duplicate", "issue"),
    hasRelatedRelations: (node, asking) =>
      related(node, asking, "related", "issue") || related(node, asking, "related", "relatedIssue"),
    hasActiveAgentSessions: (node, asking) =>
      tables(asking).AgentSession.some(
        (one) =>
          one.issue === node && ["pending", "active", "awaitingInput"].includes(statusOf(one, now(asking))),
      ),
    searchableContent: (node) => `${identifierOf(node)} ${node.title} ${node.description ?? ""}`,
  },
};

function teamsOf(user: SimUser, asking: Asking): readonly SimTeam[] {
  const install = installOf(asking.linear, user);
  return tables(asking).Team.filter((team) =>
    install === undefined
      ? team.members.includes(user)
      : team.organization === user.organization && enters(install, team),
  );
}
