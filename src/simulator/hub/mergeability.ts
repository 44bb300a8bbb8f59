import { isAncestor, mergeTree } from "./git.ts";
import type { SimRepo, SimThread } from "./state.ts";

export interface Mergeability {
  readonly mergeable: boolean | null;
  readonly mergeable_state: "clean" | "dirty" | "blocked" | "draft" | "unstable" | "behind" | "unknown";
}

/** What stands in the way of a merge, in GitHub's words; undefined when nothing does. */
export function unmet(repo: SimRepo, thread: SimThread): string | undefined {
  const { pull } = thread;
  const rules = pull === undefined ? undefined : repo.rules.get(pull.baseRef);
  if (pull === undefined || rules === undefined) return undefined;
  if (rules.never !== undefined) return rules.never;
  const missing = rules.checks.filter((name) => verdictOf(repo, pull.head, name) !== "success");
  const failed = missing.filter((name) => verdictOf(repo, pull.head, name) === "failure");
  if (failed.length > 0) return `Required status check "${failed[0]}" is failing.`;
  if (missing.length > 0) return `Required status check "${missing[0]}" is expected.`;
  if (approvals(repo, thread) < rules.approvals)
    return `At least ${rules.approvals} approving review is required by reviewers with write access.`;
  if (rules.codeOwners && approvals(repo, thread) === rules.approvals) return "Waiting on code owner review";
  return undefined;
}

/** What a check or status of this name says of a commit. */
export function verdictOf(repo: SimRepo, head: string, name: string): string | undefined {
  const run = repo.checkRuns.findLast((one) => one.head === head && one.name === name);
  if (run !== undefined)
    return run.conclusion === null
      ? "pending"
      : run.conclusion === "success" || run.conclusion === "neutral" || run.conclusion === "skipped"
        ? "success"
        : "failure";
  return repo.statuses.findLast((one) => one.sha === head && one.context === name)?.state;
}

/** Standing approvals of people who may write. */
export function approvals(repo: SimRepo, thread: SimThread): number {
  const latest = new Map<string, string>();
  for (const review of thread.pull?.reviews ?? [])
    if (review.state !== "COMMENTED") latest.set(review.by, review.state);
  const may = new Set(["write", "maintain", "admin"]);
  return [...latest].filter(([by, state]) => state === "APPROVED" && may.has(repo.members.get(by) ?? "none"))
    .length;
}

/** What GitHub answers when asked: on a forge that computes it late, the first read knows nothing. */
export async function mergeability(repo: SimRepo, thread: SimThread): Promise<Mergeability> {
  const { pull } = thread;
  const pair = pull && `${pull.head}..${repo.branches.get(pull.baseRef) ?? ""}`;
  if (repo.mergeability === "late" && pull !== undefined && pair !== undefined && pull.computed !== pair) {
    pull.computed = pair;
    return { mergeable: null, mergeable_state: "unknown" };
  }
  return await standing(repo, thread);
}

/** How it stands with a merge now. */
export async function standing(repo: SimRepo, thread: SimThread): Promise<Mergeability> {
  const { pull } = thread;
  const base = pull && repo.branches.get(pull.baseRef);
  if (pull === undefined || base === undefined || thread.state !== "open")
    return { mergeable: null, mergeable_state: "unknown" };
  if ((await mergeTree(repo.dir, base, pull.head)) === undefined)
    return { mergeable: false, mergeable_state: "dirty" };
  if (pull.draft) return { mergeable: true, mergeable_state: "draft" };
  if (unmet(repo, thread) !== undefined) return { mergeable: true, mergeable_state: "blocked" };
  if (await isBehind(repo, thread)) return { mergeable: true, mergeable_state: "behind" };
  return { mergeable: true, mergeable_state: isUnstable(repo, pull.head) ? "unstable" : "clean" };
}

/** The rules want a head that holds all of its base, and this one does not. */
export async function isBehind(repo: SimRepo, { pull }: SimThread): Promise<boolean> {
  const base = pull && repo.branches.get(pull.baseRef);
  if (pull === undefined || base === undefined || repo.rules.get(pull.baseRef)?.strict !== true) return false;
  return !(await isAncestor(repo.dir, base, pull.head));
}

/** A check that nobody requires is not green. */
function isUnstable(repo: SimRepo, head: string): boolean {
  const names = [
    ...repo.checkRuns.filter((run) => run.head === head).map(({ name }) => name),
    ...repo.statuses.filter(({ sha }) => sha === head).map(({ context }) => context),
  ];
  return names.some((name) => verdictOf(repo, head, name) !== "success");
}
