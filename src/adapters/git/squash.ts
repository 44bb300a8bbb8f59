/** Writes what an agent left as one commit of ours, upon what the remote has already. */
import { join } from "node:path";
import type { Worktree } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { discard, textOf } from "./paths.ts";
import type { Place } from "./paths.ts";
import { contains, learnCommit, mergeBase, nothing, resolve } from "./commits.ts";
import { authored, together } from "./yard.ts";
import type { Yard } from "./yard.ts";

/** What a merge, a cherry-pick or a revert leaves until it is committed. */
const unfinished = [
  "MERGE_HEAD",
  "MERGE_MODE",
  "MERGE_MSG",
  "MERGE_RR",
  "AUTO_MERGE",
  "CHERRY_PICK_HEAD",
  "REVERT_HEAD",
  "SQUASH_MSG",
];

/**
 * The commits ours grows from. First what the remote has of the branch, so that nothing published is ever rewritten.
 * Then what the host merged, or the newest commit of the default branch that the agent took over, by merging or rebasing:
 * without that link the forge would see its changes as ours, and its conflicts as unsettled. What else an agent merged
 * comes along as content only: its commits, and their words, are not ours to publish.
 */
export async function parentsOf(yard: Yard, at: Place, tree: Worktree): Promise<readonly [Sha, ...Sha[]]> {
  const record = yard.records.tree(at);
  const ground = record?.ground ?? tree.base;
  const base = (await takenIn(yard, at, { taken: record?.taken, ground })) ?? (await baseIn(yard, at, tree));
  if (await contains(yard, at, { older: base, newer: ground })) return [ground];
  if (await contains(yard, at, { older: ground, newer: base })) return [base];
  return [ground, base];
}

/** What is being merged and not committed yet. */
function mergingIn(at: Place): readonly string[] {
  const text = textOf(join(at.admin, "MERGE_HEAD")) ?? "";
  return text.split("\n").filter((line) => /^[0-9a-f]{40,64}$/.test(line));
}

/** What the host itself merged last, while it is still here. */
async function takenIn(
  yard: Yard,
  at: Place,
  { taken, ground }: { readonly taken: Sha | undefined; readonly ground: Sha },
): Promise<Sha | undefined> {
  if (taken === undefined || (await resolve(yard, at, [taken]))[0] === undefined) return undefined;
  // Published since: what was taken over after it counts.
  if (await contains(yard, at, { older: taken, newer: ground })) return undefined;
  const isHere = mergingIn(at).includes(taken);
  return isHere || (await contains(yard, at, { older: taken, newer: "HEAD" })) ? taken : undefined;
}

/** Newest commit of the default branch, by the remote's word, that is in the worktree or being merged into it. */
async function baseIn(yard: Yard, at: Place, tree: Worktree): Promise<Sha> {
  const tip = yard.records.defaultTip(at.mirror);
  const heads = mergingIn(at);
  const [here, ...found] = await resolve(yard, at, [tip ?? nothing, "HEAD", ...heads]);
  let newest = tree.base;
  // Somebody else may have asked the remote meanwhile and not fetched yet: then the base we were given is the best known.
  if (here === undefined) return newest;
  for (const head of found) {
    const base = head === undefined ? undefined : await mergeBase(yard, at, head, here);
    if (base !== undefined && (await contains(yard, at, { older: newest, newer: base }))) newest = base;
  }
  return newest;
}

/** Commits the index upon these parents, in place of all that an agent committed; answers where the branch is then. */
export async function squash(
  yard: Yard,
  at: Place,
  order: { readonly branch: string; readonly parents: readonly [Sha, ...Sha[]]; readonly message: string },
): Promise<Sha> {
  const { branch, parents, message } = order;
  const names = ["HEAD", "HEAD^{tree}", `${parents[0]}^{tree}`];
  const [written, [head, headContent, firstContent]] = await together([
    yard.git({ in: at }, "write-tree"),
    resolve(yard, at, names),
  ]);
  const content = written.trim();
  const record = yard.records.tree(at);
  let next: Sha;
  if (parents.length === 1 && content === firstContent) next = parents[0];
  else if (
    head !== undefined &&
    head === record?.made &&
    content === headContent &&
    (await yard.git({ in: at }, "rev-list", "--parents", "-n", "1", head)).trim() ===
      [head, ...parents].join(" ")
  )
    next = head;
  else next = await write(yard, at, { content, parents, message });
  if (next !== head) await yard.git({ in: at }, "update-ref", `refs/heads/${branch}`, next);
  await together(unfinished.map((name) => discard(join(at.admin, name))));
  if (record?.made !== next)
    await yard.records.keepTree(at, {
      ...(record ?? { is: "whole", branch, start: parents[0], hooked: true }),
      made: next,
    });
  return next;
}

async function write(
  yard: Yard,
  at: Place,
  commit: { readonly content: string; readonly parents: readonly Sha[]; readonly message: string },
): Promise<Sha> {
  const environment = authored(yard);
  const grown = commit.parents.flatMap((parent) => ["-p", parent]);
  const order = { in: at, environment, input: `${commit.message}\n` };
  const made = (await yard.git(order, "commit-tree", commit.content, ...grown, "-F", "-")).trim();
  learnCommit(yard, at, { ...commit, commit: made });
  return made;
}
