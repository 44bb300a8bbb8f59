/** Brings the default branch into a ticket's worktree; where both changed the same, somebody else settles it. */
import { join } from "node:path";
import type { Worktree } from "../../ports.ts";
import { opened } from "./mirror.ts";
import { discard, kindAt } from "./paths.ts";
import type { Place } from "./paths.ts";
import { placeTrouble } from "./trouble.ts";
import { contains, nothing, resolve } from "./commits.ts";
import { authored } from "./yard.ts";
import type { Yard } from "./yard.ts";

/** Merges this commit, or the newest of the default branch, uncommitted; answers the files that are in conflict. */
export async function takeBase(yard: Yard, tree: Worktree, commit?: string): Promise<readonly string[]> {
  const at = await opened(yard, tree.path);
  if (tree.branch === undefined)
    throw placeTrouble("git-tampered", `${at.path} is a cold checkout; nothing is merged in it.`);
  // Nobody works here yet; a lock is what a killed git left.
  await discard(join(at.admin, "index.lock"));
  if (!isMerging(at)) {
    const [tip] = await resolve(yard, at, [commit ?? yard.records.defaultTip(at.mirror) ?? nothing]);
    if (tip === undefined || (await contains(yard, at, { older: tip, newer: "HEAD" }))) return [];
    const record = yard.records.tree(at);
    if (commit !== undefined && record !== undefined)
      await yard.records.keepTree(at, { ...record, taken: tip });
    await merge(yard, at, tip);
  }
  const unmerged = await yard.git({ in: at }, "diff", "--name-only", "--diff-filter=U", "-z");
  return unmerged.split("\0").filter((name) => name !== "");
}

const isMerging = (at: Place): boolean => kindAt(join(at.admin, "MERGE_HEAD")) === "file";

async function merge(yard: Yard, at: Place, tip: string): Promise<void> {
  const environment = authored(yard);
  try {
    await yard.git(
      { in: at, environment },
      "merge",
      "--no-commit",
      "--no-ff",
      "--no-stat",
      "--no-verify",
      tip,
    );
  } catch (error) {
    // A conflict ends like a failure, but it leaves the merge to be finished.
    if (!isMerging(at)) throw error;
  }
}

/**
 * Takes a commit back, uncommitted: of a merge what it brought into its first parent. Where later changes stand in the
 * way nothing is changed, and their files are answered.
 */
export async function takeBack(yard: Yard, tree: Worktree, commit: string): Promise<readonly string[]> {
  const at = await opened(yard, tree.path);
  if (tree.branch === undefined || !/^[0-9a-f]{40}$/.test(commit))
    throw placeTrouble("git-tampered", `${at.path} is no place to take ${commit.slice(0, 40)} back.`);
  await discard(join(at.admin, "index.lock"));
  // What a killed revert left is begun anew; nobody else works here yet.
  await yard.git({ in: at }, "reset", "--hard", "-q", "HEAD");
  const parents = await yard.git({ in: at }, "rev-list", "--parents", "--max-count=1", commit);
  const mainline = parents.trim().split(" ").length > 2 ? ["-m", "1"] : [];
  try {
    await yard.git({ in: at }, "revert", "--no-commit", ...mainline, commit);
  } catch (error) {
    const unmerged = await yard.git({ in: at }, "diff", "--name-only", "--diff-filter=U", "-z");
    const files = unmerged.split("\0").filter((name) => name !== "");
    if (files.length === 0) throw error;
    await yard.git({ in: at }, "reset", "--hard", "-q", "HEAD");
    return files;
  }
  // Only the files are wanted: the next commit is an ordinary one.
  await yard.git({ in: at }, "revert", "--quit");
  return [];
}
