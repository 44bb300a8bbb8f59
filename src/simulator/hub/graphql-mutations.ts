/** What GitHub changes over GraphQL alone. */
import type { Caller, Hub } from "./context.ts";
import { pullOf } from "./format.ts";
import { Refusal, type Arguments, type Field, type Fields } from "./graphql-document.ts";
import { entryOf, pullFields } from "./graphql-repository.ts";
import { threadById, threadFields } from "./graphql-threads.ts";
import { dequeue, enqueue } from "./merge-queue.ts";
import { mergeability, standing } from "./mergeability.ts";
import type { PullThread, SimRepo } from "./state.ts";

interface Found {
  readonly repo: SimRepo;
  readonly thread: PullThread;
}
interface Asked extends Found {
  readonly hub: Hub;
  readonly by: string;
  readonly input: Arguments;
}

export const unknownNode = (id: string): Refusal =>
  new Refusal("NOT_FOUND", `Could not resolve to a node with the global id of '${id}'`);
export const forbidden = (): Refusal => new Refusal("FORBIDDEN", "Resource not accessible by integration");

export function mutations(hub: Hub, caller: Caller): Fields {
  const { login: by } = caller;
  /** Throws where this token may not write what the change is one of; GitHub wants `contents` for most of them. */
  const mayWrite = ({ owner, name }: SimRepo, ...areas: readonly string[]): void => {
    if (areas.some((area) => caller.denies("POST", `/repos/${owner}/${name}/${area}`))) throw forbidden();
  };
  const onPull =
    (idName: string, perform: (asked: Asked) => Promise<string | undefined>): Change =>
    async (asked) => {
      const input = inputOf(asked);
      const id = String(input[idName]);
      const found = pullById(hub, id);
      if (found === undefined) throw unknownNode(id);
      mayWrite(found.repo, "pulls", "contents");
      if (found.thread.state !== "open") throw new Refusal("UNPROCESSABLE", "Pull request is closed");
      const why = await perform({ ...found, hub, by, input });
      if (why !== undefined) throw new Refusal("UNPROCESSABLE", why);
      return payload({
        pullRequest: pullFields(found.repo, found.thread),
        mergeQueueEntry: entryOf(found.repo, found.thread),
      });
    };
  const onThread =
    (isResolved: boolean): Change =>
    (asked) => {
      const id = String(inputOf(asked)["threadId"]);
      const found = threadById(hub, id);
      if (found === undefined) throw unknownNode(id);
      mayWrite(found.repo, "pulls", "contents");
      found.root.resolved = isResolved;
      return payload({ thread: threadFields(found.thread.pull.inline, found.root) });
    };
  const changes = noted(hub, caller, {
    markPullRequestReadyForReview: onPull("pullRequestId", (asked) => drafted(asked, "no draft")),
    convertPullRequestToDraft: onPull("pullRequestId", (asked) => drafted(asked, "a draft")),
    enablePullRequestAutoMerge: onPull("pullRequestId", arm),
    disablePullRequestAutoMerge: onPull("pullRequestId", disarm),
    enqueuePullRequest: onPull("pullRequestId", async ({ repo, thread, input }) =>
      isAnotherHead(thread, input)
        ? "Head sha didn't match expected oid"
        : await enqueue(hub, repo, thread, by),
    ),
    dequeuePullRequest: onPull("id", ({ repo, thread }) => dequeue(hub, repo, thread, "MANUAL", by)),
    resolveReviewThread: onThread(true),
    unresolveReviewThread: onThread(false),
  });
  return {
    ...changes,
    __typename: "Mutation",
    addReaction: (asked) => addReaction(hub, by, inputOf(asked), mayWrite),
  };
}

type Change = (asked: Arguments) => Promise<Fields> | Fields;

