import type { Octokit } from "@octokit/rest";
import type { PullRef, SpokenFinding } from "../ports.ts";
import type { Writing } from "./github-app.ts";
import { bears, capped, markerLine, sameText } from "./github-text.ts";

/** The hidden line by which the comment on a finding is found again. */
export const findingMarker = (id: string): string => markerLine(`finding ${id}`);

interface Threads {
  readonly repository: {
    readonly pullRequest: {
      readonly reviewThreads: {
        readonly nodes: readonly {
          readonly id: string;
          readonly isResolved: boolean;
          readonly comments: { readonly nodes: readonly { readonly databaseId: number }[] };
        }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
      };
    };
  };
}
/** Pages of threads that are read; a pull request with more has other troubles. */
const mostPages = 20;

/** Brings our comments on these findings up to date, and resolves their threads or opens them again. */
export async function updateFindings(
  { github, octokit, key }: Writing,
  { repo, number }: PullRef,
  findings: readonly SpokenFinding[],
): Promise<void> {
  if (findings.length === 0) return;
  const at = { owner: repo.owner, repo: repo.name };
  const wanted = new Map(findings.map((finding) => [findingMarker(finding.id), finding]));
  const states = new Map<number, SpokenFinding["thread"]>();
  const of = { ...at, pull_number: number, per_page: 100 };
  for await (const { data } of octokit.paginate.iterator(octokit.rest.pulls.listReviewComments, of)) {
    for (const comment of data) {
      const [line, finding] = [...wanted].find(([marker]) => bears(comment.body, marker)) ?? [];
      // A stranger may copy the marker, not our name.
      if (line === undefined || finding === undefined || !(await github.isOurs(comment))) continue;
      states.set(comment.id, finding.thread);
      const text = capped(`${line}\n${github.scrub(finding.body)}`);
      if (sameText(comment.body, text)) continue;
      await github.writing(key, "settle findings", repo, number);
      await octokit.rest.pulls.updateReviewComment({ ...at, comment_id: comment.id, body: text });
    }
  }
  if (states.size === 0) return;
  for (const { id, isResolved, first } of await threadsOf(octokit, { repo, number })) {
    const state = states.get(first);
    if (state === undefined || (state === "resolved") === isResolved) continue;
    await github.writing(key, "settle findings", repo, number);
    await octokit.graphql(state === "resolved" ? resolve : unresolve, { thread: id });
  }
}

const resolve =
  "mutation ($thread: ID!) { resolveReviewThread(input: { threadId: $thread }) { clientMutationId } }";
const unresolve =
  "mutation ($thread: ID!) { unresolveReviewThread(input: { threadId: $thread }) { clientMutationId } }";
const query =
  "query ($owner: String!, $name: String!, $number: Int!, $after: String) { repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewThreads(first: 100, after: $after) { nodes { id isResolved comments(first: 1) { nodes { databaseId } } } pageInfo { hasNextPage endCursor } } } } }";

/** Every thread of a pull request, with the comment that began it. */
async function threadsOf(
  octokit: Octokit,
  { repo, number }: PullRef,
): Promise<readonly { readonly id: string; readonly isResolved: boolean; readonly first: number }[]> {
  const found: { id: string; isResolved: boolean; first: number }[] = [];
  let after: string | null = null;
  for (let page = 0; page < mostPages; page += 1) {
    const asked: { owner: string; name: string; number: number; after: string | null } = {
      owner: repo.owner,
      name: repo.name,
      number,
      after,
    };
    const { repository } = await octokit.graphql<Threads>(query, asked);
    const { nodes, pageInfo } = repository.pullRequest.reviewThreads;
    for (const { id, isResolved, comments } of nodes) {
      const first = comments.nodes[0]?.databaseId;
      if (first !== undefined) found.push({ id, isResolved, first });
    }
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  return found;
}
