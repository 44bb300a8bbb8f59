/** Brings the default branch into a ticket's worktree; where both changed the same, somebody else settles it. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Worktree } from "../ports.ts";
import { opened } from "./git-mirror.ts";
import { kindAt } from "./git-paths.ts";
import type { Place } from "./git-paths.ts";
import { placeTrouble } from "./git-trouble.ts";
import { contains } from "./git-yard.ts";
import type { Yard } from "./git-yard.ts";

/** Merges the newest commit of the default branch, uncommitted; answers the files that are in conflict. */
export async function takeBase(yard: Yard, tree: Worktree): Promise<readonly string[]> {
  const at = await opened(yard, tree.path);
  if (tree.branch === undefined)
    throw placeTrouble("git-tampered", `${at.path} is a cold checkout; nothing is merged in it.`);
  // Nobody works here yet; a lock is what a killed git left.
  await rm(join(at.admin, "index.lock"), { force: true });
  if (!(await isMerging(at))) {
    const tip = await yard.records.defaultTip(at.mirror);
    if (tip === undefined || (await contains(yard, at, { older: tip, newer: "HEAD" }))) return [];
    await merge(yard, at, tip);
  }
  const unmerged = await yard.git({ in: at }, "diff", "--name-only", "--diff-filter=U", "-z");
  return unmerged.split("\0").filter((name) => name !== "");
}

const isMerging = async (at: Place): Promise<boolean> =>
  (await kindAt(join(at.admin, "MERGE_HEAD"))) === "file";

async function merge(yard: Yard, at: Place, tip: string): Promise<void> {
  const { name, email } = yard.options.author;
  const environment = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
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
    if (!(await isMerging(at))) throw error;
  }
}
