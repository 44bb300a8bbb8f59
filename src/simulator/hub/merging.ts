import { issueOf, pullOf } from "./format.ts";
import { git, mergeTree } from "./git.ts";
import type { Hub } from "./hub.ts";
import { afterPush } from "./pushes.ts";
import { unmet } from "./mergeability.ts";
import type { SimRepo, SimThread } from "./state.ts";

/** Merges for real: a squashed commit on the base, everybody told, the issue it closes closed. */
export async function mergePull(
  hub: Hub,
  repo: SimRepo,
  thread: SimThread,
  by: string,
  message: { readonly title?: string | undefined; readonly body?: string | undefined },
): Promise<string | undefined> {
  const { pull } = thread;
  const base = pull && repo.branches.get(pull.baseRef);
  if (pull === undefined || base === undefined) return undefined;
  const tree = await mergeTree(repo.dir, base, pull.head);
  if (tree === undefined) return undefined;
  const text = `${message.title ?? `${thread.title} (#${thread.number})`}\n\n${message.body ?? ""}`.trim();
  const commit = (await git(repo.dir, ["commit-tree", tree, "-p", base, "-m", text])).trim();
  const before = new Map(repo.branches);
  await git(repo.dir, ["update-ref", `refs/heads/${pull.baseRef}`, commit, base]);
  pull.merged = commit;
  pull.auto = undefined;
  thread.state = "closed";
  thread.updatedAt = hub.now();
  await afterPush(hub, repo, before, by);
  hub.courier.send(repo, "pull_request", "closed", by, {
    number: thread.number,
    pull_request: pullOf(hub.state, repo, thread, hub.url, { mergeable: null, mergeable_state: "unknown" }),
  });
  for (const [, number] of thread.body.matchAll(/\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?) #(\d+)\b/gi))
    closeIssue(hub, repo, Number(number), by);
  return commit;
}

function closeIssue(hub: Hub, repo: SimRepo, number: number, by: string): void {
  const issue = repo.threads.get(number);
  if (issue === undefined || issue.pull !== undefined || issue.state === "closed") return;
  issue.state = "closed";
  issue.reason = "completed";
  issue.updatedAt = hub.now();
  hub.courier.send(repo, "issues", "closed", by, { issue: issueOf(hub.state, repo, issue, hub.url) });
}

/** Armed pull requests merge by themselves once nothing stands in the way. */
export async function mergeArmed(hub: Hub, repo: SimRepo): Promise<void> {
  for (const thread of repo.threads.values()) {
    const { pull } = thread;
    if (
      pull?.auto === undefined ||
      thread.state !== "open" ||
      pull.draft ||
      unmet(repo, thread) !== undefined
    )
      continue;
    await mergePull(hub, repo, thread, pull.auto.by, {});
  }
}
