import type { Clock } from "../../ports.ts";

/** Whatever has an identity in Linear. Instants are milliseconds, relations are the objects themselves. */
export interface SimNode {
  readonly __typename: string;
  readonly id: string;
  readonly createdAt: number;
  updatedAt: number;
  archivedAt?: number | undefined;
}
export interface SimOrganization extends SimNode {
  readonly __typename: "Organization";
  name: string;
  urlKey: string;
  /** Guidance for agents, given to each session. */
  guidance: string | undefined;
}
export interface SimUser extends SimNode {
  readonly __typename: "User";
  readonly organization: SimOrganization;
  name: string;
  displayName: string;
  email: string;
  active: boolean;
  admin: boolean;
  readonly app: boolean;
  /** The number of the GitHub account that this person has linked. */
  gitHubUserId: string | undefined;
}
export interface SimTeam extends SimNode {
  readonly __typename: "Team";
  readonly organization: SimOrganization;
  key: string;
  name: string;
  private: boolean;
  cyclesEnabled: boolean;
  issueEstimationType: string;
  guidance: string | undefined;
  readonly members: SimUser[];
  /** Number of the newest issue. */
  lastNumber: number;
}
export type StateCategory =
  | "triage"
  | "backlog"
  | "unstarted"
  | "started"
  | "completed"
  | "canceled"
  | "duplicate";
export interface SimState extends SimNode {
  readonly __typename: "WorkflowState";
  readonly team: SimTeam;
  name: string;
  color: string;
  description: string | undefined;
  readonly type: StateCategory;
  position: number;
}
export interface SimLabel extends SimNode {
  readonly __typename: "IssueLabel";
  readonly organization: SimOrganization;
  readonly team: SimTeam | undefined;
  readonly creator: SimUser | undefined;
  name: string;
  color: string;
  description: string | undefined;
  isGroup: boolean;
  parent: SimLabel | undefined;
}
export interface SimCycle extends SimNode {
  readonly __typename: "Cycle";
  readonly team: SimTeam;
  readonly number: number;
  name: string | undefined;
  startsAt: number;
  endsAt: number;
}
export interface SimProject extends SimNode {
  readonly __typename: "Project";
  readonly organization: SimOrganization;
  name: string;
  description: string;
  readonly teams: SimTeam[];
}
export interface SimIssue extends SimNode {
  readonly __typename: "Issue";
  team: SimTeam;
  number: number;
  readonly previousIdentifiers: string[];
  title: string;
  description: string | undefined;
  state: SimState;
  priority: number;
  estimate: number | undefined;
  dueDate: string | undefined;
  sortOrder: number;
  assignee: SimUser | undefined;
  delegate: SimUser | undefined;
  readonly creator: SimUser | undefined;
  parent: SimIssue | undefined;
  cycle: SimCycle | undefined;
  project: SimProject | undefined;
  labels: readonly SimLabel[];
  subscribers: readonly SimUser[];
  startedAt: number | undefined;
  completedAt: number | undefined;
  canceledAt: number | undefined;
  trashed: boolean | undefined;
}
export interface SimRelation extends SimNode {
  readonly __typename: "IssueRelation";
  readonly issue: SimIssue;
  readonly relatedIssue: SimIssue;
  type: string;
}
export interface SimComment extends SimNode {
  readonly __typename: "Comment";
  readonly issue: SimIssue;
  /** Nobody for what Linear itself writes. */
  readonly user: SimUser | undefined;
  readonly parent: SimComment | undefined;
  body: string;
  editedAt: number | undefined;
  resolvedAt: number | undefined;
  resolvingUser: SimUser | undefined;
  readonly isArtificialAgentSessionRoot: boolean;
}
export interface SimReaction extends SimNode {
  readonly __typename: "Reaction";
  readonly emoji: string;
  readonly user: SimUser | undefined;
  readonly comment: SimComment | undefined;
  readonly issue: SimIssue | undefined;
}
export interface SimAttachment extends SimNode {
  readonly __typename: "Attachment";
  readonly issue: SimIssue;
  readonly creator: SimUser | undefined;
  readonly url: string;
  title: string;
  subtitle: string | undefined;
  metadata: Readonly<Record<string, unknown>>;
  readonly sourceType: string | undefined;
  readonly groupBySource: boolean;
}
export type SessionMood = "pending" | "active" | "awaitingInput" | "complete" | "error" | "stopping";
export interface SimSession extends SimNode {
  readonly __typename: "AgentSession";
  readonly appUser: SimUser;
  readonly creator: SimUser | undefined;
  readonly issue: SimIssue;
  /** The root of its thread. */
  readonly comment: SimComment;
  readonly sourceComment: SimComment | undefined;
  /** What the last activity made of it; `statusOf` knows when that has gone stale. */
  mood: SessionMood;
  lastActivityAt: number;
  plan: unknown;
  externalLinks: readonly { readonly label: string; readonly url: string }[];
  summary: string | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  dismissedAt: number | undefined;
  dismissedBy: SimUser | undefined;
}
export interface SimActivity extends SimNode {
  readonly __typename: "AgentActivity";
  readonly agentSession: SimSession;
  readonly user: SimUser;
  readonly content: { readonly __typename: string; readonly type: string } & Readonly<
    Record<string, unknown>
  >;
  readonly ephemeral: boolean;
  readonly signal: string | undefined;
  readonly signalMetadata: unknown;
  readonly sourceComment: SimComment | undefined;
}
export interface SimWebhook extends SimNode {
  readonly __typename: "Webhook";
  readonly organization: SimOrganization;
  readonly team: SimTeam | undefined;
  readonly creator: SimUser | undefined;
  url: string;
  secret: string;
  label: string | undefined;
  enabled: boolean;
  resourceTypes: readonly string[];
}
export interface SimHistory extends SimNode {
  readonly __typename: "IssueHistory";
  readonly issue: SimIssue;
  readonly actor: SimUser | undefined;
  readonly botActor: Readonly<Record<string, string>> | undefined;
  readonly [change: string]: unknown;
}
export interface SimIntegration extends SimNode {
  readonly __typename: "Integration";
  readonly organization: SimOrganization;
  readonly creator: SimUser;
  readonly service: string;
}
export interface SimGitAutomation extends SimNode {
  readonly __typename: "GitAutomationState";
  readonly team: SimTeam;
  readonly event: string;
  /** Where such a pull request moves the card; nowhere when left out. */
  state: SimState | undefined;
}

