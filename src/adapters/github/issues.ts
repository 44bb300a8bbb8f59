import type { Octokit, RestEndpointMethodTypes } from "@octokit/rest";
import { z } from "zod";
import {
  Trouble,
  type Dependency,
  type IssueHistory,
  type IssueRef,
  type Key,
  type LabelChange,
  type LabelEvent,
  type Repo,
  type TicketFacts,
  type Tracker,
} from "../../ports.ts";
import { githubTicketId } from "../../state-machine/ticket-id.ts";
import type { GitHub, Writing } from "./app.ts";
import { bears, capped, markerLine } from "./text.ts";
import { answeredAt, graphqlTypes, saidBy, statusOf, unless } from "./trouble.ts";

/** A label of ours, as a repository calls it and as it is created where it is missing. */
export interface LabelWord {
  /** Our name for it. */
  readonly label: string;
  /** The repository's name for it: the same, unless its configuration says otherwise. */
  readonly name: string;
  /** Six hex digits, no `#`. */
  readonly color: string;
  readonly description: string;
}
type State = Parameters<Tracker["move"]>[2];
type RawIssue = RestEndpointMethodTypes["issues"]["get"]["response"]["data"];

/** The Tracker on GitHub issues. The vocabulary is every label of ours, as that repository names them. */
export function githubTracker(github: GitHub, vocabulary: (repo: Repo) => readonly LabelWord[]): Tracker {
  const known = new Set<string>();
  return {
    ticket: (issue) =>
      github.within("read an issue", issue.repo, async (octokit) => {
        const raw = await readIssue(octokit, issue);
        return raw === undefined ? undefined : factsOf(raw, issue.repo);
      }),
    changedSince: (repo, since) =>
      github.within("read an issue", repo, (octokit) => readChanged(octokit, repo, since, vocabulary(repo))),
    dependencies: (issue) =>
      github.within("read an issue", issue.repo, (octokit) => readDependencies(octokit, issue)),
    history: (issue) =>
      github.within("read an issue", issue.repo, async (octokit) => {
        const raw = await readIssue(octokit, issue);
        return raw === undefined ? undefined : await readHistory(octokit, issue, raw);
      }),
    openIssue: (key, repo, marker, issue) =>
      github.within("open an issue", repo, (octokit) => openIssue(github, octokit, key, repo, marker, issue)),
    move: (key, issue, to) =>
      github.within("close or open an issue", issue.repo, (octokit) => move(github, octokit, key, issue, to)),
    setLabels: (key, issue, change) =>
      github.within("set labels", issue.repo, async (octokit) => {
        const raw = await readIssue(octokit, issue);
        if (raw === undefined) return;
        await setLabels(
          { github, octokit, key, issue, vocabulary: vocabulary(issue.repo), known },
          labelsOf(raw),
          change,
        );
      }),
  };
}

/** Found by what is remembered, then among the newest of ours by its marker, else written. */
export async function openIssue(
  github: GitHub,
  octokit: Octokit,
  key: Key,
  repo: Repo,
  marker: string,
  { title, body }: Parameters<Tracker["openIssue"]>[3],
): Promise<number> {
  const place = { owner: repo.owner, repo: repo.name };
  const line = markerLine(marker);
  let number = await findOwnIssue(github, octokit, repo, marker);
  if (number === undefined) {
    await github.writing(key, "open an issue", repo);
    const made = await octokit.rest.issues.create({
      ...place,
      title: capped(github.scrub(title), 250),
      body: capped(`${line}\n${github.scrub(body)}`),
    });
    number = made.data.number;
    await github.memory.set(memoryOf(repo, marker), String(number));
  }
  return number;
}

