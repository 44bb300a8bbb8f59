import { readCommit, simpleCommitOf } from "./commits.ts";
import type { Hub } from "./context.ts";
import { pullOf } from "./format.ts";
import { git, mergeTree } from "./git.ts";
import { mergeability, unmet, verdictOf } from "./mergeability.ts";
import { closeMerged } from "./merging.ts";
import { afterPush } from "./pushes.ts";
import type { PullThread, SimEntry, SimRepo } from "./state.ts";

/** Puts a pull request at the end of its base's queue; says why not in GitHub's manner. */
export async function enqueue(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  by: string,
): Promise<string | undefined> {
  const { pull } = thread;
  const queue = queueOf(repo, pull.baseRef);
  if (queue === undefined) return "Merge queue is not enabled for this branch";
  if (queue.some((one) => one.thread.id === thread.id)) return "Pull request is already in the queue";
  if (pull.draft) return "Pull request is in draft status";
  const why = unmet(repo, thread);
  if (why !== undefined) return why;
  const entry: SimEntry = { id: hub.id(), thread, head: pull.head, by, at: hub.now(), base: "", group: "" };
  queue.push(entry);
  pull.queueing?.push({ id: entry.id });
  await tell(hub, repo, thread, "enqueued", by);
  await build(hub, repo, pull.baseRef, queue.length - 1);
  await settleQueues(hub, repo);
  return undefined;
}

/** Takes it out; those behind it are built anew. */
export async function dequeue(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  reason: string,
  by: string,
): Promise<string | undefined> {
  const queue = queueOf(repo, thread.pull.baseRef) ?? [];
  const at = queue.findIndex((one) => one.thread.id === thread.id);
  if (at < 0) return "Pull request is not in the queue";
  queue.splice(at, 1);
  thread.pull.queueing?.push({ id: hub.id(), reason });
  await tell(hub, repo, thread, "dequeued", by, { reason });
  await build(hub, repo, thread.pull.baseRef, at);
  return undefined;
}

function queueOf(repo: SimRepo, branch: string): SimEntry[] | undefined {
  if (repo.rules.get(branch)?.queue === undefined) return undefined;
  const queue = repo.queues?.get(branch) ?? [];
  repo.queues?.set(branch, queue);
  return queue;
}

/** Builds the groups from this place on, and asks for their checks. */
async function build(hub: Hub, repo: SimRepo, branch: string, from: number): Promise<void> {
  const queue = queueOf(repo, branch) ?? [];
  for (let at = from; at < queue.length; at += 1) {
    const entry = queue[at];
    const base = queue[at - 1]?.group ?? repo.branches.get(branch);
    if (entry === undefined || base === undefined) return;
    const tree = await mergeTree(repo.dir, base, entry.head);
    if (tree === undefined) {
      await dequeue(hub, repo, entry.thread, "MERGE_CONFLICT", repo.owner);
      return;
    }
    const { title, number } = entry.thread;
    const parents = repo.rules.get(branch)?.queue === "merge" ? ["-p", base, "-p", entry.head] : ["-p", base];
    const text = `${title} (#${number})`;
    entry.base = base;
    entry.group = (await git(repo.dir, ["commit-tree", tree, ...parents, "-m", text])).trim();
    hub.courier.send(repo, "merge_group", "checks_requested", entry.by, {
      merge_group: {
        head_sha: entry.group,
        head_ref: `refs/heads/gh-readonly-queue/${branch}/pr-${number}-${base}`,
        base_sha: base,
        base_ref: `refs/heads/${branch}`,
        head_commit: simpleCommitOf(await readCommit(repo.dir, entry.group)),
      },
    });
  }
}

/** Merges what is first in a queue once the required checks of its group are green, and takes it out when one is red. */
export async function settleQueues(hub: Hub, repo: SimRepo): Promise<void> {
  for (const [branch, queue] of repo.queues ?? []) {
    const required = repo.rules.get(branch)?.checks ?? [];
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      const { thread, group, base, by } = first;
      if (thread.state !== "open" || thread.pull.head !== first.head) {
        await dequeue(hub, repo, thread, "UNKNOWN_REMOVAL_REASON", repo.owner);
        continue;
      }
      if (base !== repo.branches.get(branch)) {
        await build(hub, repo, branch, 0);
        return;
      }
      const verdicts = required.map((name) => verdictOf(repo, group, name));
      if (verdicts.includes("failure")) {
        await dequeue(hub, repo, thread, "CI_FAILURE", repo.owner);
        continue;
      }
      if (verdicts.some((verdict) => verdict !== "success")) break;
      queue.shift();
      thread.pull.queueing?.push({ id: hub.id(), reason: "MERGE" });
      const before = new Map(repo.branches);
      thread.pull.merged = group;
      await git(repo.dir, ["update-ref", `refs/heads/${branch}`, group, base]);
      thread.state = "closed";
      thread.pull.mergedBy = by;
      await afterPush(hub, repo, before, by);
      closeMerged(hub, repo, thread, by);
    }
  }
}

async function tell(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  action: "enqueued" | "dequeued",
  by: string,
  more: object = {},
): Promise<void> {
  hub.courier.send(repo, "pull_request", action, by, {
    ...more,
    number: thread.number,
    pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
  });
}
