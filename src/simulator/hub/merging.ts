import { issueOf, pullOf } from "./format.ts";
import { git, mergeTree } from "./git.ts";
import type { Hub } from "./context.ts";
import { standing } from "./mergeability.ts";
import { changePull } from "./pulls.ts";
import { afterPush } from "./pushes.ts";
import type { PullThread, SimPull, SimRepo, SimThread } from "./state.ts";
import { note } from "./threads.ts";

export interface MergeWish {
  readonly title?: string | undefined;
  readonly body?: string | undefined;
  /** Squashes when left out; a rebase is squashed, too. */
  readonly method?: string | undefined;
}

/** Merges for real: a commit on the base, everybody told, the issues it closes closed. Undefined when it cannot be. */
export async function mergePull(
  hub: Hub,
  repo: SimRepo,
  thread: SimThread,
  by: string,
  wish: MergeWish,
): Promise<string | undefined> {
  const { pull } = thread;
  const base = pull && repo.branches.get(pull.baseRef);
  if (pull === undefined || base === undefined) return undefined;
  const tree = await mergeTree(repo.dir, base, pull.head);
  if (tree === undefined) return undefined;
  const isMerge = wish.method === "merge";
  const usual = isMerge
    ? `Merge pull request #${thread.number} from ${repo.owner}/${pull.headRef}`
    : `${thread.title} (#${thread.number})`;
  const text = `${wish.title ?? usual}\n\n${wish.body ?? (isMerge ? thread.title : "")}`.trim();
  const parents = isMerge ? ["-p", base, "-p", pull.head] : ["-p", base];
  const commit = (await git(repo.dir, ["commit-tree", tree, ...parents, "-m", text])).trim();
  // Whoever merged meanwhile has closed it; whoever pushed meanwhile has moved the base.
  if (thread.state !== "open" || repo.branches.get(pull.baseRef) !== base) return undefined;
  thread.state = "closed";
  pull.merged = commit;
  pull.mergedBy = by;
  pull.auto = undefined;
  const before = new Map(repo.branches);
  await git(repo.dir, ["update-ref", `refs/heads/${pull.baseRef}`, commit, base]);
  await afterPush(hub, repo, before, by);
  closeMerged(hub, repo, thread, by);
  if (repo.deletesMerged === true) await dropMerged(hub, repo, pull, by);
  return commit;
}

/** What was stacked on it is pointed at its base first, as GitHub does where it deletes the branch itself. */
async function dropMerged(hub: Hub, repo: SimRepo, { headRef, baseRef }: SimPull, by: string): Promise<void> {
  const isStacked = (thread: SimThread): thread is PullThread =>
    thread.state === "open" && thread.pull?.baseRef === headRef;
  for (const thread of [...repo.threads.values()].filter(isStacked))
    await changePull(hub, repo, thread, { base: baseRef }, by);
  const before = new Map(repo.branches);
  await git(repo.dir, ["update-ref", "-d", `refs/heads/${headRef}`]);
  await afterPush(hub, repo, before, by);
}

/** Tells that it was merged, and closes the issues it closes. */
export function closeMerged(hub: Hub, repo: SimRepo, thread: SimThread, by: string): void {
  const { pull } = thread;
  if (pull === undefined) return;
  note(hub, thread, "merged", by);
  note(hub, thread, "closed", by);
  hub.courier.send(repo, "pull_request", "closed", by, {
    number: thread.number,
    pull_request: pullOf(hub.state, repo, thread, hub.url, { mergeable: null, mergeable_state: "unknown" }),
  });
  if (pull.baseRef === repo.defaultBranch)
    for (const [, number] of thread.body.matchAll(/\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?) #(\d+)\b/gi))
      closeIssue(hub, repo, Number(number), by);
}

function closeIssue(hub: Hub, repo: SimRepo, number: number, by: string): void {
  const issue = repo.threads.get(number);
  if (issue === undefined || issue.gone || issue.pull !== undefined || issue.state === "closed") return;
  issue.state = "closed";
  issue.reason = "completed";
  note(hub, issue, "closed", by);
  hub.courier.send(repo, "issues", "closed", by, { issue: issueOf(hub.state, repo, issue, hub.url) });
}

/** Armed pull requests merge by themselves once nothing stands in the way. */
export async function mergeArmed(hub: Hub, repo: SimRepo): Promise<void> {
  for (const thread of repo.threads.values()) {
    const auto = thread.pull?.auto;
    if (auto === undefined || thread.state !== "open") continue;
    const { mergeable_state: is } = await standing(repo, thread);
    if (is === "clean" || is === "unstable") await mergePull(hub, repo, thread, auto.by, auto);
  }
}
