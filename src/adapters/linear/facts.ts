import { Trouble } from "../../ports.ts";
import type { BoardNames } from "../../ports-linear.ts";
import type { LinearDependency, LinearFacts, LinearSelf } from "../../ports-linear-issues.ts";
import { linearTicketId, type LinearIssueRef } from "../../state-machine/ticket-id.ts";
import type { LinearApi } from "./api.ts";
import { meaningOf } from "./board.ts";
import { issueLabelsQuery, issueQuery, type RawIssue, type RawLabel, type RawOther } from "./documents.ts";
import { isHidden, unlessGone } from "./gone.ts";

const isGivenUp = (category: string): boolean => category === "canceled" || category === "duplicate";

export function factsOf(
  raw: RawIssue,
  labels: readonly RawLabel[],
  { workspace, urlKey, id: us }: LinearSelf,
  { names, now }: { readonly names: BoardNames; readonly now: number },
): LinearFacts {
  const { state, cycle, parent } = raw;
  return {
    id: linearTicketId({ workspace, issue: raw.id }),
    workspace,
    issue: raw.id,
    identifier: raw.identifier,
    number: Number(/\d+$/u.exec(raw.identifier)?.[0] ?? 0),
    ref: `${urlKey}/${raw.identifier}`,
    title: raw.title,
    body: raw.description ?? "",
    open: state.type !== "completed" && !isGivenUp(state.type),
    declined: isGivenUp(state.type),
    labels: labels.map(({ name }) => name),
    author: raw.creator?.displayName ?? "ghost",
    url: raw.url,
    updatedAt: raw.updatedAt,
    createdAt: raw.createdAt,
    branch: raw.branchName,
    priority: priorityOf(raw.priority),
    state: { id: state.id, name: state.name, category: state.type },
    means: meaningOf({ name: state.name, category: state.type }, names),
    team: raw.team,
    project: raw.project,
    cycle:
      cycle === undefined ? undefined : cycle.startsAt <= now && now < cycle.endsAt ? "current" : "other",
    parent: parent === undefined ? undefined : { issue: parent.id, ref: `${urlKey}/${parent.identifier}` },
    creator: raw.creator,
    assignee: raw.assignee,
    delegate: raw.delegate,
    isOurs: raw.delegate?.id === us,
  };
}

function priorityOf(priority: number): LinearFacts["priority"] {
  return priority === 1 || priority === 2 || priority === 3 || priority === 4 ? priority : undefined;
}

export function dependencyOf(
  raw: RawOther,
  by: LinearDependency["by"],
  { workspace, urlKey }: LinearSelf,
): LinearDependency {
  const is =
    raw.state.type === "completed"
      ? "completed"
      : // What was archived or thrown away unfinished will never be done.
        isGivenUp(raw.state.type) || isHidden(raw)
        ? "declined"
        : "open";
  return { ref: `${urlKey}/${raw.identifier}`, id: linearTicketId({ workspace, issue: raw.id }), is, by };
}

/** Undefined for what was deleted, archived or never was. */
export async function readIssue(
  api: LinearApi,
  { workspace, issue }: LinearIssueRef,
): Promise<{ readonly raw: RawIssue; readonly labels: readonly RawLabel[] } | undefined> {
  const raw = await unlessGone(async () => (await api.ask(workspace, issueQuery, { id: issue })).issue);
  // Linear finds issues by their identifiers too; a ticket is named by its UUID.
  if (raw === undefined || raw.id !== issue || isHidden(raw)) return undefined;
  return { raw, labels: await allLabels(api, workspace, raw) };
}

/** An issue comes with its first labels; the few that have more are asked for all. */
export async function allLabels(
  api: LinearApi,
  workspace: string,
  raw: RawIssue,
  kind: "scan" | "work" = "work",
): Promise<readonly RawLabel[]> {
  if (raw.labels.nodes.length >= raw.labelIds.length) return raw.labels.nodes;
  return await pages(async (after) => {
    const { issue } = await api.ask(workspace, issueLabelsQuery, { id: raw.id, after }, kind);
    return issue.labels;
  });
}

/** All nodes of a connection, page after page; half of them would pass for all. */
export async function pages<Node>(
  read: (after: string | undefined) => Promise<{
    readonly nodes: readonly Node[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | undefined };
  }>,
): Promise<readonly Node[]> {
  const found: Node[] = [];
  const met = new Set<string>();
  let after: string | undefined;
  for (;;) {
    const { nodes, pageInfo } = await read(after);
    found.push(...nodes);
    if (!pageInfo.hasNextPage) return found;
    after = pageInfo.endCursor;
    // A cursor met before would go round for ever.
    if (after === undefined || met.has(after))
      throw new Trouble("linear-odd", "Linear says a list goes on, and not from where.");
    met.add(after);
  }
}