/** All there is, by type, in the order of its making. */
export interface Tables {
  readonly Organization: SimOrganization[];
  readonly User: SimUser[];
  readonly Team: SimTeam[];
  readonly WorkflowState: SimState[];
  readonly IssueLabel: SimLabel[];
  readonly Cycle: SimCycle[];
  readonly Project: SimProject[];
  readonly Issue: SimIssue[];
  readonly IssueRelation: SimRelation[];
  readonly Comment: SimComment[];
  readonly Reaction: SimReaction[];
  readonly Attachment: SimAttachment[];
  readonly AgentSession: SimSession[];
  readonly AgentActivity: SimActivity[];
  readonly Webhook: SimWebhook[];
  readonly IssueHistory: SimHistory[];
  readonly Integration: SimIntegration[];
  readonly GitAutomationState: SimGitAutomation[];
}
export type Kind = keyof Tables;
export interface World {
  readonly tables: Tables;
  readonly clock: Clock;
  /** Counts every change, as Linear's `lastSyncId` does. */
  syncId: number;
  lastId: number;
}

export function emptyWorld(clock: Clock): World {
  return {
    tables: {
      Organization: [],
      User: [],
      Team: [],
      WorkflowState: [],
      IssueLabel: [],
      Cycle: [],
      Project: [],
      Issue: [],
      IssueRelation: [],
      Comment: [],
      Reaction: [],
      Attachment: [],
      AgentSession: [],
      AgentActivity: [],
      Webhook: [],
      IssueHistory: [],
      Integration: [],
      GitAutomationState: [],
    },
    clock,
    syncId: 0,
    lastId: 0,
  };
}

/** A fresh identifier: a UUID of version 4 in form, the next number in substance, so that a play repeats itself. */
export function newId(world: World): string {
  world.lastId += 1;
  return `5eed0000-0000-4000-8000-${world.lastId.toString(16).padStart(12, "0")}`;
}

/** The four fields every node begins with. */
export function born<K extends Kind>(
  world: World,
  kind: K,
  id: string | undefined,
): { __typename: K; id: string; createdAt: number; updatedAt: number } {
  const now = world.clock.now();
  return { __typename: kind, id: id ?? newId(world), createdAt: now, updatedAt: now };
}

export function touch(world: World, node: SimNode): void {
  world.syncId += 1;
  node.updatedAt = world.clock.now();
}

export function drop<K extends Kind>(world: World, kind: K, node: Tables[K][number]): void {
  const rows: SimNode[] = world.tables[kind];
  const at = rows.indexOf(node);
  if (at !== -1) rows.splice(at, 1);
  world.syncId += 1;
}

export const identifierOf = (issue: SimIssue): string => `${issue.team.key}-${issue.number}`;

export const isIdentifier = (issue: SimIssue, text: string): boolean =>
  identifierOf(issue).toLowerCase() === text.toLowerCase() ||
  issue.previousIdentifiers.some((one) => one.toLowerCase() === text.toLowerCase());

/** The workspace a node belongs to; nothing crosses that border. */
export function organizationOf(node: SimNode): SimOrganization | undefined {
  const known = node as { organization?: SimOrganization };
  if (node.__typename === "Organization") return node as SimOrganization;
  return known.organization ?? teamOf(node)?.organization;
}

/** The team whose members may see a node; nobody's for what a whole workspace shares. */
export function teamOf(node: SimNode): SimTeam | undefined {
  if (node.__typename === "Team") return node as SimTeam;
  const { team, issue, comment, agentSession } = node as {
    team?: SimTeam;
    issue?: SimIssue;
    comment?: SimComment;
    agentSession?: SimSession;
  };
  return team ?? issue?.team ?? comment?.issue.team ?? agentSession?.issue.team;
}