/** Each is noted down under its own name, once it has changed something. */
const noted = (
  hub: Hub,
  { permissions }: Caller,
  changes: Readonly<Record<string, Change>>,
): Readonly<Record<string, Change>> =>
  Object.fromEntries(
    Object.entries(changes).map(([path, change]) => [
      path,
      async (asked) => {
        const changed = await change(asked);
        hub.state.calls.push({ method: "GRAPHQL", path, body: inputOf(asked), status: 200, permissions });
        return changed;
      },
    ]),
  );

const inputOf = ({ input }: Arguments): Arguments =>
  typeof input === "object" && input !== null ? { ...input } : {};
const payload = (changed: Readonly<Record<string, Field>>): Fields => ({
  ...changed,
  __typename: "Payload",
  clientMutationId: null,
});

export function pullById({ state }: Hub, id: string): Found | undefined {
  for (const repo of state.repos)
    for (const thread of repo.threads.values())
      // It has a pull, as is asked there; narrowing does not reach the object itself.
      if (thread.pull !== undefined && `PR_${thread.id}` === id)
        return { repo, thread: thread as PullThread };
  return undefined;
}

async function tell({ hub, repo, thread, by }: Asked, action: string, more: object = {}): Promise<void> {
  hub.courier.send(repo, "pull_request", action, by, {
    ...more,
    number: thread.number,
    pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
  });
}

async function drafted(asked: Asked, is: "a draft" | "no draft"): Promise<undefined> {
  const { pull } = asked.thread;
  if (pull.draft === (is === "a draft")) return;
  pull.draft = is === "a draft";
  await tell(asked, pull.draft ? "converted_to_draft" : "ready_for_review");
}

async function arm(asked: Asked): Promise<string | undefined> {
  const { repo, thread, by, input } = asked;
  const refusal = await unarmable(repo, thread, input);
  if (refusal !== undefined) return refusal;
  const { mergeMethod: method, commitHeadline: title, commitBody: body } = input;
  thread.pull.auto = {
    method: typeof method === "string" ? method.toLowerCase() : "merge",
    by,
    ...(typeof title === "string" ? { title } : {}),
    ...(typeof body === "string" ? { body } : {}),
  };
  await tell(asked, "auto_merge_enabled");
  return undefined;
}

/** Why auto-merge cannot be enabled, in GitHub's words. */
async function unarmable(repo: SimRepo, thread: PullThread, input: Arguments): Promise<string | undefined> {
  if (!repo.allowsAutoMerge) return "Auto merge is not allowed for this repository";
  if (isAnotherHead(thread, input)) return "Head sha didn't match expected oid";
  const { mergeable_state: is } = await standing(repo, thread);
  // GitHub repeats itself there.
  if (is === "clean" || is === "unstable" || is === "draft")
    return `Pull request Pull request is in ${is} status`;
  return is === "dirty" ? "Pull request has merge conflicts" : undefined;
}

async function disarm(asked: Asked): Promise<string | undefined> {
  const { pull } = asked.thread;
  if (pull.auto === undefined) return "Can't disable auto-merge for this pull request.";
  pull.auto = undefined;
  await tell(asked, "auto_merge_disabled", { reason: "Auto-merge was switched off" });
  return undefined;
}

const isAnotherHead = ({ pull }: PullThread, { expectedHeadOid: head }: Arguments): boolean =>
  typeof head === "string" && head !== pull.head;

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
function addReaction(
  hub: Hub,
  by: string,
  { subjectId, content }: Arguments,
  mayWrite: (repo: SimRepo, ...areas: readonly string[]) => void,
): Fields {
  const id = String(subjectId);
  const word = contents[String(content)];
  const reviews = hub.state.repos.flatMap((repo) =>
    [...repo.threads.values()].flatMap((thread) =>
      (thread.pull?.reviews ?? []).map((review) => ({ repo, review })),
    ),
  );
  const found = reviews.find(({ review }) => `PRR_${review.id}` === id);
  if (found === undefined || word === undefined) throw unknownNode(id);
  mayWrite(found.repo, "pulls");
  const { reactions } = found.review;
  if (!reactions.some((one) => one.by === by && one.content === word))
    reactions.push({ id: hub.id(), content: word, by, at: hub.now() });
  return payload({});
}
