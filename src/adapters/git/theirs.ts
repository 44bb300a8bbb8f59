/** Brings what people pushed to a ticket's branch under the work in its worktree: theirs stays as it is, ours grows from it. */
import { join } from "node:path";
import type { Remote, Worktree } from "../../ports.ts";
import type { SeenTips, TakenTheirs } from "../../ports-threads.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { commit } from "./commit.ts";
import { fetchTips, lookAt, opened } from "./mirror.ts";
import { openedWide } from "./modes.ts";
import { discard } from "./paths.ts";
import type { Place } from "./paths.ts";
import { placeTrouble } from "./trouble.ts";
import { contains, resolve } from "./commits.ts";
import { authored } from "./yard.ts";
import type { Yard } from "./yard.ts";

/**
 * Puts the worktree upon the remote's newest commit of the branch, with our own changes carried over; answers the files
 * in which both sides are left to be settled. Where they took a commit of ours back, it stays taken back. Repeating it
 * changes nothing: what a crash left in between is carried over once more, and merges with itself.
 */
export async function takeTheirs(
  yard: Yard,
  {
    tree,
    remote,
    seen,
  }: { readonly tree: Worktree; readonly remote: Remote; readonly seen?: SeenTips | undefined },
): Promise<TakenTheirs> {
  const at = await opened(yard, tree.path);
  const { branch } = tree;
  if (branch === undefined)
    throw placeTrouble("git-tampered", `${at.path} is a cold checkout; nothing is merged in it.`);
  // Nobody works here now; a lock is what a killed git left.
  await discard(join(at.admin, "index.lock"));
  const tips = seen ?? (await lookAt(yard, at.mirror, remote, branch));
  const [head] = await yard.locked(at.mirror, () =>
    fetchTips(yard, at, remote, { branch, tips, names: ["HEAD"] }),
  );
  const theirs = tips.branch;
  if (theirs === undefined) {
    const conflicts = await restand(yard, at, { tree, base: tips.base, upon: remote.upon });
    return { upon: undefined, conflicts, seen: tips };
  }
  if (head === undefined) return { upon: undefined, conflicts: [], seen: tips };
  const stoodOn = yard.records.tree(at)?.ground;
  const isKept = stoodOn === undefined || (await contains(yard, at, { older: stoodOn, newer: theirs }));
  if (isKept && (await contains(yard, at, { older: theirs, newer: head })))
    return { upon: theirs, conflicts: [], seen: tips };
  const conflicts = await carryOver(yard, at, tree, theirs);
  return { upon: theirs, conflicts, seen: tips };
}

/** Nothing of it is published yet, and what it is to stand on has changed since it was made. */
async function restand(
  yard: Yard,
  at: Place,
  { tree, base, upon }: { readonly tree: Worktree; readonly base: Sha; readonly upon: Sha | undefined },
): Promise<readonly string[]> {
  const record = yard.records.tree(at);
  if (record === undefined || record.upon === upon) return [];
  const conflicts = await carryOver(yard, at, tree, base);
  const { published: _none, ...now } = yard.records.tree(at) ?? record;
  await yard.records.keepTree(at, { ...now, start: base, upon });
  return conflicts;
}

async function carryOver(yard: Yard, at: Place, tree: Worktree, theirs: Sha): Promise<readonly string[]> {
  // Whatever stands in the worktree is a commit first: from here on nothing of it can be lost.
  await commit(yard, tree, "Carried over");
  const record = yard.records.tree(at);
  const ground = record?.ground ?? tree.base;
  const [ours, oursContent, theirsContent] = await resolve(yard, at, [
    "HEAD",
    "HEAD^{tree}",
    `${theirs}^{tree}`,
  ]);
  if (ours === undefined || oursContent === undefined || theirsContent === undefined)
    throw placeTrouble("git-tampered", `No commit is checked out in ${at.path}.`);
  const merged =
    ours === ground
      ? { content: theirsContent, conflicts: [] }
      : await merge(yard, at, { ground, ours: oursContent, theirs: theirsContent });
  // The base that we took over stays a parent: without that link the forge would see its changes as ours.
  const parents = (await yard.git({ in: at }, "rev-list", "--parents", "-n", "1", ours)).trim().split(" ");
  const base = ours === ground ? [] : parents.slice(1).filter((parent) => parent !== ground);
  const missing: string[] = [];
  for (const parent of base)
    if (!(await contains(yard, at, { older: parent, newer: theirs }))) missing.push(parent);
  const next =
    merged.content === theirsContent && missing.length === 0
      ? theirs
      : await write(yard, at, { content: merged.content, parents: [theirs, ...missing] });
  await openedWide(yard, at, () => yard.git({ in: at }, "reset", "--hard", "--quiet", next));
  const { made: _made, ...rest } = record ?? {
    is: "whole" as const,
    branch: tree.branch ?? "",
    start: theirs,
    hooked: true,
  };
  // What they took back of ours is on the remote no more, so it does not count as published there.
  await yard.records.keepTree(at, { ...rest, ground: theirs, published: theirs });
  return merged.conflicts;
}

/** Both sides as if they had begun at the same commit, which git then takes for where they parted. */
async function merge(
  yard: Yard,
  at: Place,
  { ground, ours, theirs }: { readonly ground: Sha; readonly ours: Sha; readonly theirs: Sha },
): Promise<{ readonly content: Sha; readonly conflicts: readonly string[] }> {
  const mine = await write(yard, at, { content: ours, parents: [ground] });
  const other = await write(yard, at, { content: theirs, parents: [ground] });
  const said = await yard.git(
    { in: at, answers: [1] },
    "merge-tree",
    "--write-tree",
    "--no-messages",
    "--name-only",
    "-z",
    mine,
    other,
  );
  const [content = "", ...names] = said.split("\0").filter((part) => part !== "");
  return { content, conflicts: [...new Set(names)] };
}

async function write(
  yard: Yard,
  at: Place,
  { content, parents }: { readonly content: Sha; readonly parents: readonly Sha[] },
): Promise<Sha> {
  const environment = authored(yard);
  const grown = parents.flatMap((parent) => ["-p", parent]);
  const order = { in: at, environment, input: "Carried over\n" };
  return (await yard.git(order, "commit-tree", content, ...grown, "-F", "-")).trim();
}
