import type { HubState, SimCheckRun, SimComment, SimInline, SimRepo, SimReview, SimThread } from "./state.ts";

/** How GitHub spells our state in its answers and payloads. */
export const iso = (at: number): string => new Date(at).toISOString();

export function userOf(state: HubState, login: string) {
  const person = state.people.get(login);
  return { login, id: person?.id ?? 0, node_id: `U_${person?.id ?? 0}`, type: person?.type ?? "User" };
}
const viaApp = (state: HubState, login: string) =>
  state.people.get(login)?.type === "Bot" && login === `${state.app.slug}[bot]`
    ? { id: state.app.id, slug: state.app.slug, name: state.app.slug }
    : null;

export function repoOf(state: HubState, repo: SimRepo) {
  return {
    id: repo.id,
    node_id: `R_${repo.id}`,
    name: repo.name,
    full_name: `${repo.owner}/${repo.name}`,
    owner: userOf(state, repo.owner),
    private: false,
    default_branch: repo.defaultBranch,
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_rebase_merge: true,
    allow_auto_merge: repo.allowsAutoMerge,
    archived: false,
    permissions: { admin: false, push: true, pull: true },
  };
}
const labelsOf = (repo: SimRepo, thread: SimThread) =>
  [...thread.labels].map((name) => ({
    name,
    color: repo.labels.get(name)?.color ?? "ededed",
    description: repo.labels.get(name)?.description ?? "",
  }));

export function issueOf(state: HubState, repo: SimRepo, thread: SimThread, url: string) {
  return {
    id: thread.id,
    node_id: `I_${thread.id}`,
    number: thread.number,
    title: thread.title,
    body: thread.body,
    state: thread.state,
    state_reason: thread.reason,
    user: userOf(state, thread.by),
    labels: labelsOf(repo, thread),
    html_url: `${url}/${repo.owner}/${repo.name}/issues/${thread.number}`,
    repository_url: `${url}/repos/${repo.owner}/${repo.name}`,
    created_at: iso(thread.createdAt),
    updated_at: iso(thread.updatedAt),
    assignees: [],
    comments: thread.comments.length,
    performed_via_github_app: viaApp(state, thread.by),
    ...(thread.pull === undefined
      ? {}
      : { pull_request: { url: `${url}/repos/${repo.owner}/${repo.name}/pulls/${thread.number}` } }),
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
  if (pull === undefined) throw new Error(`#${thread.number} is no pull request`);
  const place = repoOf(state, repo);
  return {
    id: thread.id,
    node_id: `PR_${thread.id}`,
    number: thread.number,
    title: thread.title,
    body: thread.body,
    state: thread.state,
    draft: pull.draft,
    user: userOf(state, thread.by),
    labels: labelsOf(repo, thread),
    html_url: `${url}/${repo.owner}/${repo.name}/pull/${thread.number}`,
    head: { ref: pull.headRef, sha: pull.head, repo: place, label: `${repo.owner}:${pull.headRef}` },
    base: {
      ref: pull.baseRef,
      sha: repo.branches.get(pull.baseRef) ?? "",
      repo: place,
      label: `${repo.owner}:${pull.baseRef}`,
    },
    merged: pull.merged !== undefined,
    merged_at: pull.merged === undefined ? null : iso(thread.updatedAt),
    merged_by: pull.mergedBy === undefined ? null : userOf(state, pull.mergedBy),
    merge_commit_sha: pull.merged ?? null,
    requested_reviewers: pull.requested.map((login) => userOf(state, login)),
    auto_merge:
      pull.auto === undefined
        ? null
        : { merge_method: pull.auto.method, enabled_by: userOf(state, pull.auto.by) },
    created_at: iso(thread.createdAt),
    updated_at: iso(thread.updatedAt),
    ...merge,
  };
}
export const commentOf = (state: HubState, comment: SimComment, url: string) => ({
  id: comment.id,
  body: comment.body,
  user: userOf(state, comment.by),
  html_url: `${url}/comments/${comment.id}`,
  created_at: iso(comment.createdAt),
  updated_at: iso(comment.createdAt),
  performed_via_github_app: viaApp(state, comment.by),
});
export const inlineOf = (state: HubState, comment: SimInline, url: string) => ({
  ...commentOf(state, comment, url),
  path: comment.path,
  line: comment.line,
  side: comment.side,
  commit_id: comment.head,
  original_commit_id: comment.head,
  pull_request_review_id: comment.review ?? null,
  ...(comment.replyTo === undefined ? {} : { in_reply_to_id: comment.replyTo }),
});
export const reviewOf = (state: HubState, review: SimReview) => ({
  id: review.id,
  node_id: `PRR_${review.id}`,
  user: userOf(state, review.by),
  state: review.state,
  commit_id: review.head,
  body: review.body,
  submitted_at: iso(review.at),
  performed_via_github_app: viaApp(state, review.by),
});
export const checkOf = (state: HubState, repo: SimRepo, run: SimCheckRun) => ({
  id: run.id,
  name: run.name,
  head_sha: run.head,
  status: run.status,
  conclusion: run.conclusion,
  external_id: run.externalId,
  output: run.output,
  html_url: null,
  details_url: null,
  app: { id: run.appId, slug: run.appId === state.app.id ? state.app.slug : "ci" },
  check_suite: { id: run.id, head_sha: run.head },
  started_at: iso(run.createdAt),
  completed_at: run.conclusion === null ? null : iso(run.createdAt),
  pull_requests: [...repo.threads.values()].flatMap((thread) =>
    thread.pull?.head === run.head
      ? [{ number: thread.number, head: { sha: run.head, ref: thread.pull.headRef } }]
      : [],
  ),
});