/** The issue of ours that bears this marker; undefined when none of the newest does. */
export async function findOwnIssue(
  github: GitHub,
  octokit: Octokit,
  repo: Repo,
  marker: string,
): Promise<number | undefined> {
  const known = Number(await github.memory.get(memoryOf(repo, marker)));
  if (Number.isSafeInteger(known) && known > 0) return known;
  const line = markerLine(marker);
  const { data } = await octokit.rest.issues.listForRepo({
    owner: repo.owner,
    repo: repo.name,
    state: "all",
    sort: "created",
    direction: "desc",
    per_page: 100,
  });
  let number: number | undefined;
  for (const issue of data)
    if (bears(issue.body ?? "", line) && (await github.isOurs(issue))) number ??= issue.number;
  if (number !== undefined) await github.memory.set(memoryOf(repo, marker), String(number));
  return number;
}
const memoryOf = ({ id }: Repo, marker: string): string => `issue ${id} ${marker}`;

/** Whether what was closed so was done: not as a duplicate, not as not planned. Closings of long ago have no reason. */
const isDone = (reason: string | null | undefined): boolean => (reason ?? "completed") === "completed";

/** Servers that do not know the relation answer 404. */
async function readDependencies(octokit: Octokit, issue: IssueRef): Promise<readonly Dependency[]> {
  const path = "GET /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by";
  const answer = await unless([301, 404, 410], octokit.request(path, { ...placeOf(issue), per_page: 100 }));
  return dependencyList.parse(answer?.data ?? []).map(({ number, repository_url, state, state_reason }) => ({
    ref: `${repository_url.split("/").slice(-2).join("/")}#${number}`,
    is: state === "open" ? "open" : isDone(state_reason) ? "completed" : "declined",
  }));
}
const dependencyList = z.array(
  z.object({
    number: z.number().int(),
    repository_url: z.string(),
    state: z.string(),
    state_reason: z.string().nullish(),
  }),
);

async function readHistory(octokit: Octokit, issue: IssueRef, raw: RawIssue): Promise<IssueHistory> {
  const events = await octokit.paginate(octokit.rest.issues.listEvents, {
    ...placeOf(issue),
    per_page: 100,
  });
  const labels = events.flatMap((event) => {
    const name = "label" in event ? event.label?.name : undefined;
    const is = labelVerbs.get(event.event);
    return name === undefined || name === null || is === undefined
      ? []
      : [{ label: name, is, by: event.actor?.login ?? "ghost", at: Date.parse(event.created_at) }];
  });
  const renames = events.filter(({ event }) => event === "renamed");
  const changes = [
    ...renames.map((event) => Date.parse(event.created_at)),
    ...(await bodyEdits(octokit, raw)),
  ];
  return { labels, textChangedAt: changes.length === 0 ? undefined : Math.max(...changes) };
}
const labelVerbs: ReadonlyMap<string, LabelEvent["is"]> = new Map([
  ["labeled", "set"],
  ["unlabeled", "removed"],
]);

/** When the body was last edited, which GitHub tells over GraphQL alone. Where that fails, any change may have been one. */
async function bodyEdits(octokit: Octokit, raw: RawIssue): Promise<readonly number[]> {
  try {
    const answer = await octokit.graphql<{
      readonly node: { readonly lastEditedAt?: string | null } | null;
    }>("query ($id: ID!) { node(id: $id) { ... on Issue { lastEditedAt } } }", { id: raw.node_id });
    const at = answer.node?.lastEditedAt;
    return at === undefined || at === null ? [] : [Date.parse(at)];
  } catch (error) {
    if (statusOf(error) !== 404 && graphqlTypes(error).length === 0) throw error;
    return [Date.parse(raw.updated_at)];
  }
}

function placeOf({ repo, number }: IssueRef): {
  readonly owner: string;
  readonly repo: string;
  readonly issue_number: number;
} {
  return { owner: repo.owner, repo: repo.name, issue_number: number };
}

