/** A repository as GraphQL tells it: its settings, the rules of a branch that everybody may see, its queue, a pull request. */
import { connection, Refusal, type Fields } from "./graphql-document.ts";
import { threadsOf } from "./graphql-threads.ts";
import { approvals, mergeability, unmet } from "./mergeability.ts";
import type { PullThread, SimEntry, SimRepo } from "./state.ts";

/** `mayRead` throws where a part of it is not for who asks. */
export const repositoryFields = (repo: SimRepo, mayRead: (area: string) => void): Fields => ({
  __typename: "Repository",
  isArchived: false,
  squashMergeAllowed: true,
  mergeCommitAllowed: true,
  rebaseMergeAllowed: true,
  autoMergeAllowed: repo.allowsAutoMerge,
  mergeQueue: ({ branch }) => queueFields(repo, typeof branch === "string" ? branch : repo.defaultBranch),
  ref: ({ qualifiedName }) => refFields(repo, String(qualifiedName).replace("refs/heads/", "")),
  pullRequest: ({ number }) => {
    mayRead("pulls");
    const thread = repo.threads.get(Number(number));
    if (thread?.pull !== undefined) return pullFields(repo, thread as PullThread);
    throw new Refusal(
      "NOT_FOUND",
      `Could not resolve to a PullRequest with the number of ${String(number)}.`,
    );
  },
});

function refFields(repo: SimRepo, branch: string): Fields | null {
  if (!repo.branches.has(branch)) return null;
  const rules = repo.rules.get(branch);
  return {
    __typename: "Ref",
    refUpdateRule:
      rules === undefined
        ? null
        : {
            __typename: "RefUpdateRule",
            requiredApprovingReviewCount: rules.approvals,
            requiredStatusCheckContexts: rules.checks,
            requiresCodeOwnerReviews: rules.codeOwners === true,
            requiresConversationResolution: false,
            requiresLinearHistory: rules.linear === true,
            requiresSignatures: rules.signed === true,
          },
  };
}

function queueFields(repo: SimRepo, branch: string): Fields | null {
  const method = repo.rules.get(branch)?.queue;
  if (method === undefined) return null;
  return {
    __typename: "MergeQueue",
    configuration: { __typename: "MergeQueueConfiguration", mergeMethod: method.toUpperCase() },
    entries: connection("MergeQueueEntry", (repo.queues?.get(branch) ?? []).map(entryFields)),
  };
}

const entryFields = ({ group, thread }: SimEntry, index: number): Fields => ({
  __typename: "MergeQueueEntry",
  position: index + 1,
  headCommit: { __typename: "Commit", oid: group },
  pullRequest: { __typename: "PullRequest", number: thread.number, headRefOid: thread.pull.head },
});

/** Where it stands in its queue. */
export function entryOf(repo: SimRepo, { id, pull }: PullThread): Fields | null {
  const queue = repo.queues?.get(pull.baseRef) ?? [];
  const at = queue.findIndex((one) => one.thread.id === id);
  const entry = queue[at];
  return entry === undefined ? null : entryFields(entry, at);
}

export function pullFields(repo: SimRepo, thread: PullThread): Fields {
  const { pull } = thread;
  return {
    __typename: "PullRequest",
    id: `PR_${thread.id}`,
    number: thread.number,
    state: pull.merged !== undefined ? "MERGED" : thread.state.toUpperCase(),
    merged: pull.merged !== undefined,
    headRefOid: pull.head,
    isDraft: pull.draft,
    mergeStateStatus: async () => (await mergeability(repo, thread)).mergeable_state.toUpperCase(),
    reviewDecision: decisionOf(repo, thread),
    mergeCommit: pull.merged === undefined ? null : { __typename: "Commit", oid: pull.merged },
    mergeQueueEntry: entryOf(repo, thread),
    autoMergeRequest:
      pull.auto === undefined
        ? null
        : {
            __typename: "AutoMergeRequest",
            mergeMethod: pull.auto.method.toUpperCase(),
            enabledBy: { __typename: "User", login: pull.auto.by },
          },
    latestOpinionatedReviews: connection(
      "PullRequestReview",
      opinionsIn(repo, thread).map((state) => ({ __typename: "PullRequestReview", state })),
    ),
    reviewThreads: connection("PullRequestReviewThread", threadsOf(pull)),
    timelineItems: connection(
      "PullRequestTimelineItems",
      (pull.queueing ?? []).map(({ id, reason }) =>
        reason === undefined
          ? { __typename: "AddedToMergeQueueEvent", id: `ATMQE_${id}` }
          : { __typename: "RemovedFromMergeQueueEvent", id: `RTMQE_${id}`, reason },
      ),
    ),
  };
}

/** The newest stance of everybody who may write. */
function opinionsIn(repo: SimRepo, { pull }: PullThread): readonly string[] {
  const latest = new Map(
    pull.reviews.filter(({ state }) => state !== "COMMENTED").map(({ by, state }) => [by, state]),
  );
  return [...latest].flatMap(([by, state]) =>
    ["write", "maintain", "admin"].includes(repo.members.get(by) ?? "none") ? [state] : [],
  );
}

function decisionOf(repo: SimRepo, thread: PullThread): string | null {
  const rules = repo.rules.get(thread.pull.baseRef);
  if (rules === undefined || (rules.approvals === 0 && rules.codeOwners !== true)) return null;
  if (opinionsIn(repo, thread).includes("CHANGES_REQUESTED")) return "CHANGES_REQUESTED";
  const isOwned = rules.codeOwners !== true || unmet(repo, thread) !== "Waiting on code owner review";
  return approvals(repo, thread) >= rules.approvals && isOwned ? "APPROVED" : "REVIEW_REQUIRED";
}
