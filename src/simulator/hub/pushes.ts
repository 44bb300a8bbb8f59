import { pullOf } from "./format.ts";
import { branchesOf } from "./git.ts";
import type { Hub } from "./hub.ts";
import { mergeability } from "./mergeability.ts";
import type { SimRepo } from "./state.ts";

const zero = "0".repeat(40);

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
    hub.courier.send(repo, "push", undefined, by, {
      ref: `refs/heads/${name}`,
      before: from ?? zero,
      after: to ?? zero,
      created: from === undefined,
      deleted: to === undefined,
      forced: false,
      commits: [],
      head_commit: to === undefined ? null : { id: to },
    });
    if (to === undefined) hub.courier.send(repo, "delete", undefined, by, { ref: name, ref_type: "branch" });
    else await followBranch(hub, repo, name, to, from, by);
  }
}

async function followBranch(
  hub: Hub,
  repo: SimRepo,
  branch: string,
  to: string,
  from: string | undefined,
  by: string,
): Promise<void> {
  for (const thread of repo.threads.values()) {
    const { pull } = thread;
    if (pull === undefined || thread.state !== "open" || pull.headRef !== branch || pull.head === to)
      continue;
    pull.head = to;
    pull.auto = undefined;
    thread.updatedAt = hub.now();
    hub.courier.send(repo, "pull_request", "synchronize", by, {
      number: thread.number,
      before: from ?? zero,
      after: to,
      pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
    });
  }
}