/** GitHub answers 410 for a deleted issue, and as well while the repository has its issues switched off: they come back. */
function refuseDisabled(error: unknown): never {
  if (statusOf(error) === 410 && /disabled/iu.test(saidBy(error)))
    throw new Trouble(
      "github-issues-off",
      "The repository has its issues switched off; switch them on again.",
      {
        cause: error,
      },
    );
  throw error;
}

/** A redirect led to the repository that an issue was transferred to, which a token for this one does not open. */
function unlessMoved({ repo, number }: IssueRef, error: unknown): undefined {
  const at = statusOf(error) === 403 ? answeredAt(error)?.toLowerCase() : undefined;
  const ours = [`/repos/${repo.owner}/${repo.name}`.toLowerCase(), `/repositories/${repo.id}`];
  if (at === undefined || ours.some((home) => at.endsWith(`${home}/issues/${number}`))) throw error;
  return undefined;
}

/** Undefined for what is gone, a pull request, or an issue that moved to another repository. */
async function readIssue(octokit: Octokit, issue: IssueRef): Promise<RawIssue | undefined> {
  const asked = octokit.rest.issues.get(placeOf(issue)).catch(refuseDisabled);
  // 301: GitHub answers so for a transferred issue when it does not redirect.
  const answer = await unless([301, 404, 410], asked).catch((error: unknown) => unlessMoved(issue, error));
  const raw = answer?.data;
  if (raw === undefined || (raw.pull_request !== undefined && raw.pull_request !== null)) return undefined;
  const { repo } = issue;
  const home = raw.repository_url.split("/").slice(-2).join("/").toLowerCase();
  if (raw.number === issue.number && home === `${repo.owner}/${repo.name}`.toLowerCase()) return raw;
  // The redirect was followed: a renamed repository is still ours, another repository is not.
  const now = await unless([403, 404], octokit.request("GET /repositories/{id}", { id: repo.id }));
  const fullName = (now?.data as { readonly full_name?: unknown } | undefined)?.full_name;
  return raw.number === issue.number && typeof fullName === "string" && fullName.toLowerCase() === home
    ? raw
    : undefined;
}

function factsOf(raw: RawIssue, repo: Repo): TicketFacts {
  return {
    id: githubTicketId(repo.id, raw.number),
    ref: `${repo.owner}/${repo.name}#${raw.number}`,
    number: raw.number,
    title: raw.title,
    body: raw.body ?? "",
    open: raw.state === "open",
    declined: raw.state === "closed" && !isDone(raw.state_reason),
    labels: labelsOf(raw),
    author: raw.user?.login ?? "ghost",
    url: raw.html_url,
    updatedAt: Date.parse(raw.updated_at),
  };
}

function labelsOf(raw: RawIssue): readonly string[] {
  return raw.labels.flatMap((label) => {
    const name = typeof label === "string" ? label : label.name;
    return name === undefined ? [] : [name];
  });
}

async function readChanged(
  octokit: Octokit,
  repo: Repo,
  since: number,
  vocabulary: readonly LabelWord[],
): Promise<readonly TicketFacts[]> {
  const of = { owner: repo.owner, repo: repo.name, per_page: 100 };
  const list = octokit.rest.issues.listForRepo;
  const [changed, ...labelled] = await Promise.all([
    octokit.paginate(list, {
      ...of,
      state: "all",
      sort: "updated",
      direction: "asc",
      since: new Date(since).toISOString(),
    }),
    // Several labels in one question would mean all of them at once.
    ...vocabulary.map((word) => octokit.paginate(list, { ...of, state: "open", labels: word.name })),
  ]);
  const found = new Map<number, TicketFacts>();
  for (const raw of [...changed, ...labelled.flat()]) {
    if (raw.pull_request === undefined || raw.pull_request === null)
      found.set(raw.number, factsOf(raw, repo));
  }
  return [...found.values()].sort((one, other) => one.updatedAt - other.updatedAt);
}

