import { Trouble } from "../../ports.ts";
import type { LinearDependency, LinearFacts, LinearIssues, LinearSelf } from "../../ports-linear-issues.ts";
import type { LinearIssueRef } from "../../state-machine/ticket-id.ts";
import type { LabelWord } from "../github/issues.ts";
import { openLinear, type LinearApi, type LinearOptions } from "./api.ts";
import { isAt, isOurMove, move, type NamesOf } from "./board.ts";
import {
  blockersQuery,
  changedIssuesQuery,
  childrenQuery,
  labelsByIdQuery,
  manyPerPage,
  personQuery,
} from "./documents.ts";
import { allLabels, dependencyOf, factsOf, pages, readIssue } from "./facts.ts";
import { unlessGone } from "./gone.ts";
import { readHistory } from "./history.ts";
import { setLabels } from "./labels.ts";
import { appendToSpec, attach, openIssue, react, upsertComment } from "./voice.ts";

export interface LinearIssuesOptions extends LinearOptions {
  /** Every label of ours, under its usual name. */
  readonly vocabulary: readonly LabelWord[];
  /** What a team calls our states; what is left out has its usual name. */
  readonly boardNames: NamesOf;
}
/** The Tracker, and the issue side of the Voice, on Linear: one connection for all workspaces. */
export function linearIssues(options: LinearIssuesOptions): LinearIssues {
  const api = openLinear(options);
  const { vocabulary, boardNames } = options;
  return {
    identity: (workspace) => api.within("say who we are", workspace, () => api.identity(workspace)),
    ticket: (ref) => inside(api, "read an issue", ref, (us) => readTicket(api, ref, us, boardNames)),
    person: (workspace, id) =>
      inside(api, "read who somebody is", { workspace }, () =>
        unlessGone(async () => (await api.ask(workspace, personQuery, { id })).user, "User"),
      ),
    labelNames: (workspace, ids) =>
      inside(api, "read the names of labels", { workspace }, async () => {
        if (ids.length === 0) return new Map<string, string>();
        const { issueLabels } = await api.ask(workspace, labelsByIdQuery, { ids: ids.slice(0, manyPerPage) });
        return new Map(issueLabels.nodes.map(({ id, name }) => [id, name]));
      }),
    changedSince: (workspace, since) =>
      api.within("list issues", workspace, async () =>
        readChanged(api, await api.identity(workspace), since, { vocabulary, boardNames }),
      ),
    dependencies: (ref) =>
      inside(api, "read what an issue waits for", ref, (us) => readDependencies(api, ref, us)),
    history: (ref) => inside(api, "read the history of an issue", ref, () => readHistory(api, ref)),
    openIssue: (key, team, marker, issue) =>
      inside(api, "open an issue", team, () => openIssue(api, key, team, marker, issue)),
    move: (key, ref, to) => inside(api, "move a card", ref, () => move(api, key, ref, to, boardNames)),
    isAt: (ref, state) => inside(api, "read a board", ref, () => isAt(api, ref, state, boardNames)),
    isOurMove: (ref, moved) => inside(api, "say who we are", ref, () => isOurMove(api, ref, moved)),
    setLabels: (key, ref, change, nameOf = (label) => label) =>
      inside(api, "set labels", ref, () => {
        const words = vocabulary.map((word) => ({ ...word, name: nameOf(word.label) }));
        return setLabels(api, key, ref, change, words);
      }),
    upsertComment: (key, on, marker, body, parent) =>
      inside(api, "write a comment", on, () => upsertComment({ api, key, on }, marker, body, parent)),
    react: (key, on, comment, content) =>
      inside(api, "react", on, () => react({ api, key, on }, comment, content)),
    attach: (key, on, link) => inside(api, "attach a link", on, () => attach({ api, key, on }, link)),
    appendToSpec: (key, on, marker, text) =>
      inside(api, "append to an issue", on, () => appendToSpec({ api, key, on }, marker, text)),
  };
}

/** Every deed begins by knowing who we are there: that the token is one of this very workspace. */
function inside<Result>(
  api: LinearApi,
  doing: string,
  { workspace }: { readonly workspace: string },
  work: (us: LinearSelf) => Promise<Result>,
): Promise<Result> {
  return api.within(doing, workspace, async () => work(await api.identity(workspace)));
}

async function readTicket(
  api: LinearApi,
  ref: LinearIssueRef,
  us: LinearSelf,
  namesOf: NamesOf,
): Promise<LinearFacts | undefined> {
  const found = await readIssue(api, ref);
  if (found === undefined) return undefined;
  const { id, key } = found.raw.team;
  return factsOf(found.raw, found.labels, us, {
    names: namesOf({ id, key, workspace: ref.workspace }),
    now: api.now(),
  });
}

async function readChanged(
  api: LinearApi,
  us: LinearSelf,
  since: number,
  { vocabulary, boardNames }: Pick<LinearIssuesOptions, "vocabulary" | "boardNames">,
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
    const { id, key } = raw.team;
    const names = boardNames({ id, key, workspace: us.workspace });
    found.set(
      raw.id,
      factsOf(raw, await allLabels(api, us.workspace, raw, "scan"), us, { names, now: api.now() }),
    );
  }
  return [...found.values()].toSorted((one, other) => one.updatedAt - other.updatedAt);
}

async function readDependencies(
  api: LinearApi,
  { workspace, issue }: LinearIssueRef,
  us: LinearSelf,
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
