import { approvals, mergeability, unmet } from "./mergeability.ts";
import type { PullThread, SimRepo } from "./state.ts";

/** A repository as queries see it: its settings, the rules of a branch that everybody may see, its queue, a pull request. */
export async function repositoryOf(
  repo: SimRepo,
  variables: Readonly<Record<string, unknown>>,
): Promise<object> {
  const asked = variables["branch"];
  const branch = typeof asked === "string" ? asked : repo.defaultBranch;
  const rules = repo.rules.get(branch);
  const thread = repo.threads.get(Number(variables["number"]));
  return {
    __typename: "Repository",
    isArchived: false,
    squashMergeAllowed: true,
    mergeCommitAllowed: true,
    rebaseMergeAllowed: true,
    autoMergeAllowed: repo.allowsAutoMerge,
    mergeQueue: rules?.queue === undefined ? null : queueOf(repo, branch, rules.queue),
    ref: {
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
    },
    pullRequest: thread?.pull === undefined ? null : await pullOf(repo, thread as PullThread),
  };
}

function queueOf(repo: SimRepo, branch: string, method: string): object {
  const entries = repo.queues?.get(branch) ?? [];
  return {
    __typename: "MergeQueue",
    configuration: { __typename: "MergeQueueConfiguration", mergeMethod: method.toUpperCase() },
    entries: {
      __typename: "MergeQueueEntryConnection",
      nodes: entries.map((entry, index) => ({
        __typename: "MergeQueueEntry",
        position: index + 1,
        headCommit: { __typename: "Commit", oid: entry.group },
        pullRequest: {
          __typename: "PullRequest",
          number: entry.thread.number,
          headRefOid: entry.thread.pull.head,
        },
      })),
    },
  };
}

async function pullOf(repo: SimRepo, thread: PullThread): Promise<object> {
  const { pull } = thread;
  const rules = repo.rules.get(pull.baseRef);
  const at = (repo.queues?.get(pull.baseRef) ?? []).findIndex((one) => one.thread.id === thread.id);
  const latest = new Map(
    pull.reviews.filter(({ state }) => state !== "COMMENTED").map(({ by, state }) => [by, state]),
  );
  const writers = [...latest].filter(([by]) =>
    ["write", "maintain", "admin"].includes(repo.members.get(by) ?? "none"),
  );
  const objects = writers.some(([, state]) => state === "CHANGES_REQUESTED");
  const enough = rules === undefined || approvals(repo, thread) >= rules.approvals;
  const isOwned = rules?.codeOwners !== true || unmet(repo, thread) !== "Waiting on code owner review";
  const asks = rules !== undefined && (rules.approvals > 0 || rules.codeOwners === true);
  const { mergeable_state: is } = await mergeability(repo, thread);
  return {
    __typename: "PullRequest",
    id: `PR_${thread.id}`,
    state: pull.merged !== undefined ? "MERGED" : thread.state.toUpperCase(),
    merged: pull.merged !== undefined,
    headRefOid: pull.head,
    isDraft: pull.draft,
    mergeStateStatus: is.toUpperCase(),
    reviewDecision: !asks
      ? null
      : objects
        ? "CHANGES_REQUESTED"
        : enough && isOwned
          ? "APPROVED"
          : "REVIEW_REQUIRED",
    mergeCommit: pull.merged === undefined ? null : { __typename: "Commit", oid: pull.merged },
    mergeQueueEntry: at < 0 ? null : { __typename: "MergeQueueEntry", position: at + 1 },
    latestOpinionatedReviews: {
      __typename: "PullRequestReviewConnection",
      nodes: writers.map(([, state]) => ({ __typename: "PullRequestReview", state })),
    },
    reviewThreads: {
      __typename: "PullRequestReviewThreadConnection",
      nodes: [],
    },
    timelineItems: {
      __typename: "PullRequestTimelineItemsConnection",
      nodes: (pull.queueing ?? []).map(({ id, reason }) =>
        reason === undefined
          ? { __typename: "AddedToMergeQueueEvent", id: `ATMQE_${id}` }
          : { __typename: "RemovedFromMergeQueueEvent", id: `RTMQE_${id}`, reason },
      ),
    },
  };
}
