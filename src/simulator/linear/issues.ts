import { userOf, type Actor, type Linear } from "./context.ts";
import { linearError } from "./errors.ts";
import { iso } from "./payloads.ts";
import { openSession } from "./sessions.ts";
import { tell } from "./telling.ts";
import {
  born,
  drop,
  identifierOf,
  touch,
  type SimHistory,
  type SimIssue,
  type SimLabel,
  type SimState,
  type SimTeam,
} from "./world.ts";

/** What may be said of a new issue, or of an old one anew; a key that is present and undefined empties it. */
export interface IssueChange {
  readonly title?: string;
  readonly description?: string | undefined;
  readonly state?: SimState;
  readonly priority?: number;
  readonly estimate?: number | undefined;
  readonly dueDate?: string | undefined;
  readonly sortOrder?: number;
  readonly assignee?: SimIssue["assignee"];
  readonly delegate?: SimIssue["delegate"];
  readonly parent?: SimIssue["parent"];
  readonly cycle?: SimIssue["cycle"];
  readonly project?: SimIssue["project"];
  readonly labels?: readonly SimLabel[];
  readonly subscribers?: SimIssue["subscribers"];
  readonly team?: SimTeam;
}

/** The first state of a category: the lowest on the board. */
export const firstOf = (
  linear: Linear,
  team: SimTeam,
  ...types: readonly SimState["type"][]
): SimState | undefined =>
  linear.world.tables.WorkflowState.filter(
    (state) => state.team === team && types.includes(state.type) && state.archivedAt === undefined,
  ).toSorted(
    (one, other) => types.indexOf(one.type) - types.indexOf(other.type) || one.position - other.position,
  )[0];

export function createIssue(
  linear: Linear,
  spec: IssueChange & { readonly id?: string | undefined; readonly team: SimTeam; readonly title: string },
  actor: Actor,
): SimIssue {
  const { world } = linear;
  const { team } = spec;
  const state = spec.state ?? firstOf(linear, team, "backlog", "unstarted", "triage");
  if (state === undefined) throw linearError("invalid", `Team ${team.key} has no state for new issues`);
  const number = team.lastNumber + 1;
  const issue: SimIssue = {
    ...born(world, "Issue", spec.id),
    team,
    number,
    previousIdentifiers: [],
    title: spec.title,
    description: spec.description,
    state,
    priority: spec.priority ?? 0,
    estimate: spec.estimate,
    dueDate: spec.dueDate,
    sortOrder: spec.sortOrder ?? -number,
    assignee: spec.assignee,
    delegate: undefined,
    creator: userOf(actor),
    parent: spec.parent,
    cycle: spec.cycle,
    project: spec.project,
    labels: spec.labels ?? [],
    subscribers: spec.subscribers ?? [],
    startedAt: undefined,
    completedAt: undefined,
    canceledAt: undefined,
    trashed: undefined,
  };
  assertFits(issue, spec);
  markTimes(issue, world.clock.now());
  const { delegate, assignee } = delegated(spec);
  issue.assignee = assignee;
  issue.delegate = delegate;
  team.lastNumber = number;
  world.tables.Issue.push(issue);
  world.syncId += 1;
  tell(linear, "create", issue, actor);
  if (delegate !== undefined) awaken(linear, issue, actor);
  return issue;
}

/** Keys of a change, as payloads name them, with what they held. */
const named = {
  title: (issue: SimIssue) => ["title", issue.title],
  description: (issue: SimIssue) => ["description", issue.description ?? null],
  state: (issue: SimIssue) => ["stateId", issue.state.id],
  priority: (issue: SimIssue) => ["priority", issue.priority],
  estimate: (issue: SimIssue) => ["estimate", issue.estimate ?? null],
  dueDate: (issue: SimIssue) => ["dueDate", issue.dueDate ?? null],
  sortOrder: (issue: SimIssue) => ["sortOrder", issue.sortOrder],
  assignee: (issue: SimIssue) => ["assigneeId", issue.assignee?.id ?? null],
  delegate: (issue: SimIssue) => ["delegateId", issue.delegate?.id ?? null],
  parent: (issue: SimIssue) => ["parentId", issue.parent?.id ?? null],
  cycle: (issue: SimIssue) => ["cycleId", issue.cycle?.id ?? null],
  project: (issue: SimIssue) => ["projectId", issue.project?.id ?? null],
  labels: (issue: SimIssue) => ["labelIds", issue.labels.map(({ id }) => id)],
  subscribers: (issue: SimIssue) => ["subscriberIds", issue.subscribers.map(({ id }) => id)],
  team: (issue: SimIssue) => ["teamId", issue.team.id],
} as const satisfies Record<keyof IssueChange, (issue: SimIssue) => readonly [string, unknown]>;

