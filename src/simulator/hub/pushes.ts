import { measure } from "./changed-files.ts";
import { pullOf } from "./format.ts";
import { commitsBetween, readCommit, simpleCommitOf, type Commit } from "./commits.ts";
import { branchesOf, git, isAncestor } from "./git.ts";
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
  repo.pushedAt = hub.now();
  const names = new Set([...before.keys(), ...repo.branches.keys()]);
  for (const name of names) {
    const from = before.get(name);
    const to = repo.branches.get(name);
    if (from === to) continue;
    hub.courier.send(repo, "push", undefined, by, await newsOf(hub, repo, { name, from, to, by }));
    if (to === undefined) await branchGone(hub, repo, name, by);
    else await followBranch(hub, repo, name, to, from, by);
  }
}

async function newsOf(
  hub: Hub,
  repo: SimRepo,
  moved: {
    readonly name: string;
    readonly from: string | undefined;
    readonly to: string | undefined;
    readonly by: string;
  },
): Promise<object> {
  const { name, from, to, by } = moved;
  const commits =
    to === undefined
      ? []
      : await commitsBetween(repo.dir, from ?? repo.branches.get(repo.defaultBranch), to, commitsLimit);
  const page = `${hub.url}/${repo.owner}/${repo.name}`;
  const tell = async (commit: Commit) => ({
    ...simpleCommitOf(commit),
    url: `${page}/commit/${commit.sha}`,
    distinct: true,
    ...(await touched(repo, commit.sha)),
  });
  const told = await Promise.all(commits.map(tell));
  return {
    ref: `refs/heads/${name}`,
    before: from ?? zero,
    after: to ?? zero,
    created: from === undefined,
    deleted: to === undefined,
    forced: from !== undefined && to !== undefined && !(await isAncestor(repo.dir, from, to)),
    base_ref: null,
    compare: `${page}/compare/${(from ?? zero).slice(0, 12)}...${(to ?? zero).slice(0, 12)}`,
    commits: told,
    head_commit: to === undefined ? null : (told.at(-1) ?? (await tell(await readCommit(repo.dir, to)))),
    pusher: { name: by },
  };
}

/** Paths a commit added, changed and removed. */
async function touched(repo: SimRepo, sha: string) {
  const text = await git(repo.dir, [
    "diff-tree",
    "--root",
    "-r",
    "-z",
    "--no-commit-id",
    "--name-status",
    sha,
  ]);
  const found = { added: [] as string[], modified: [] as string[], removed: [] as string[] };
  const fields = text.split("\0");
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const list = fields[at] === "A" ? found.added : fields[at] === "D" ? found.removed : found.modified;
    list.push(fields[at + 1] ?? "");
  }
  return found;
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
    await measure(repo, pull);
    thread.updatedAt = hub.now();
    hub.courier.send(repo, "pull_request", "synchronize", by, {
      number: thread.number,
      before: from ?? zero,
      after: to,
      pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
    });
  }
}

/**
 * A pull request whose branch is gone is closed with it, and so is one whose base is: GitHub points it at another base only
 * where it deletes the branch itself, after a merge.
 */
async function branchGone(hub: Hub, repo: SimRepo, branch: string, by: string): Promise<void> {
  hub.courier.send(repo, "delete", undefined, by, {
    ref: branch,
    ref_type: "branch",
    pusher_type: "user",
  });
  const onto = [...repo.threads.values()].filter(
    ({ pull, state }) => state === "open" && pull?.baseRef === branch,
  );
  for (const thread of [...pullsOn(repo, branch), ...onto]) {
    thread.state = "closed";
    note(hub, thread, "closed", by);
    hub.courier.send(repo, "pull_request", "closed", by, {
      number: thread.number,
      pull_request: pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread)),
    });
  }
}
