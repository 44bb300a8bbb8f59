import type { Ctx, Hub } from "./context.ts";
import { pullOf } from "./format.ts";
import { isAboutThreads, resolveThread, threadsAsked } from "./graphql-threads.ts";
import { repositoryOf } from "./graphql-repository.ts";
import { dequeue, enqueue } from "./merge-queue.ts";
import { mergeability, standing } from "./mergeability.ts";
import { pick, selectionOf } from "./selection.ts";
import { reviewThreadsOf, shownThread, threadRootOf } from "./review-threads.ts";
import type { PullThread, SimRepo, SimThread } from "./state.ts";

/** The mutations that GitHub offers over GraphQL alone, found by their names; and what they changed, to read. */
export async function graphql(hub: Hub, context: Ctx): Promise<Response> {
  const { query, variables = {} } = context.get("body") as {
    query: string;
    variables?: Readonly<Record<string, string>>;
  };
  const name = /\b(\w+)\s*\(\s*input:/.exec(query)?.[1];
  if (/^\s*query\s*\{\s*viewer\b/.test(query))
    return answer(context, { viewer: { __typename: "User", login: context.get("caller").login } });
  const ids = Object.values(variables).filter((value) => /^(PR|I|PRR)_\d+$/.test(value));
  const id = ids[0] ?? /"((?:PR|I|PRR)_\d+)"/.exec(query)?.[1];
  const caller = context.get("caller");
  // How a branch and a pull request stand; a question about threads alone is answered below.
  if (name === undefined && /\brepository\s*\(/.test(query) && !isAboutThreads(query)) {
    const repo = hub.repo(variables["owner"] ?? "", variables["name"] ?? "");
    return answer(context, {
      repository: repo === undefined ? null : await repositoryOf(repo, variables),
    });
  }
  const threads =
    name === undefined ? threadsAsked(hub, query, variables) : resolveThread(hub, name, variables, caller);
  if (typeof threads === "string") return fault(context, "NOT_FOUND", threads);
  if (threads !== undefined) return answer(context, threads);
  if (name === "addReaction") return addReaction(hub, context, id, variables["content"] ?? "");
  const threadId = Object.values(variables).find(
    (value) => typeof value === "string" && value.startsWith("PRRT_"),
  );
  if (threadId !== undefined) return aboutThread(hub, context, threadId, name);
  const issue = id === undefined ? undefined : issueById(hub, id);
  if (issue !== undefined && name === undefined) {
    const { editedAt } = issue;
    const lastEditedAt = editedAt === undefined ? null : new Date(editedAt).toISOString();
    return answer(context, { node: { __typename: "Issue", lastEditedAt } });
  }
  const found = id === undefined ? undefined : pullById(hub, id);
  if (found === undefined)
    return fault(context, "NOT_FOUND", `Could not resolve to a node with the global id of '${id ?? ""}'`);
  if (name === undefined) return answer(context, { node: shownOf(found.thread) });
  const refusal = await mutate(hub, context, name, found, variables);
  if (refusal !== undefined) return fault(context, "UNPROCESSABLE", refusal);
  hub.state.calls.push({
    method: "GRAPHQL",
    path: name,
    body: variables,
    status: 200,
    permissions: context.get("caller").permissions,
  });
  return answer(context, {
    [name]: {
      clientMutationId: null,
      pullRequest: shownOf(found.thread),
      mergeQueueEntry: entryOf(found),
    },
  });
}

function entryOf({ repo, thread }: Found): { readonly position: number } | null {
  const at = repo.queues?.get(thread.pull.baseRef)?.findIndex((one) => one.thread.id === thread.id) ?? -1;
  return at < 0 ? null : { position: at + 1 };
}

/** As much of it as was asked for. */
function answer(context: Ctx, whole: object): Response {
  const { query } = context.get("body") as { readonly query: string };
  const { data, lacks } = pick(whole, selectionOf(query));
  if (lacks === undefined) return context.json({ data });
  const message = `Field '${lacks}' doesn't exist`;
  return context.json({
    errors: [{ type: "undefinedField", path: [lacks], locations: placeOf(query, lacks), message }],
  });
}

const shownOf = ({ pull, number }: PullThread) => ({
  __typename: "PullRequest",
  number,
  reviewThreads: reviewThreadsOf(pull),
  isDraft: pull.draft,
  headRefOid: pull.head,
  autoMergeRequest:
    pull.auto === undefined
      ? null
      : { mergeMethod: pull.auto.method.toUpperCase(), enabledBy: { login: pull.auto.by } },
});

/** Asks about one conversation, or ends it. */
function aboutThread(hub: Hub, context: Ctx, id: string, name: string | undefined): Response {
  const root = threadRootOf(hub.state, id);
  if (root === undefined)
    return fault(context, "NOT_FOUND", `Could not resolve to a node with the global id of '${id}'`);
  if (name === undefined) return answer(context, { node: shownThread([root], root) });
  if (name !== "resolveReviewThread")
    return fault(context, "UNPROCESSABLE", `Field '${name}' doesn't exist on type 'Mutation'`);
  root.resolved = true;
  hub.state.calls.push({
    method: "GRAPHQL",
    path: name,
    body: { thread: id },
    status: 200,
    permissions: context.get("caller").permissions,
  });
  return answer(context, { [name]: { clientMutationId: null } });
}

/** Does it and tells everybody, or says why not. */
async function mutate(
  hub: Hub,
  context: Ctx,
  name: string,
  { repo, thread }: Found,
  variables: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { pull } = thread;
  const by = context.get("caller").login;
  const tell = async (action: string, more: object = {}): Promise<void> =>
    hub.courier.send(repo, "pull_request", action, by, {
      ...more,
      number: thread.number,
      pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
    });
  if (thread.state !== "open") return "Pull request is closed";
  switch (name) {
    case "markPullRequestReadyForReview":
      if (!pull.draft) return undefined;
      pull.draft = false;
      await tell("ready_for_review");
      return undefined;
    case "convertPullRequestToDraft":
      if (pull.draft) return undefined;
      pull.draft = true;
      await tell("converted_to_draft");
      return undefined;
    case "enablePullRequestAutoMerge": {
      const refusal = await unarmable(repo, thread, variables);
      if (refusal !== undefined) return refusal;
      const method = Object.values(variables).find((value) => /^(MERGE|SQUASH|REBASE)$/.test(value));
      const { title, body } = variables;
      pull.auto = {
        method: (method ?? "MERGE").toLowerCase(),
        by,
        ...(title === undefined ? {} : { title }),
        ...(body === undefined ? {} : { body }),
      };
      await tell("auto_merge_enabled");
      return undefined;
    }
    case "enqueuePullRequest": {
      const head = Object.values(variables).find((value) => /^[0-9a-f]{40}$/.test(value));
      if (head !== undefined && head !== pull.head) return "Head sha didn't match expected oid";
      return await enqueue(hub, repo, thread, by);
    }
    case "dequeuePullRequest":
      return await dequeue(hub, repo, thread, "MANUAL", by);
    case "disablePullRequestAutoMerge":
      if (pull.auto === undefined) return "Can't disable auto-merge for this pull request.";
      pull.auto = undefined;
      await tell("auto_merge_disabled", { reason: "Auto-merge was switched off" });
      return undefined;
    default:
      return `Field '${name}' doesn't exist on type 'Mutation'`;
  }
}

/** Why auto-merge cannot be enabled, in GitHub's words. */
async function unarmable(
  repo: SimRepo,
  thread: PullThread,
  variables: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (!repo.allowsAutoMerge) return "Auto merge is not allowed for this repository";
  const head = Object.values(variables).find((value) => /^[0-9a-f]{40}$/.test(value));
  if (head !== undefined && head !== thread.pull.head) return "Head sha didn't match expected oid";
  const { mergeable_state: is } = await standing(repo, thread);
  // GitHub repeats itself there.
  if (is === "clean" || is === "unstable" || is === "draft")
    return `Pull request Pull request is in ${is} status`;
  return is === "dirty" ? "Pull request has merge conflicts" : undefined;
}

const contents: Readonly<Record<string, string>> = {
  EYES: "eyes",
  ROCKET: "rocket",
  HOORAY: "hooray",
  CONFUSED: "confused",
  THUMBS_UP: "+1",
  THUMBS_DOWN: "-1",
  HEART: "heart",
  LAUGH: "laugh",
};

/** Reacts to a review: REST cannot. */
function addReaction(hub: Hub, context: Ctx, id: string | undefined, content: string): Response {
  const reviews = hub.state.repos.flatMap((repo) =>
    [...repo.threads.values()].flatMap((thread) => thread.pull?.reviews ?? []),
  );
  const review = reviews.find((one) => `PRR_${one.id}` === id);
  const word = contents[content];
  if (review === undefined || word === undefined)
    return fault(context, "NOT_FOUND", `Could not resolve to a node with the global id of '${id ?? ""}'`);
  const by = context.get("caller").login;
  if (!review.reactions.some((one) => one.by === by && one.content === word))
    review.reactions.push({ id: hub.id(), content: word, by, at: hub.now() });
  return answer(context, { addReaction: { clientMutationId: null } });
}

interface Found {
  readonly repo: SimRepo;
  readonly thread: PullThread;
}

/** GitHub answers the field it could not give with null, and says why beside it. */
function fault(context: Ctx, type: string, message: string): Response {
  const { query } = context.get("body") as { readonly query: string };
  const [name = ""] = Object.keys(selectionOf(query));
  const locations = placeOf(query, name);
  return context.json({ data: { [name]: null }, errors: [{ type, path: [name], locations, message }] });
}

/** Where a field stands in a query, counted from one. */
function placeOf(query: string, name: string): readonly { readonly line: number; readonly column: number }[] {
  const before = query.slice(0, Math.max(0, query.search(new RegExp(`\\b${name}\\b`)))).split("\n");
  return [{ line: before.length, column: (before.at(-1) ?? "").length + 1 }];
}

function issueById(hub: Hub, id: string): SimThread | undefined {
  return hub.state.repos
    .flatMap((repo) => [...repo.threads.values()])
    .find((thread) => thread.pull === undefined && `I_${thread.id}` === id);
}

function pullById(hub: Hub, id: string): Found | undefined {
  for (const repo of hub.state.repos) {
    for (const thread of repo.threads.values())
      // It has a pull, as is asked there; narrowing does not reach the object itself.
      if (thread.pull !== undefined && `PR_${thread.id}` === id)
        return { repo, thread: thread as PullThread };
  }
  return undefined;
}
