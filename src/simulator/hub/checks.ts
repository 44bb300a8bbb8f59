import type { Hub } from "./context.ts";
import { checkOf, userOf } from "./format.ts";
import { mergeArmed } from "./merging.ts";
import type { SimCheckRun, SimRepo, SimStatus } from "./state.ts";

/** Tells of a check run that began or ended; ends its suite with the last of it, and merges what waited for it. */
export async function announceCheck(
  hub: Hub,
  repo: SimRepo,
  run: SimCheckRun,
  action: "created" | "completed",
  by: string,
): Promise<void> {
  hub.courier.send(repo, "check_run", action, by, { check_run: checkOf(hub.state, repo, run) });
  const suite = repo.checkRuns.filter(({ head, appId }) => head === run.head && appId === run.appId);
  if (action === "completed" && suite.every(({ conclusion }) => conclusion !== null)) {
    const { app, pull_requests } = checkOf(hub.state, repo, run);
    const isGreen = suite.every(({ conclusion }) => /^(success|neutral|skipped)$/.test(conclusion ?? ""));
    hub.courier.send(repo, "check_suite", "completed", by, {
      check_suite: {
        id: suite[0]?.id ?? run.id,
        head_sha: run.head,
        status: "completed",
        conclusion: isGreen ? "success" : "failure",
        app,
        pull_requests,
      },
    });
  }
  await mergeArmed(hub, repo);
}

/** Sets a commit status, tells of it, and merges what waited for it. */
export async function setStatus(
  hub: Hub,
  repo: SimRepo,
  status: Pick<SimStatus, "sha" | "context" | "state" | "by"> & { readonly description?: string | null },
): Promise<SimStatus> {
  const made: SimStatus = { ...status, id: hub.id(), description: status.description ?? null, at: hub.now() };
  repo.statuses.push(made);
  const branches = [...repo.branches].filter(([, tip]) => tip === made.sha).map(([name]) => ({ name }));
  hub.courier.send(repo, "status", undefined, made.by, { ...statusOf(hub, made), sha: made.sha, branches });
  await mergeArmed(hub, repo);
  return made;
}

export const statusOf = (hub: Hub, status: SimStatus) => ({
  id: status.id,
  context: status.context,
  state: status.state,
  description: status.description,
  target_url: null,
  creator: userOf(hub.state, status.by),
  created_at: new Date(status.at).toISOString(),
  updated_at: new Date(status.at).toISOString(),
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
