import { Trouble } from "../../ports.ts";
import type { Key, LabelChange, Markdown, Tracker, Voice } from "../../ports.ts";
import type { BoardNames } from "../../ports-linear.ts";
import type { LabelWord } from "../github/issues.ts";
import {
  openLinear,
  type LinearApi,
  type LinearIdentity,
  type LinearIssueRef,
  type LinearOptions,
} from "./api.ts";
import { isOurMove, move } from "./board.ts";
import { blockersQuery, changedIssuesQuery, childrenQuery } from "./documents.ts";
import {
  allLabels,
  dependencyOf,
  factsOf,
  pages,
  readIssue,
  unlessGone,
  type LinearDependency,
  type LinearFacts,
} from "./facts.ts";
import { readHistory, type LinearHistory } from "./history.ts";
import { setLabels } from "./labels.ts";
import { attach, openIssue, react, upsertComment, type LinearLink } from "./voice.ts";

type State = Parameters<Tracker["move"]>[2];
interface LinearTeam {
  readonly workspace: string;
  readonly id: string;
  readonly key: string;
}
export interface LinearIssuesOptions extends LinearOptions {
  /** Every label of ours, as that team names them. */
  readonly vocabulary: (team: { readonly workspace: string; readonly id?: string }) => readonly LabelWord[];
  /** What a team calls our states; what is left out has its usual name. */
  readonly boardNames: (team: LinearTeam) => BoardNames;
}
/** Linear's issues: the Tracker port and what the Voice port says on issues, in the same shapes. */
export interface LinearIssues {
  /** As whom we act there. */
  identity(workspace: string): Promise<LinearIdentity>;
  /** Undefined when it was deleted, archived, or never was. */
  ticket(issue: LinearIssueRef): Promise<LinearFacts | undefined>;
  /** Unfinished issues that bear a label of ours or are delegated to us, and all that changed since; newest change last. */
  changedSince(workspace: string, since: number): Promise<readonly LinearFacts[]>;
  /** What blocks it, and its own sub-issues. */
  dependencies(issue: LinearIssueRef): Promise<readonly LinearDependency[]>;
  history(issue: LinearIssueRef): Promise<LinearHistory | undefined>;
  /** Opens an issue of ours in a team, or finds the one of this marker; answers its UUID. */
  openIssue(
    key: Key,
    team: { readonly workspace: string; readonly id: string },
    marker: string,
    issue: { readonly title: string; readonly body: Markdown },
  ): Promise<string>;
  /** Puts the card where its team has this state. */
  move(key: Key, issue: LinearIssueRef, to: State): Promise<void>;
  /** Whether a move that was told of was ours. */
  isOurMove(
    issue: LinearIssueRef,
    moved: { readonly to: string; readonly by: string | undefined },
  ): Promise<boolean>;
  setLabels(key: Key, issue: LinearIssueRef, change: LabelChange): Promise<void>;
  /** One comment for each marker. Returns its id; undefined when the issue is gone. */
  upsertComment(key: Key, on: LinearIssueRef, marker: string, body: Markdown): Promise<string | undefined>;
  react(
    key: Key,
    on: LinearIssueRef,
    comment: string | undefined,
    content: Parameters<Voice["react"]>[3],
  ): Promise<void>;
  /** One link for each URL: a pull request, a check, the cost. */
  attach(key: Key, on: LinearIssueRef, link: LinearLink): Promise<void>;
}

