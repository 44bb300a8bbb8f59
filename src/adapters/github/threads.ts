/** Conversations on lines of a pull request: what is said in them, one reply under each marker, and their end. */
import type { Octokit, RestEndpointMethodTypes } from "@octokit/rest";
import { z } from "zod";
import { Trouble, type PullRef } from "../../ports.ts";
import type { ReviewThread, ThreadComment } from "../../ports-threads.ts";
import type { GitHub, Writing } from "./app.ts";
import { bears, capped, markerLine } from "./text.ts";
import { graphqlTypes, unless } from "./trouble.ts";

type Remark = RestEndpointMethodTypes["pulls"]["listReviewComments"]["response"]["data"][number];

/** Only GraphQL knows what is resolved, and who edited. */
const threadsQuery = `query ($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved isOutdated
          comments(first: 100) { nodes { databaseId lastEditedAt author { login } editor { login } } }
        }
      }
    }
  }
}`;
const Person = z.object({ login: z.string() }).nullish();
const Comment = z.object({
  databaseId: z.number().nullable(),
  lastEditedAt: z.string().nullable(),
  author: Person,
  editor: Person,
});
const Thread = z.object({
  id: z.string(),
  isResolved: z.boolean(),
  isOutdated: z.boolean(),
  comments: z.object({ nodes: z.array(Comment) }),
});
const Page = z.object({
  repository: z
    .object({
      pullRequest: z
        .object({
          reviewThreads: z.object({
            pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
            nodes: z.array(Thread),
          }),
        })
        .nullish(),
    })
    .nullish(),
});
type Thread = z.infer<typeof Thread>;

/** More conversations than anybody holds on one pull request. */
const maxPages = 20;

/** Everything said on lines of the pull request: the words from REST, what became of them from GraphQL. */
export async function readThreads(
  github: GitHub,
  octokit: Octokit,
  { repo, number }: PullRef,
): Promise<readonly ReviewThread[]> {
  const threads = await threadNodes(octokit, { repo, number });
  if (threads.length === 0) return [];
  const at = { owner: repo.owner, repo: repo.name, pull_number: number, per_page: 100 };
  const [remarks, reviews] = await Promise.all([
    octokit.paginate(octokit.rest.pulls.listReviewComments, at),
    octokit.paginate(octokit.rest.pulls.listReviews, at),
  ]);
  const byId = new Map(remarks.map((remark) => [remark.id, remark]));
  const stances = new Map(reviews.map(({ id, state }) => [id, reviewStates[state.toUpperCase()]]));
  const read = threads.map(async (thread): Promise<readonly ReviewThread[]> => {
    const known = new Map(thread.comments.nodes.map((node) => [node.databaseId, node]));
    const root = thread.comments.nodes.flatMap(({ databaseId }) => byId.get(databaseId ?? 0) ?? [])[0];
    if (root === undefined) return [];
    // What was said since the two were read belongs to it as well.
    const said = remarks.filter(({ id, in_reply_to_id: to }) => known.has(id) || to === root.id);
    const comments = await Promise.all(
      said.map((remark) => commentOf(github, remark, { node: known.get(remark.id), stances })),
    );
    return [threadOf(thread, root, comments)];
  });
  return (await Promise.all(read)).flat();
}

/** The conversations as GraphQL tells them; none where there is no such pull request. */
export async function threadNodes(octokit: Octokit, { repo, number }: PullRef): Promise<readonly Thread[]> {
  const threads: Thread[] = [];
  let after: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const asked: Readonly<Record<string, unknown>> = { owner: repo.owner, name: repo.name, number, after };
    const answer = Page.parse(await unlessGone(octokit.graphql(threadsQuery, asked)));
    const found = answer.repository?.pullRequest?.reviewThreads;
    if (found === undefined) break;
    threads.push(...found.nodes);
    if (!found.pageInfo.hasNextPage) break;
    after = found.pageInfo.endCursor;
  }
  return threads;
}

/** GraphQL says in a way of its own that something is not there: with nothing, and an error beside it. */
async function unlessGone(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked;
  } catch (error) {
    if (graphqlTypes(error).includes("NOT_FOUND")) return {};
    throw error;
  }
}

