/** Commits what an agent left, on the ticket's own branch and nowhere else. */
import { dirname, join } from "node:path";
import { Trouble } from "../../ports.ts";
import type { Worktree } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { opened } from "./mirror.ts";
import { seeingAll } from "./modes.ts";
import { discard, kindAt, textOf } from "./paths.ts";
import type { Place } from "./paths.ts";
import { placeTrouble } from "./trouble.ts";
import { parentsOf, squash } from "./squash.ts";
import { contains, nothing, resolve } from "./commits.ts";
import { together } from "./yard.ts";
import type { Yard } from "./yard.ts";

/** Commits everything since what the remote has, an agent's own commits too; undefined when the head is where it was. */
export async function commit(yard: Yard, tree: Worktree, message: string): Promise<Sha | undefined> {
  const at = await opened(yard, tree.path);
  if (tree.branch === undefined)
    throw placeTrouble("git-tampered", `${at.path} is a cold checkout; nothing is committed in it.`);
  // The agent has ended; a lock is what its killed git left.
  const locks = [
    join(at.admin, "index.lock"),
    join(at.admin, "HEAD.lock"),
    join(at.mirror, "refs", "heads", `${tree.branch}.lock`),
  ];
  await together(locks.map(discard));
  await backOnBranch(yard, at, tree.branch);
  const parents = await parentsOf(yard, at, tree);
  await stageAll(yard, at, parents);
  const head = await squash(yard, at, { branch: tree.branch, parents, message });
  return head === tree.head ? undefined : head;
}

/** An agent may have left another branch, or none, checked out: its commits are kept when they grow from ours. */
async function backOnBranch(yard: Yard, at: Place, branch: string): Promise<void> {
  const ref = `refs/heads/${branch}`;
  if (textOf(join(at.admin, "HEAD")) === `ref: ${ref}`) return;
  const record = yard.records.tree(at);
  const [head, tip, known] = await resolve(yard, at, [
    "HEAD",
    ref,
    record?.published ?? record?.start ?? nothing,
  ]);
  const ours = [tip, known].filter((sha) => sha !== undefined);
  const grown = await Promise.all(
    ours.map(async (older) => head !== undefined && contains(yard, at, { older, newer: head })),
  );
  if (head === undefined || ours.length === 0 || grown.includes(false))
    throw placeTrouble(
      "git-tampered",
      `${at.path} is not on its branch ${branch}, and what is checked out does not grow from it. Check that branch out there, with the work that should count, and try again.`,
    );
  await yard.git({ in: at }, "update-ref", ref, head, ...(tip === undefined ? [] : [tip]));
  await yard.git({ in: at }, "symbolic-ref", "HEAD", ref);
}

/** Stages everything that is not ignored; refuses a repository that is in none of the parents. */
async function stageAll(yard: Yard, at: Place, parents: readonly Sha[]): Promise<void> {
  try {
    await seeingAll(yard, at, "u+rwX", (heard) => yard.git({ in: at, heard }, "add", "-A", "--verbose"));
  } catch (error) {
    const name = /'([^'\n]+)' does not have a commit checked out/.exec(
      error instanceof Trouble ? error.message : "",
    )?.[1];
    if (name === undefined) throw error;
    throw nested(name);
  }
  const raw = ["diff", "--cached", "--raw", "-z", "--no-renames", "--no-ext-diff"];
  const [files, ...staged] = await Promise.all([
    yard.git({ in: at }, "ls-files", "-z"),
    ...parents.map((parent) => yard.git({ in: at }, ...raw, parent)),
  ]);
  const [links = [], ...others] = staged.map(gitlinksIn);
  const inside =
    links.find((name) => others.every((other) => other.includes(name))) ??
    (await repositoryIn(at, files.split("\0")));
  if (inside === undefined) return;
  await yard.git({ in: at }, "reset", "--mixed");
  throw nested(inside);
}

const nested = (name: string) =>
  placeTrouble(
    "git-nested",
    `${name} is a git repository inside the worktree, so its files cannot be committed. Remove its .git and try again.`,
  );

function gitlinksIn(raw: string): readonly string[] {
  const words = raw.split("\0");
  return words.filter((_word, index) => /^:\d{6} 160000 /.test(words[index - 1] ?? ""));
}

/** A directory with files of ours and a repository of its own: git commits there what it likes. */
async function repositoryIn(at: Place, files: readonly string[]): Promise<string | undefined> {
  const folders = new Set<string>();
  for (const file of files)
    for (let folder = dirname(file); folder !== "." && !folders.has(folder); folder = dirname(folder))
      folders.add(folder);
  for (const folder of folders) if (kindAt(join(at.path, folder, ".git")) !== "nothing") return folder;
  return undefined;
}