/** Changes an issue; what is already so changes nothing and is told to nobody. */
export function changeIssue(linear: Linear, issue: SimIssue, wanted: IssueChange, actor: Actor): SimIssue {
  const change = "assignee" in wanted ? { ...wanted, ...delegated(wanted, issue) } : { ...wanted };
  const keys = (Object.keys(change) as (keyof IssueChange)[]).filter(
    (key) => key in named && !same(issue[key], change[key]),
  );
  if (keys.length === 0) return issue;
  const team = change.team ?? issue.team;
  const state =
    change.state ??
    (team === issue.team ? issue.state : firstOf(linear, team, issue.state.type, "backlog", "unstarted"));
  if (state === undefined) throw linearError("invalid", `Team ${team.key} has no state for this issue`);
  assertFits({ ...issue, team, state, labels: change.labels ?? issue.labels }, change);

  const { world } = linear;
  const before = { ...issue };
  const updatedFrom: Record<string, unknown> = { updatedAt: iso(issue.updatedAt) };
  for (const [name, value] of keys.map((key) => named[key](issue))) updatedFrom[name] = value;
  if (team !== issue.team) {
    issue.previousIdentifiers.push(identifierOf(issue));
    updatedFrom["number"] = issue.number;
    updatedFrom["stateId"] = issue.state.id;
    team.lastNumber += 1;
    issue.number = team.lastNumber;
  }
  const { team: _, ...rest } = change;
  Object.assign(issue, rest, { team, state });
  if (before.state !== state) {
    markTimes(issue, world.clock.now());
    for (const key of ["startedAt", "completedAt", "canceledAt"] as const)
      if (issue[key] !== before[key]) updatedFrom[key] = iso(before[key]);
  }
  touch(world, issue);
  record(linear, issue, before, keys, actor);
  tell(linear, "update", issue, actor, updatedFrom);
  if (issue.delegate !== before.delegate) awaken(linear, issue, actor);
  return issue;
}

/** Hides an issue, or shows it again. */
export function archiveIssue(
  linear: Linear,
  issue: SimIssue,
  to: "archived" | "trashed" | "active",
  actor: Actor,
): void {
  const updatedFrom = {
    archivedAt: iso(issue.archivedAt),
    trashed: issue.trashed ?? null,
    updatedAt: iso(issue.updatedAt),
  };
  issue.archivedAt = to === "active" ? undefined : linear.world.clock.now();
  issue.trashed = to === "trashed" ? true : undefined;
  touch(linear.world, issue);
  if (to === "trashed") tell(linear, "remove", issue, actor);
  else tell(linear, "update", issue, actor, updatedFrom);
}

/** Removes an issue and what hangs on it, for good. */
export function destroyIssue(linear: Linear, issue: SimIssue, actor: Actor): void {
  const { world } = linear;
  const { tables } = world;
  drop(world, "Issue", issue);
  for (const comment of tables.Comment.filter((one) => one.issue === issue)) drop(world, "Comment", comment);
  for (const one of tables.Attachment.filter((other) => other.issue === issue))
    drop(world, "Attachment", one);
  for (const one of tables.IssueRelation.filter(
    (other) => other.issue === issue || other.relatedIssue === issue,
  ))
    drop(world, "IssueRelation", one);
  for (const session of tables.AgentSession.filter((one) => one.issue === issue)) {
    drop(world, "AgentSession", session);
    for (const one of tables.AgentActivity.filter((other) => other.agentSession === session))
      drop(world, "AgentActivity", one);
  }
  for (const child of tables.Issue.filter((one) => one.parent === issue)) child.parent = undefined;
  tell(linear, "remove", issue, actor);
}

