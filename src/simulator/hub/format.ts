import { appOf, associationOf, minimalRepoOf, repoOf, userOf, viaApp } from "./places.ts";
import type {
  HubState,
  Reaction,
  SimCheckRun,
  SimComment,
  SimInline,
  SimRepo,
  SimReview,
  SimThread,
} from "./state.ts";
import { iso } from "./time.ts";

/** How GitHub spells issues, pull requests and what is said on them, in its answers and payloads. */
export const labelOf = (repo: SimRepo, name: string) => {
  const { id = 0, color = "ededed", description = "" } = repo.labels.get(name) ?? {};
  return { id, node_id: `LA_${id}`, name, color, description, default: false };
};

const reactionWords = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"] as const;
const rollupOf = (url: string, reactions: readonly Reaction[]) => ({
  url: `${url}/reactions`,
  total_count: reactions.length,
  ...(Object.fromEntries(
    reactionWords.map((word) => [word, reactions.filter(({ content }) => content === word).length]),
  ) as Record<(typeof reactionWords)[number], number>),
});

export const reactionOf = (state: HubState, { id, content, by, at }: Reaction) => ({
  id,
  node_id: `REA_${id}`,
  user: userOf(state, by),
  content,
  created_at: iso(at),
});

/** When something last happened to a thread, or null. */
const lastOf = (thread: SimThread, event: string): string | null => {
  const found = thread.events.findLast((one) => one.event === event);
  return found === undefined ? null : iso(found.at);
};

/** What issues and pull requests have in common. */
function threadOf(state: HubState, repo: SimRepo, thread: SimThread) {
  return {
    id: thread.id,
    number: thread.number,
    title: thread.title,
    body: thread.body,
    state: thread.state,
    locked: false,
    active_lock_reason: null,
    user: userOf(state, thread.by),
    author_association: associationOf(repo, thread.by),
    labels: [...thread.labels].map((name) => labelOf(repo, name)),
    assignee: null,
    assignees: [],
    milestone: null,
    created_at: iso(thread.createdAt),
    updated_at: iso(thread.updatedAt),
    closed_at: thread.state === "closed" ? lastOf(thread, "closed") : null,
  };
}

export function issueOf(state: HubState, repo: SimRepo, thread: SimThread, url: string) {
  const place = `${url}/repos/${repo.owner}/${repo.name}`;
  const page = `${url}/${repo.owner}/${repo.name}`;
  const kind = thread.pull === undefined ? "issues" : "pull";
  return {
    ...threadOf(state, repo, thread),
    node_id: `${thread.pull === undefined ? "I" : "PR"}_${thread.id}`,
    url: `${place}/issues/${thread.number}`,
    html_url: `${page}/${kind}/${thread.number}`,
    repository_url: place,
    state_reason: thread.reason,
    comments: thread.comments.length,
    reactions: rollupOf(`${place}/issues/${thread.number}`, thread.reactions),
    performed_via_github_app: viaApp(state, thread.by),
    ...(thread.pull === undefined
      ? {}
      : {
          draft: thread.pull.draft,
          pull_request: {
            url: `${place}/pulls/${thread.number}`,
            html_url: `${page}/pull/${thread.number}`,
            diff_url: `${page}/pull/${thread.number}.diff`,
            patch_url: `${page}/pull/${thread.number}.patch`,
            merged_at: lastOf(thread, "merged"),
          },
        }),
  };
}

/** A pull request as lists and the news of reviews carry it: nothing that has to be computed. */
export function simplePullOf(state: HubState, repo: SimRepo, thread: SimThread, url: string) {
  const { pull } = thread;
  if (pull === undefined) throw new Error(`#${thread.number} is no pull request`);
  const at = `${url}/repos/${repo.owner}/${repo.name}`;
  const self = `${at}/pulls/${thread.number}`;
  const page = `${url}/${repo.owner}/${repo.name}/pull/${thread.number}`;
  const end = (ref: string, sha: string) => ({
    label: `${repo.owner}:${ref}`,
    ref,
    sha,
    user: userOf(state, repo.owner),
    repo: repoOf(state, repo),
  });
  return {
    ...threadOf(state, repo, thread),
    node_id: `PR_${thread.id}`,
    url: self,
    html_url: page,
    draft: pull.draft,
    head: end(pull.headRef, pull.head),
    base: end(pull.baseRef, repo.branches.get(pull.baseRef) ?? ""),
    merged_at: lastOf(thread, "merged"),
    merge_commit_sha: pull.merged ?? null,
    requested_reviewers: pull.requested.map((login) => userOf(state, login)),
    requested_teams: [],
    auto_merge:
      pull.auto === undefined
        ? null
        : {
            enabled_by: userOf(state, pull.auto.by),
            merge_method: pull.auto.method,
            commit_title: `${thread.title} (#${thread.number})`,
            commit_message: "",
          },
    _links: {
      self: { href: self },
      html: { href: page },
      issue: { href: `${at}/issues/${thread.number}` },
      comments: { href: `${at}/issues/${thread.number}/comments` },
      review_comments: { href: `${self}/comments` },
      review_comment: { href: `${at}/pulls/comments{/number}` },
      commits: { href: `${self}/commits` },
      statuses: { href: `${at}/statuses/${pull.head}` },
    },
  };
}

