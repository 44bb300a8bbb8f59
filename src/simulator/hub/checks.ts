import type { Hub } from "./context.ts";
import { commitOf, readCommit, simpleCommitOf } from "./commits.ts";
import { checkOf } from "./format.ts";
import { settleQueues } from "./merge-queue.ts";
import { mergeArmed } from "./merging.ts";
import { appOf, userOf } from "./places.ts";
import type { SimCheckRun, SimRepo, SimStatus } from "./state.ts";
import { iso } from "./time.ts";

/** Tells of a check run that began or ended; ends its suite with the last of it, and merges what waited for it. */
export async function announceCheck(
  hub: Hub,
  repo: SimRepo,
  run: SimCheckRun,
  action: "created" | "completed",
  by: string,
): Promise<void> {
  hub.courier.send(repo, "check_run", action, by, { check_run: checkNewsOf(hub, repo, run) });
  const suite = repo.checkRuns.filter(({ head, appId }) => head === run.head && appId === run.appId);
  if (action === "completed" && suite.every(({ conclusion }) => conclusion !== null)) {
    const isGreen = suite.every(({ conclusion }) => /^(success|neutral|skipped)$/.test(conclusion ?? ""));
    hub.courier.send(repo, "check_suite", "completed", by, {
      check_suite: {
        ...suiteOf(hub, repo, run),
        conclusion: isGreen ? "success" : "failure",
        head_commit: simpleCommitOf(await readCommit(repo.dir, run.head)),
        latest_check_runs_count: suite.length,
        check_runs_url: `${suiteOf(hub, repo, run).url}/check-runs`,
      },
    });
  }
  await mergeArmed(hub, repo);
  await settleQueues(hub, repo);
}

/** A check run as webhooks carry it: with its suite. */
export function checkNewsOf(hub: Hub, repo: SimRepo, run: SimCheckRun) {
  return { ...checkOf(hub.state, repo, run), check_suite: suiteOf(hub, repo, run) };
}

function suiteOf(hub: Hub, repo: SimRepo, run: SimCheckRun) {
  const { check_suite: suite, pull_requests } = checkOf(hub.state, repo, run);
  return {
    id: suite.id,
    node_id: `CS_${suite.id}`,
    url: `${hub.url}/repos/${repo.owner}/${repo.name}/check-suites/${suite.id}`,
    head_branch: [...repo.branches].find(([, tip]) => tip === run.head)?.[0] ?? null,
    head_sha: run.head,
    status: run.status,
    conclusion: run.conclusion,
    before: null,
    after: run.head,
    app: appOf(hub.state, run.appId),
    pull_requests,
    created_at: iso(run.createdAt),
    updated_at: iso(run.createdAt),
  };
}

/** Sets a commit status, tells of it, and merges what waited for it. */
export async function setStatus(
  hub: Hub,
  repo: SimRepo,
  status: Pick<SimStatus, "sha" | "context" | "state" | "by"> & { readonly description?: string | null },
): Promise<SimStatus> {
  const made: SimStatus = { ...status, id: hub.id(), description: status.description ?? null, at: hub.now() };
  repo.statuses.push(made);
  const at = `${hub.url}/repos/${repo.owner}/${repo.name}/commits/${made.sha}`;
  const branches = [...repo.branches]
    .filter(([, tip]) => tip === made.sha)
    .map(([name]) => ({
      name,
      commit: { sha: made.sha, url: at },
      protected: repo.rules.has(name),
    }));
  const { id, context, state, description, target_url, avatar_url, created_at, updated_at } = simpleStatusOf(
    hub,
    made,
  );
  const told = { id, context, state, description, target_url, avatar_url, created_at, updated_at };
  hub.courier.send(repo, "status", undefined, made.by, {
    ...told,
    sha: made.sha,
    name: `${repo.owner}/${repo.name}`,
    commit: commitOf(hub.state, repo, await readCommit(repo.dir, made.sha)),
    branches,
  });
  await mergeArmed(hub, repo);
  await settleQueues(hub, repo);
  return made;
}

/** A status as it is listed; on its own it also says who set it. */
export const simpleStatusOf = (hub: Hub, status: SimStatus) => ({
  id: status.id,
  node_id: `SC_${status.id}`,
  url: `${hub.url}/statuses/${status.sha}`,
  avatar_url: userOf(hub.state, status.by).avatar_url,
  context: status.context,
  state: status.state,
  description: status.description,
  target_url: null,
  created_at: iso(status.at),
  updated_at: iso(status.at),
});
export const statusOf = (hub: Hub, status: SimStatus) => ({
  ...simpleStatusOf(hub, status),
  creator: userOf(hub.state, status.by),
});

/** The newest status of each context, and what they come to together. */
export function combinedStatus(
  repo: SimRepo,
  sha: string,
): {
  readonly state: "success" | "pending" | "failure";
  readonly newest: readonly SimStatus[];
} {
  const newest = [
    ...new Map(repo.statuses.filter((one) => one.sha === sha).map((one) => [one.context, one])).values(),
  ];
  const is = (word: RegExp): boolean => newest.some(({ state }) => word.test(state));
  if (is(/failure|error/)) return { state: "failure", newest };
  return { state: newest.length === 0 || is(/pending/) ? "pending" : "success", newest };
}