async function move(github: GitHub, octokit: Octokit, key: Key, issue: IssueRef, to: State): Promise<void> {
  const raw = await readIssue(octokit, issue);
  if (raw === undefined) return;
  const want = homes[to] ?? { state: "open" };
  const isSo =
    raw.state === want.state &&
    // A duplicate is not done either, and says more than we would.
    (want.state === "open" || isDone(raw.state_reason) === isDone(want.state_reason));
  if (isSo) return;
  await github.writing(key, "close or open an issue", issue.repo, issue.number);
  await octokit.rest.issues.update({ ...placeOf(issue), ...want });
}

/** Every other state is an open issue. */
const homes: Partial<
  Record<
    State,
    | { readonly state: "closed"; readonly state_reason: "completed" | "not_planned" }
    | { readonly state: "open" }
  >
> = {
  Done: { state: "closed", state_reason: "completed" },
  Cancelled: { state: "closed", state_reason: "not_planned" },
};

interface Labelling {
  readonly github: GitHub;
  readonly octokit: Octokit;
  readonly key: Key;
  readonly issue: IssueRef;
  readonly vocabulary: readonly LabelWord[];
  /** `<repository id>/<label>` of labels seen to exist. */
  readonly known: Set<string>;
}

async function setLabels(at: Labelling, present: readonly string[], change: LabelChange): Promise<void> {
  const has = (name: string): boolean => present.some((each) => each.toLowerCase() === name.toLowerCase());
  const wordOf = (label: string): LabelWord =>
    at.vocabulary.find((word) => word.label === label) ?? plainWord(label);
  const add = change.add.map(wordOf).filter((word) => !has(word.name));
  const remove = change.remove.filter((label) => !change.add.includes(label)).map(wordOf);
  for (const word of add) await ensureLabel(at, word);
  const { github, octokit, issue } = at;
  if (add.length > 0) {
    await github.writing(at.key, "set labels", issue.repo, issue.number);
    await octokit.rest.issues.addLabels({ ...placeOf(issue), labels: add.map((word) => word.name) });
  }
  for (const { name } of remove.filter((word) => has(word.name))) {
    await github.writing(at.key, "set labels", issue.repo, issue.number);
    await unless([404], octokit.rest.issues.removeLabel({ ...placeOf(issue), name }));
  }
}

function plainWord(label: string): LabelWord {
  return { label, name: label, color: "ededed", description: "" };
}

async function ensureLabel(
  { github, octokit, key, issue, known }: Labelling,
  word: LabelWord,
): Promise<void> {
  const remembered = `${issue.repo.id}/${word.name}`;
  if (known.has(remembered)) return;
  await makeLabel({ github, octokit, key }, issue.repo, word);
  known.add(remembered);
}

/** GitHub would invent a grey label without a description; ours come from the vocabulary. */
async function makeLabel(
  { github, octokit, key }: Writing,
  repo: Repo,
  { name, color, description }: LabelWord,
): Promise<"made" | "was there"> {
  const place = { owner: repo.owner, repo: repo.name };
  if ((await unless([404], octokit.rest.issues.getLabel({ ...place, name }))) !== undefined)
    return "was there";
  await github.writing(key, "set labels", repo);
  // 422: somebody created it in the meantime.
  const made = await unless([422], octokit.rest.issues.createLabel({ ...place, name, color, description }));
  return made === undefined ? "was there" : "made";
}

/** Creates those of these labels that a repository lacks, and answers their names. */
export async function createLabels(
  github: GitHub,
  repo: Repo,
  words: readonly LabelWord[],
): Promise<readonly string[]> {
  return github.within("set labels", repo, async (octokit) => {
    const made: string[] = [];
    for (const word of words) {
      // Asked for by a person and not by a ticket's effect; it repeats without harm.
      const key = `labels ${repo.id} ${word.name}` as Key;
      if ((await makeLabel({ github, octokit, key }, repo, word)) === "made") made.push(word.name);
    }
    return made;
  });
}
