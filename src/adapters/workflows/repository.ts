/** The git repository around a run's folder, and git as it may be run there. */
import { mkdir, readFile, realpath, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve as resolvePath } from "node:path";
import { contain, keyOf, kindAt, realRoot, type Place } from "../git/paths.ts";
import type { Git, GitOrder } from "../git/run.ts";
import { placeTrouble } from "../git/trouble.ts";

export interface Repository {
  /** `mirror` is what all its worktrees share. */
  readonly place: Place;
  /** Where the folder is in its worktree: `""`, `packages/a`. */
  readonly inside: string;
  /** Git with no hook, filter or merge driver of the repository in force: whoever works in it can write its settings. */
  readonly git: Git;
}

/** The repository that this folder is in. Its `.git` is followed as git does it, and must point back. */
export async function repositoryAt(git: Git, folder: string): Promise<Repository> {
  if (kindAt(folder) === "nothing")
    throw placeTrouble(
      "git-path",
      `${folder} does not exist, so there is no repository to open a worktree of.`,
    );
  const start = await realpath(folder);
  for (let top = start; ; top = dirname(top)) {
    const pointer = join(top, ".git");
    const kind = kindAt(pointer);
    // An empty folder of that name is no repository: sandboxes of agents leave one behind, even in /tmp.
    const isOne = kind !== "directory" || kindAt(join(pointer, "HEAD")) !== "nothing";
    if (kind !== "nothing" && isOne) {
      const place = kind === "file" ? await linked(top, pointer) : await main(top, pointer);
      return { place, inside: relative(top, start), git: await tamed(git, place) };
    }
    if (dirname(top) === top)
      throw placeTrouble(
        "git-path",
        `${folder} is in no git repository, and a worktree needs one. Run \`git init\` and commit there, or leave the worktree out.`,
      );
  }
}

async function main(top: string, pointer: string): Promise<Place> {
  const admin = await realpath(pointer);
  return { mirror: admin, admin, path: top };
}

async function linked(top: string, pointer: string): Promise<Place> {
  const target = /^gitdir: (.+)$/m.exec(await readFile(pointer, "utf8"))?.[1]?.trim() ?? "";
  const admin = resolvePath(top, target);
  const tampered = placeTrouble(
    "git-tampered",
    `${pointer} does not point at a git directory that points back. Put it right with \`git worktree repair\` and try again.`,
  );
  if (target === "" || kindAt(admin) !== "directory") throw tampered;
  const common = join(admin, "commondir");
  // A submodule has a git directory of its own, which knows it by its settings.
  if (kindAt(common) === "nothing") return { mirror: admin, admin, path: top };
  const back = join(admin, "gitdir");
  const known = kindAt(back) === "file" ? (await readFile(back, "utf8")).trim() : "";
  if (resolvePath(admin, known) !== pointer) throw tampered;
  const mirror = await realpath(resolvePath(admin, (await readFile(common, "utf8")).trim()));
  return { mirror, admin, path: top };
}

const plain: readonly (readonly [string, string])[] = [
  ["worktree.useRelativePaths", "false"],
  ["status.showUntrackedFiles", "normal"],
  ["commit.cleanup", "verbatim"],
  ["diff.renames", "false"],
];

async function tamed(git: Git, place: Place): Promise<Git> {
  const names = (await git({ in: place }, "config", "--list", "--name-only", "-z")).split("\0");
  const settings = new Map(plain);
  for (const name of names) {
    const [, kind, driver] = /^(filter|merge)\.([^\n]+)\.\w+$/.exec(name) ?? [];
    if (kind === "filter" && driver !== undefined) {
      for (const program of ["clean", "smudge", "process"]) settings.set(`filter.${driver}.${program}`, "");
      settings.set(`filter.${driver}.required`, "false");
    }
    if (kind === "merge" && driver !== undefined)
      settings.set(`merge.${driver}.driver`, "git merge-file --marker-size=%L %A %O %B");
  }
  return (order: GitOrder, ...argv) => git({ ...order, settings: [...settings] }, ...argv);
}

/**
 * Where the worktrees of a repository lie: beside its files, in a folder it does not see. Not inside `.git`, which
 * agents refuse to write in and test runners pass over; below the repository, so that its packages are found.
 */
export async function worktreeRoot({ place: { mirror } }: Repository): Promise<string> {
  if (basename(mirror) !== ".git") return realRoot(join(mirror, "forgehand", "worktrees"));
  const top = dirname(mirror);
  const state = join(top, ".forgehand");
  contain(top, join(state, "worktrees"));
  await mkdir(join(state, "worktrees"), { recursive: true });
  const unseen = join(state, ".gitignore");
  if (kindAt(unseen) === "nothing") await writeFile(unseen, "*\n");
  return realRoot(join(state, "worktrees"));
}

/** The place of a worktree of ours. Git names its data after the folder, whose name carries a hash. */
export async function placeIn(
  { place: { mirror } }: Repository,
  { root, run, name }: { readonly root: string; readonly run: string; readonly name: string },
): Promise<Place> {
  const key = keyOf(`${name} ${run}`);
  const path = join(root, key);
  contain(root, path);
  const admin = join(mirror, "worktrees", key);
  contain(mirror, admin);
  return { mirror, admin, path };
}

/** A step of a ref's name for any identifier. */
export const refStep = (identifier: string): string => keyOf(identifier).replace(/\.+/g, "-");