/** An app assigned to an issue is its delegate; whoever was responsible stays so. */
function delegated(change: IssueChange, issue?: SimIssue): Pick<SimIssue, "assignee" | "delegate"> {
  const delegate = "delegate" in change ? change.delegate : issue?.delegate;
  return change.assignee?.app === true
    ? { assignee: issue?.assignee, delegate: change.assignee }
    : { assignee: change.assignee, delegate };
}

/** Somebody handed the issue to an app: a session begins. An app that takes an issue itself needs none. */
function awaken(linear: Linear, issue: SimIssue, actor: Actor): void {
  const { delegate } = issue;
  if (delegate !== undefined && userOf(actor) !== delegate)
    openSession(linear, { appUser: delegate, issue, creator: userOf(actor) });
}

function assertFits(issue: SimIssue, change: IssueChange): void {
  if (issue.state.team !== issue.team)
    throw linearError("invalid", `The state ${issue.state.name} belongs to another team than the issue`);
  if (issue.state.archivedAt !== undefined)
    throw linearError("invalid", "Discrepancy between issue state and state team: the state is archived");
  if (![0, 1, 2, 3, 4].includes(change.priority ?? 0))
    throw linearError("invalid", "Argument Validation Error - priority goes from 0 to 4");
  for (let up = change.parent; up !== undefined; up = up.parent)
    if (up.id === issue.id) throw linearError("invalid", "An issue cannot be its own parent");
  for (const label of change.labels ?? []) {
    if (label.isGroup)
      throw linearError("invalid", `The label ${label.name} is a group and cannot be applied to issues`);
    if (label.team !== undefined && label.team !== issue.team)
      throw linearError("invalid", `The label ${label.name} is of another team than the issue`);
  }
  const groups = (change.labels ?? []).flatMap(({ parent }) => (parent === undefined ? [] : [parent]));
  const twice = groups.find((group, at) => groups.indexOf(group) !== at);
  if (twice !== undefined)
    throw linearError(
      "invalid",
      `labelIds not exclusive child labels: more than one of the group ${twice.name}`,
    );
}

function markTimes(issue: SimIssue, now: number): void {
  const { type } = issue.state;
  if (type === "started") issue.startedAt ??= now;
  if (type === "backlog" || type === "unstarted" || type === "triage") issue.startedAt = undefined;
  issue.completedAt = type === "completed" ? (issue.completedAt ?? now) : undefined;
  issue.canceledAt = type === "canceled" || type === "duplicate" ? (issue.canceledAt ?? now) : undefined;
}

function record(
  linear: Linear,
  issue: SimIssue,
  before: SimIssue,
  keys: readonly (keyof IssueChange)[],
  actor: Actor,
): void {
  const changes: Record<string, unknown> = {};
  for (const key of keys) {
    if (key === "labels") {
      changes["addedLabels"] = issue.labels.filter((label) => !before.labels.includes(label));
      changes["removedLabels"] = before.labels.filter((label) => !issue.labels.includes(label));
    } else if (key === "description") changes["updatedDescription"] = true;
    else if (key !== "subscribers" && key !== "sortOrder") {
      const name = key[0]?.toUpperCase() + key.slice(1);
      changes[`from${name}`] = before[key];
      changes[`to${name}`] = issue[key];
    }
  }
  const row: SimHistory = {
    ...born(linear.world, "IssueHistory", undefined),
    issue,
    actor: userOf(actor),
    botActor:
      actor.is === "integration" ? { id: actor.id, type: actor.service, name: actor.service } : undefined,
    ...changes,
  };
  linear.world.tables.IssueHistory.push(row);
}

const same = (one: unknown, other: unknown): boolean =>
  Array.isArray(one) && Array.isArray(other)
    ? one.length === other.length && one.every((each) => other.includes(each))
    : one === other;