function threadOf(thread: Thread, root: Remark, comments: readonly ThreadComment[]): ReviewThread {
  const to = root.original_line ?? root.line;
  const from = root.original_start_line ?? root.start_line ?? to;
  const isWhole = root.subject_type === "file" || typeof to !== "number" || typeof from !== "number";
  return {
    id: thread.id,
    resolved: thread.isResolved,
    outdated: thread.isOutdated,
    path: root.path,
    side: root.side === "LEFT" ? "LEFT" : "RIGHT",
    lines: isWhole ? undefined : { from: Math.min(from, to), to },
    writtenOn: root.original_commit_id,
    hunk: root.diff_hunk,
    comments: comments.toSorted((one, other) => one.at - other.at || one.id - other.id),
  };
}

async function commentOf(
  github: GitHub,
  remark: Remark,
  {
    node,
    stances,
  }: {
    readonly node: z.infer<typeof Comment> | undefined;
    readonly stances: ReadonlyMap<number, ThreadComment["review"]>;
  },
): Promise<ThreadComment> {
  // Who deleted their account has none, in spite of what the published types say.
  const user = remark.user as Remark["user"] | null;
  const isBot = user === null || user.type !== "User" || user.login.endsWith("[bot]");
  const kind = (await github.isOurs(remark)) ? "forgehand" : isBot ? "bot" : "person";
  const review = remark.pull_request_review_id;
  return {
    id: remark.id,
    by: user?.login ?? "ghost",
    byId: user?.id ?? 0,
    kind,
    body: remark.body,
    at: Date.parse(remark.created_at),
    edited: editedBy(remark, node),
    review: review === null ? undefined : stances.get(review),
  };
}

/** Edited where nobody can tell by whom: then it was not surely its author. */
function editedBy(remark: Remark, node: z.infer<typeof Comment> | undefined): ThreadComment["edited"] {
  if (node === undefined) return remark.updated_at === remark.created_at ? "no" : "by other";
  if (node.lastEditedAt === null) return "no";
  const author = node.author?.login.toLowerCase();
  return author !== undefined && node.editor?.login.toLowerCase() === author ? "by author" : "by other";
}

const reviewStates: Readonly<Record<string, ThreadComment["review"]>> = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "objected",
  COMMENTED: "commented",
  DISMISSED: "dismissed",
  PENDING: "pending",
};

/** Replies, unless a reply of ours bears the marker already. */
export async function replyInThread(
  { github, octokit, key }: Writing,
  { repo, number }: PullRef,
  say: { readonly root: number; readonly marker: string; readonly body: string },
): Promise<void> {
  const at = { owner: repo.owner, repo: repo.name, pull_number: number };
  const line = markerLine(say.marker);
  const remarks = octokit.paginate.iterator(octokit.rest.pulls.listReviewComments, { ...at, per_page: 100 });
  for await (const { data } of remarks)
    for (const known of data) if (bears(known.body, line) && (await github.isOurs(known))) return;
  await github.writing(key, "reply in a review thread", repo, number);
  const body = capped(`${line}\n${github.scrub(say.body)}`);
  await unless(
    [404, 410],
    octokit.rest.pulls.createReplyForReviewComment({ ...at, comment_id: say.root, body }),
  );
}

const Resolved = z.object({ node: z.object({ isResolved: z.boolean() }).nullish() });

/** Resolves, unless it is so already. */
export async function resolveThread(
  { github, octokit, key }: Writing,
  { repo, number }: PullRef,
  thread: string,
): Promise<void> {
  const look = await unlessGone(
    octokit.graphql(
      "query ($thread: ID!) { node(id: $thread) { ... on PullRequestReviewThread { isResolved } } }",
      {
        thread,
      },
    ),
  );
  const found = Resolved.safeParse(look);
  if (!found.success) throw new Trouble("github-answer", `GitHub tells nothing of the thread ${thread}.`);
  const { node } = found.data;
  if (node === undefined || node === null || node.isResolved) return;
  await github.writing(key, "resolve a review thread", repo, number);
  await endThread(octokit, thread, "resolved");
}

const endings = {
  resolved:
    "mutation ($thread: ID!) { resolveReviewThread(input: { threadId: $thread }) { clientMutationId } }",
  open: "mutation ($thread: ID!) { unresolveReviewThread(input: { threadId: $thread }) { clientMutationId } }",
} as const;

/** Resolves a conversation, or opens it again. */
export async function endThread(octokit: Octokit, thread: string, is: keyof typeof endings): Promise<void> {
  await octokit.graphql(endings[is], { thread });
}