export function pullOf(
  state: HubState,
  repo: SimRepo,
  thread: SimThread,
  url: string,
  merge: { readonly mergeable: boolean | null; readonly mergeable_state: string },
) {
  const { pull } = thread;
  return {
    ...simplePullOf(state, repo, thread, url),
    merged: pull?.merged !== undefined,
    merged_by: pull?.mergedBy === undefined ? null : userOf(state, pull.mergedBy),
    comments: thread.comments.length,
    review_comments: pull?.inline.length ?? 0,
    maintainer_can_modify: false,
    ...(pull?.size ?? { commits: 0, additions: 0, deletions: 0, changed_files: 0 }),
    ...merge,
  };
}

export function commentOf(
  state: HubState,
  repo: SimRepo,
  thread: SimThread,
  comment: SimComment,
  url: string,
) {
  const at = `${url}/repos/${repo.owner}/${repo.name}/issues`;
  return {
    id: comment.id,
    node_id: `IC_${comment.id}`,
    url: `${at}/comments/${comment.id}`,
    html_url: `${issueOf(state, repo, thread, url).html_url}#issuecomment-${comment.id}`,
    issue_url: `${at}/${thread.number}`,
    body: comment.body,
    user: userOf(state, comment.by),
    author_association: associationOf(repo, comment.by),
    created_at: iso(comment.createdAt),
    updated_at: iso(comment.createdAt),
    reactions: rollupOf(`${at}/comments/${comment.id}`, comment.reactions),
    performed_via_github_app: viaApp(state, comment.by),
  };
}

export function inlineOf(state: HubState, repo: SimRepo, thread: SimThread, comment: SimInline, url: string) {
  const pulls = `${url}/repos/${repo.owner}/${repo.name}/pulls`;
  const self = `${pulls}/comments/${comment.id}`;
  const page = `${url}/${repo.owner}/${repo.name}/pull/${thread.number}#discussion_r${comment.id}`;
  return {
    id: comment.id,
    node_id: `PRRC_${comment.id}`,
    url: self,
    html_url: page,
    pull_request_url: `${pulls}/${thread.number}`,
    pull_request_review_id: comment.review ?? null,
    body: comment.body,
    user: userOf(state, comment.by),
    author_association: associationOf(repo, comment.by),
    created_at: iso(comment.createdAt),
    updated_at: iso(comment.createdAt),
    path: comment.path,
    diff_hunk: comment.hunk,
    position: comment.position,
    original_position: comment.position,
    line: comment.line,
    original_line: comment.line,
    start_line: null,
    original_start_line: null,
    side: comment.side,
    start_side: null,
    subject_type: "line",
    commit_id: comment.head,
    original_commit_id: comment.head,
    reactions: rollupOf(self, comment.reactions),
    _links: {
      self: { href: self },
      html: { href: page },
      pull_request: { href: `${pulls}/${thread.number}` },
    },
    ...(comment.replyTo === undefined ? {} : { in_reply_to_id: comment.replyTo }),
  };
}

export function reviewOf(state: HubState, repo: SimRepo, thread: SimThread, review: SimReview) {
  const page = `${state.url}/${repo.owner}/${repo.name}/pull/${thread.number}#pullrequestreview-${review.id}`;
  const pull = `${state.url}/repos/${repo.owner}/${repo.name}/pulls/${thread.number}`;
  return {
    id: review.id,
    node_id: `PRR_${review.id}`,
    user: userOf(state, review.by),
    author_association: associationOf(repo, review.by),
    state: review.state,
    commit_id: review.head,
    body: review.body,
    html_url: page,
    pull_request_url: pull,
    submitted_at: iso(review.at),
    _links: { html: { href: page }, pull_request: { href: pull } },
  };
}

export function checkOf(state: HubState, repo: SimRepo, run: SimCheckRun) {
  const at = `${state.url}/repos/${repo.owner}/${repo.name}/check-runs/${run.id}`;
  return {
    id: run.id,
    node_id: `CR_${run.id}`,
    name: run.name,
    head_sha: run.head,
    status: run.status,
    conclusion: run.conclusion,
    external_id: run.externalId,
    output: {
      title: run.output.title ?? null,
      summary: run.output.summary ?? null,
      text: run.output.text ?? null,
      annotations_count: 0,
      annotations_url: `${at}/annotations`,
    },
    url: at,
    html_url: `${state.url}/${repo.owner}/${repo.name}/runs/${run.id}`,
    details_url: `${state.url}/${repo.owner}/${repo.name}/runs/${run.id}`,
    app: appOf(state, run.appId),
    check_suite: { id: suiteIdOf(repo, run) },
    started_at: iso(run.createdAt),
    completed_at: run.conclusion === null ? null : iso(run.createdAt),
    pull_requests: pullsAt(state, repo, run.head),
  };
}

/** One suite holds all runs of one App on one head. */
const suiteIdOf = (repo: SimRepo, run: SimCheckRun): number =>
  repo.checkRuns.find((one) => one.head === run.head && one.appId === run.appId)?.id ?? run.id;

/** The pull requests whose head this is, as checks name them. */
function pullsAt(state: HubState, repo: SimRepo, head: string) {
  const { id, name, url } = minimalRepoOf(state, repo);
  const end = (ref: string, sha: string) => ({ ref, sha, repo: { id, name, url } });
  return [...repo.threads.values()].flatMap(({ id: pullId, number, pull }) =>
    pull?.head === head
      ? [
          {
            id: pullId,
            number,
            url: `${url}/pulls/${number}`,
            head: end(pull.headRef, head),
            base: end(pull.baseRef, repo.branches.get(pull.baseRef) ?? ""),
          },
        ]
      : [],
  );
}
