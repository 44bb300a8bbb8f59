import { Trouble } from "../../ports.ts";
import type { Dependency, TicketFacts } from "../../ports.ts";
import type { LinearApi, LinearIdentity, LinearIssueRef } from "./api.ts";
import {
  issueLabelsQuery,
  issueQuery,
  type LinearPerson,
  type RawIssue,
  type RawLabel,
  type RawOther,
} from "./documents.ts";
import { isGone } from "./trouble.ts";

interface Named {
  readonly id: string;
  readonly name: string;
}
/** An issue of Linear as a ticket, with what only Linear knows of it. */
export interface LinearFacts extends TicketFacts {
  readonly workspace: string;
  readonly issue: string;
  /** `ENG-42`; two workspaces may have the same, so `ref` puts the workspace before it. */
  readonly identifier: string;
  /** The branch that Linear links to the issue by its name. */
  readonly branchName: string;
  /** 0 none, 1 urgent, 2 high, 3 medium, 4 low. */
  readonly priority: 0 | 1 | 2 | 3 | 4;
  readonly state: Named & { readonly category: string };
  readonly team: Named & { readonly key: string };
  readonly project: Named | undefined;
  readonly cycle:
    | {
        readonly id: string;
        readonly number: number;
        readonly name: string | undefined;
        readonly startsAt: number;
        readonly endsAt: number;
      }
    | undefined;
  readonly parent: { readonly issue: string; readonly ref: string } | undefined;
  readonly creator: LinearPerson | undefined;
  readonly assignee: LinearPerson | undefined;
  readonly delegate: LinearPerson | undefined;
  /** We are the delegate. */
  readonly isOurs: boolean;
  readonly createdAt: number;
}
export interface LinearDependency extends Dependency {
  readonly id: string;
  readonly by: "blocks" | "sub-issue";
}

/** `linear:<workspace id>/<issue uuid>` */
export const linearTicketId = ({ workspace, issue }: LinearIssueRef): string =>
  `linear:${workspace}/${issue}`;

/** The issue a ticket's id names; undefined for a ticket of another tracker. */
export function linearIssueOf(ticket: string): LinearIssueRef | undefined {
  const [, workspace, issue] = /^linear:([\w-]{1,100})\/([\w-]{1,100})$/u.exec(ticket) ?? [];
  return workspace === undefined || issue === undefined ? undefined : { workspace, issue };
}

const isGivenUp = (category: string): boolean => category === "canceled" || category === "duplicate";

/** Archived issues and those in the bin are gone to us. */
export const isHidden = (raw: {
  readonly archivedAt: string | undefined;
  readonly trashed?: boolean | undefined;
}): boolean => raw.archivedAt !== undefined || raw.trashed === true;

export function factsOf(
  raw: RawIssue,
  labels: readonly RawLabel[],
  { workspace, urlKey, id: us }: LinearIdentity,
): LinearFacts {
  const { state, cycle, parent } = raw;
  return {
    id: linearTicketId({ workspace, issue: raw.id }),
    workspace,
    issue: raw.id,
    identifier: raw.identifier,
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
    branchName: raw.branchName,
    priority: priorityOf(raw.priority),
    state: { id: state.id, name: state.name, category: state.type },
    team: raw.team,
    project: raw.project,
    cycle: cycle === undefined ? undefined : { ...cycle, name: cycle.name },
    parent: parent === undefined ? undefined : { issue: parent.id, ref: `${urlKey}/${parent.identifier}` },
    creator: raw.creator,
    assignee: raw.assignee,
    delegate: raw.delegate,
    isOurs: raw.delegate?.id === us,
  };
}

function priorityOf(priority: number): LinearFacts["priority"] {
  return priority === 1 || priority === 2 || priority === 3 || priority === 4 ? priority : 0;
}

export function dependencyOf(
  raw: RawOther,
  by: LinearDependency["by"],
  { workspace, urlKey }: LinearIdentity,
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

/** Undefined in place of an issue, or a comment, that is gone. */
export async function unlessGone<Result>(
  work: () => Promise<Result>,
  what: "Issue" | "Comment" = "Issue",
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isGone(error, what)) return undefined;
    throw error;
  }
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