/** The Tracker, and the issue side of the Voice, on Linear: one connection for all workspaces. */
export function linearIssues(options: LinearIssuesOptions): LinearIssues {
  const api = openLinear(options);
  const { vocabulary, boardNames } = options;
  return {
    identity: (workspace) => api.within("say who we are", workspace, () => api.identity(workspace)),
    ticket: (ref) => inside(api, "read an issue", ref, (us) => readTicket(api, ref, us)),
    changedSince: (workspace, since) =>
      api.within("list issues", workspace, async () =>
        readChanged(api, await api.identity(workspace), since, vocabulary({ workspace })),
      ),
    dependencies: (ref) =>
      inside(api, "read what an issue waits for", ref, (us) => readDependencies(api, ref, us)),
    history: (ref) => inside(api, "read the history of an issue", ref, () => readHistory(api, ref)),
    openIssue: (key, team, marker, issue) =>
      inside(api, "open an issue", team, () => openIssue(api, key, team, marker, issue)),
    move: (key, ref, to) => inside(api, "move a card", ref, () => move(api, key, ref, to, boardNames)),
    isOurMove: (ref, moved) => inside(api, "say who we are", ref, () => isOurMove(api, ref, moved)),
    setLabels: (key, ref, change) =>
      inside(api, "set labels", ref, () => setLabels(api, key, ref, change, vocabulary)),
    upsertComment: (key, on, marker, body) =>
      inside(api, "write a comment", on, () => upsertComment({ api, key, on }, marker, body)),
    react: (key, on, comment, content) =>
      inside(api, "react", on, () => react({ api, key, on }, comment, content)),
    attach: (key, on, link) => inside(api, "attach a link", on, () => attach({ api, key, on }, link)),
  };
}

/** Every deed begins by knowing who we are there: that the token is one of this very workspace. */
function inside<Result>(
  api: LinearApi,
  doing: string,
  { workspace }: { readonly workspace: string },
  work: (us: LinearIdentity) => Promise<Result>,
): Promise<Result> {
  return api.within(doing, workspace, async () => work(await api.identity(workspace)));
}

async function readTicket(
  api: LinearApi,
  ref: LinearIssueRef,
  us: LinearIdentity,
): Promise<LinearFacts | undefined> {
  const found = await readIssue(api, ref);
  return found === undefined ? undefined : factsOf(found.raw, found.labels, us);
}

async function readChanged(
  api: LinearApi,
  us: LinearIdentity,
  since: number,
  vocabulary: readonly LabelWord[],
): Promise<readonly LinearFacts[]> {
  if (!Number.isFinite(since)) throw new Trouble("linear-refused", "No such instant.", { permanent: true });
  const open = { state: { type: { nin: ["completed", "canceled", "duplicate"] } } };
  const filter = {
    or: [
      { updatedAt: { gte: new Date(since).toISOString() } },
      { ...open, delegate: { id: { eq: us.id } } },
      ...vocabulary.map(({ name }) => ({ ...open, labels: { some: { name: { eqIgnoreCase: name } } } })),
    ],
  };
  const nodes = await pages(async (after) => {
    const { issues } = await api.ask(us.workspace, changedIssuesQuery, { filter, after }, "scan");
    return issues;
  });
  // An issue that changed while the pages were read came twice: the later reading counts.
  const found = new Map<string, LinearFacts>();
  for (const raw of nodes) {
    found.delete(raw.id);
    found.set(raw.id, factsOf(raw, await allLabels(api, us.workspace, raw, "scan"), us));
  }
  return [...found.values()].toSorted((one, other) => one.updatedAt - other.updatedAt);
}

async function readDependencies(
  api: LinearApi,
  { workspace, issue }: LinearIssueRef,
  us: LinearIdentity,
): Promise<readonly LinearDependency[]> {
  const found = await unlessGone(async () => {
    const relations = await pages(async (after) => {
      const answer = await api.ask(workspace, blockersQuery, { id: issue, after });
      return answer.issue.inverseRelations;
    });
    const children = await pages(async (after) => {
      const answer = await api.ask(workspace, childrenQuery, { id: issue, after });
      return answer.issue.children;
    });
    return [
      ...relations
        .filter(({ type }) => type === "blocks")
        .map((relation) => dependencyOf(relation.issue, "blocks", us)),
      ...children.map((child) => dependencyOf(child, "sub-issue", us)),
    ];
  });
  return found ?? [];
}
