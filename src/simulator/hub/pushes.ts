import { pullOf } from "./format.ts";
import { branchesOf, commitsBetween, isAncestor, type Committed } from "./git.ts";
import type { Hub } from "./context.ts";
import { mergeability } from "./mergeability.ts";
import { note } from "./threads.ts";
import type { SimRepo, SimThread } from "./state.ts";

const zero = "0".repeat(40);
/** GitHub lists no more in one push. */
const commitsLimit = 20;

/** After branches moved: pull requests follow their branch, and everybody hears of it. */
export async function afterPush(
  hub: Hub,
  repo: SimRepo,
  before: ReadonlyMap<string, string>,
  by: string,
): Promise<void> {
  repo.branches = await branchesOf(repo.dir);
  const names = new Set([...before.keys(), ...repo.branches.keys()]);
  for (const name of names) {
    const from = before.get(name);
    const to = repo.branches.get(name);
    if (from === to) continue;
    hub.courier.send(repo, "push", undefined, by, await newsOf(repo, name, from, to, by));
    if (to === undefined) await branchGone(hub, repo, name, by);
    else await followBranch(hub, repo, name, to, from, by);
  }
}

async function newsOf(
  repo: SimRepo,
  branch: string,
  from: string | undefined,
  to: string | undefined,
  by: string,
): Promise<object> {
  const commits =
    to === undefined
      ? []
      : await commitsBetween(repo.dir, from ?? repo.branches.get(repo.defaultBranch), to, commitsLimit);
  const told = commits.map(({ sha, message, author }: Committed) => ({
    id: sha,
    message,
    author: { name: author },
    distinct: true,
  }));
  return {
    ref: `refs/heads/${branch}`,
    before: from ?? zero,
    after: to ?? zero,
    created: from === undefined,
    deleted: to === undefined,
    forced: from !== undefined && to !== undefined && !(await isAncestor(repo.dir, from, to)),
    base_ref: null,
    commits: told,
    head_commit: to === undefined ? null : (told.at(-1) ?? { id: to }),
    pusher: { name: by },
  };
}

const pullsOn = (repo: SimRepo, branch: string): readonly SimThread[] =>
  [...repo.threads.values()].filter(
    ({ pull, state }) => pull !== undefined && state === "open" && pull.headRef === branch,
  );

async function followBranch(
  hub: Hub,
  repo: SimRepo,
  branch: string,
  to: string,
  from: string | undefined,
  by: string,
): Promise<void> {
  for (const thread of pullsOn(repo, branch)) {
    const { pull } = thread;
    if (pull === undefined || pull.head === to) continue;
    // It stays armed: GitHub disarms only when somebody without write access pushes.
    pull.head = to;
    thread.updatedAt = hub.now();
    hub.courier.send(repo, "pull_request", "synchronize", by, {
      number: thread.number,
      before: from ?? zero,
      after: to,
      pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
    });
  }
}

/** A pull request whose branch is gone is closed with it. */
async function branchGone(hub: Hub, repo: SimRepo, branch: string, by: string): Promise<void> {
  hub.courier.send(repo, "delete", undefined, by, {
    ref: branch,
    ref_type: "branch",
    pusher_type: "user",
  });
  for (const thread of pullsOn(repo, branch)) {
    thread.state = "closed";
    note(hub, thread, "closed", by);
    hub.courier.send(repo, "pull_request", "closed", by, {
      number: thread.number,
      pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
    });
  }
}
