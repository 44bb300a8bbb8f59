import { userOf, type Actor, type Linear } from "./context.ts";
import { linearError } from "./errors.ts";
import { iso } from "./payloads.ts";
import { tell } from "./telling.ts";
import {
  born,
  drop,
  touch,
  type SimAttachment,
  type SimIssue,
  type SimLabel,
  type SimState,
  type SimTeam,
  type StateCategory,
} from "./world.ts";

const categories: readonly string[] = ["backlog", "unstarted", "started", "completed", "canceled"];

/** Adds a state to a team's board. Of these Linear tells nobody. */
export function addState(
  linear: Linear,
  spec: {
    readonly id?: string | undefined;
    readonly team: SimTeam;
    readonly name: string;
    readonly type: StateCategory;
    readonly color?: string | undefined;
    readonly description?: string | undefined;
    readonly position?: number | undefined;
  },
): SimState {
  const { tables } = linear.world;
  const { team, name, type } = spec;
  const others = tables.WorkflowState.filter((one) => one.team === team && one.archivedAt === undefined);
  if (!categories.includes(type) && type !== "triage" && type !== "duplicate")
    throw linearError("invalid", `type must be one of ${categories.join(", ")}`);
  assertNewName(others, name);
  const state: SimState = {
    ...born(linear.world, "WorkflowState", spec.id),
    team,
    name,
    type,
    color: spec.color ?? "#bec2c8",
    description: spec.description,
    position: spec.position ?? Math.max(-1, ...others.map(({ position }) => position)) + 1,
  };
  tables.WorkflowState.push(state);
  linear.world.syncId += 1;
  return state;
}

export function changeState(
  linear: Linear,
  state: SimState,
  change: {
    readonly name?: unknown;
    readonly color?: unknown;
    readonly description?: unknown;
    readonly position?: unknown;
  },
): void {
  const { tables } = linear.world;
  if (typeof change.name === "string")
    assertNewName(
      tables.WorkflowState.filter(
        (one) => one.team === state.team && one !== state && one.archivedAt === undefined,
      ),
      change.name,
    );
  if (typeof change.name === "string") state.name = change.name;
  if (typeof change.color === "string") state.color = change.color;
  if (typeof change.position === "number") state.position = change.position;
  if ("description" in change)
    state.description = typeof change.description === "string" ? change.description : undefined;
  touch(linear.world, state);
}

/** Archives a state; one that still holds issues, or is the last of its category, stays. */
export function removeState(linear: Linear, state: SimState): void {
  const { Issue, WorkflowState } = linear.world.tables;
  if (Issue.some((issue) => issue.state === state && issue.archivedAt === undefined))
    throw linearError("invalid", `The state ${state.name} still has issues`);
  const left = WorkflowState.some(
    (one) =>
      one.team === state.team && one.type === state.type && one !== state && one.archivedAt === undefined,
  );
  if (!left) throw linearError("invalid", `The state ${state.name} is the last of its category`);
  state.archivedAt = linear.world.clock.now();
  touch(linear.world, state);
}

export function addLabel(
  linear: Linear,
  spec: Pick<SimLabel, "name" | "organization"> & {
    readonly id?: string | undefined;
    readonly team?: SimTeam | undefined;
    readonly color?: string | undefined;
    readonly description?: string | undefined;
    readonly isGroup?: boolean;
    readonly parent?: SimLabel | undefined;
  },
  actor: Actor,
): SimLabel {
  const { tables } = linear.world;
  assertNewName(
    tables.IssueLabel.filter((one) => one.organization === spec.organization && one.team === spec.team),
    spec.name,
  );
  if (spec.parent !== undefined && !spec.parent.isGroup)
    throw linearError("invalid", `The label ${spec.parent.name} is no group`);
  const label: SimLabel = {
    ...born(linear.world, "IssueLabel", spec.id),
    organization: spec.organization,
    team: spec.team,
    creator: userOf(actor),
    name: spec.name,
    color: spec.color ?? "#bec2c8",
    description: spec.description,
    isGroup: spec.isGroup ?? false,
    parent: spec.parent,
  };
  tables.IssueLabel.push(label);
  linear.world.syncId += 1;
  tell(linear, "create", label, actor);
  return label;
}

export function changeLabel(
  linear: Linear,
  label: SimLabel,
  change: Readonly<Record<string, unknown>>,
  actor: Actor,
): void {
  const before = {
    name: label.name,
    color: label.color,
    description: label.description ?? null,
    parentId: label.parent?.id ?? null,
  };
  const updatedFrom = { ...before, updatedAt: iso(label.updatedAt) };
  Object.assign(
    label,
    Object.fromEntries(Object.entries(change).map(([key, value]) => [key, value ?? undefined])),
  );
  touch(linear.world, label);
  tell(linear, "update", label, actor, updatedFrom);
}

/** Removes a label from the workspace and from every issue; of the issues Linear tells nobody. */
export function removeLabel(linear: Linear, label: SimLabel, actor: Actor): void {
  for (const issue of linear.world.tables.Issue)
    if (issue.labels.includes(label)) issue.labels = issue.labels.filter((one) => one !== label);
  drop(linear.world, "IssueLabel", label);
  tell(linear, "remove", label, actor);
}

/** Attaches a link to an issue. The same URL again renews what is there. */
export function attach(
  linear: Linear,
  spec: Pick<SimAttachment, "url" | "title" | "subtitle" | "metadata" | "sourceType" | "groupBySource"> & {
    readonly id: string | undefined;
    readonly issue: SimIssue;
  },
  actor: Actor,
): SimAttachment {
  if (!URL.canParse(spec.url)) throw linearError("invalid", `${spec.url} is no URL`);
  const { tables } = linear.world;
  const old = tables.Attachment.find((one) => one.issue === spec.issue && one.url === spec.url);
  if (old !== undefined) {
    const { title, subtitle, metadata } = old;
    const updatedFrom = { title, subtitle: subtitle ?? null, metadata, updatedAt: iso(old.updatedAt) };
    Object.assign(old, { title: spec.title, subtitle: spec.subtitle, metadata: spec.metadata });
    touch(linear.world, old);
    tell(linear, "update", old, actor, updatedFrom);
    return old;
  }
  const { id, ...rest } = spec;
  const attachment: SimAttachment = {
    ...born(linear.world, "Attachment", id),
    ...rest,
    creator: userOf(actor),
  };
  tables.Attachment.push(attachment);
  linear.world.syncId += 1;
  tell(linear, "create", attachment, actor);
  return attachment;
}

export function removeAttachment(linear: Linear, attachment: SimAttachment, actor: Actor): void {
  drop(linear.world, "Attachment", attachment);
  tell(linear, "remove", attachment, actor);
}

function assertNewName(others: readonly { readonly name: string }[], name: string): void {
  if (name.trim() === "") throw linearError("invalid", "name should not be empty");
  if (others.some((one) => one.name.toLowerCase() === name.toLowerCase()))
    throw linearError("invalid", `duplicate name ${name}`, `The name ${name} is already taken`);
}
