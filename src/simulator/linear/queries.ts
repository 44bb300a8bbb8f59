import type { Asking } from "./derived.ts";
import { linearError, notImplemented } from "./errors.ts";
import { every, lookUp, lookUpIssue, lookUpUser } from "./lookup.ts";
import { identifierOf, type Kind, type SimIssue } from "./world.ts";

type Args = Readonly<Record<string, unknown>>;

const one =
  (kind: Kind) =>
  ({ id }: Args, asking: Asking): unknown =>
    lookUp(asking, kind, id);

/** Issues whose text has every word of a term. */
function search(term: unknown, { includeComments, teamId }: Args, asking: Asking): readonly SimIssue[] {
  const { Issue, Comment } = asking.linear.world.tables;
  const words = (typeof term === "string" ? term : "").toLowerCase().split(/\s+/);
  return Issue.filter((issue) => {
    if (typeof teamId === "string" && issue.team.id !== teamId) return false;
    const comments = includeComments === true ? Comment.filter((comment) => comment.issue === issue) : [];
    const text = [
      identifierOf(issue),
      issue.title,
      issue.description ?? "",
      ...comments.map(({ body }) => body),
    ]
      .join(" ")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** What can be read, by the name of its root. */
export const queries: Readonly<Record<string, (args: Args, asking: Asking) => unknown>> = {
  viewer: (_, { caller }) => caller.user,
  organization: (_, { caller }) => caller.organization,
  user: ({ id }, asking) => lookUpUser(asking, id),
  users: every("User"),
  team: ({ id }, asking) => {
    const byKey = asking.linear.world.tables.Team.find(
      (team) => team.key === id && team.organization === asking.caller.organization,
    );
    return lookUp(asking, "Team", byKey?.id ?? id);
  },
  teams: every("Team"),
  administrableTeams: every("Team"),
  workflowState: one("WorkflowState"),
  workflowStates: every("WorkflowState"),
  issueLabel: one("IssueLabel"),
  issueLabels: every("IssueLabel"),
  cycle: one("Cycle"),
  cycles: every("Cycle"),
  project: one("Project"),
  projects: every("Project"),
  issue: ({ id }, asking) => lookUpIssue(asking, id),
  issues: every("Issue"),
  issueSearch: ({ query, ...args }, asking) => search(query, args, asking),
  searchIssues: ({ term, ...args }, asking) =>
    search(term, args, asking).map((issue) => ({ ...issue, __typename: "IssueSearchResult", metadata: {} })),
  issueVcsBranchSearch: ({ branchName }, asking) => {
    const words: readonly string[] =
      String(branchName)
        .toLowerCase()
        .match(/[a-z\d]+-\d+/g) ?? [];
    return asking.linear.world.tables.Issue.find(
      (issue) =>
        issue.team.organization === asking.caller.organization &&
        words.includes(identifierOf(issue).toLowerCase()),
    );
  },
  issuePriorityValues: () =>
    ["No priority", "Urgent", "High", "Medium", "Low"].map((label, priority) => ({
      __typename: "IssuePriorityValue",
      priority,
      label,
    })),
  issueRelation: one("IssueRelation"),
  issueRelations: every("IssueRelation"),
  comment: ({ id, hash }, asking) => {
    if (id === undefined || id === null)
      throw hash === undefined || hash === null
        ? linearError("invalid", "Argument Validation Error - id or hash is needed")
        : notImplemented("Query.comment by hash");
    return lookUp(asking, "Comment", id);
  },
  comments: every("Comment"),
  attachment: one("Attachment"),
  attachments: every("Attachment"),
  attachmentsForURL: ({ url }, asking) =>
    asking.linear.world.tables.Attachment.filter((node) => node.url === url),
  agentSession: one("AgentSession"),
  agentSessions: every("AgentSession"),
  agentActivity: one("AgentActivity"),
  agentActivities: every("AgentActivity"),
  webhook: one("Webhook"),
  webhooks: every("Webhook"),
  integrations: every("Integration"),
  integration: one("Integration"),
  rateLimitStatus: (_, { linear, caller }) => linear.limits.statusOf(caller.token),
};
