/** Keeps folders as commits under hidden refs of the repository they are in, and puts them back. */
import { lstat, readdir, readFile, rmdir, unlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Snapshots } from "../../engine/host.ts";
import { kindAt, requireSha } from "./paths.ts";
import type { Git } from "./run.ts";
import { placeTrouble } from "./trouble.ts";
import { inYard, placeIn, repositoryAt, type Repository, type SnapshotYard } from "./snapshot-yard.ts";

export interface SnapshotOptions {
  readonly git: Git;
  /** Never kept and never touched: where the runs themselves are written down. */
  readonly keptOut: readonly string[];
  /** The file in which a person names what they ignore in every repository. */
  readonly ignoreFile: string | undefined;
}
export interface GitSnapshots extends Snapshots {
  /** A new worktree with the folder as it was, at the commit that was checked out then; answers where the folder is in it. */
  checkOut(folder: string, commit: string, to: string): Promise<string>;
  /** The tree of the folder as it is, ignored files aside; undefined where it is in no git repository. */
  treeOf(folder: string): Promise<string | undefined>;
}

/** Our own folder in a repository. */
const ours = ".forgehand";

/** Submodules, repositories inside the folder, ignored files and names that are not UTF-8 are left alone. */
export function openSnapshots(options: SnapshotOptions): GitSnapshots {
  const { git } = options;
  const work = async <Result>(
    repository: Repository,
    then: (yard: SnapshotYard) => Promise<Result>,
  ): Promise<Result> => await inYard(git, repository, await ignoredBy(options), then);
  const needed = async (folder: string): Promise<Repository> => {
    const repository = await repositoryAt(folder);
    if (repository === undefined)
      throw placeTrouble("git-path", `${folder} is in no git repository any more.`);
    return repository;
  };
  const restore = async (folder: string, commit: string): Promise<void> => {
    requireSha(commit);
    const repository = await needed(folder);
    await work(repository, async (yard) => {
      const tree = await treeOf(yard, repository, options);
      await putBack(yard, repository, { tree, commit });
    });
  };
  return {
    save: async (folder, ref, message) => {
      requireOurs(ref);
      const repository = await repositoryAt(folder);
      if (repository === undefined) return undefined;
      const [head] = await resolveIn(git, repository, ["HEAD"]);
      const commit = await work(repository, async (yard) => {
        const tree = await treeOf(yard, repository, options);
        await yard.keepIndex();
        const parents = head === undefined ? [] : ["-p", head];
        return (await yard.git({}, "commit-tree", tree, ...parents, "-m", message)).trim();
      });
      await git({ in: placeIn(repository) }, "update-ref", "--no-deref", ref, commit);
      return commit;
    },
    treeOf: async (folder) => {
      const repository = await repositoryAt(folder);
      return repository && (await work(repository, (yard) => treeOf(yard, repository, options)));
    },
    restore,
    diff: async (folder, from, to) => {
      for (const sha of [from, to]) requireSha(sha);
      const repository = await needed(folder);
      const shown = ["--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"];
      return await work(repository, (yard) => yard.git({}, "diff", ...shown, from, to, ...below(repository)));
    },
    forget: async (folder, prefix) => {
      requireOurs(prefix);
      if (kindAt(folder) === "nothing") return;
      const repository = await repositoryAt(folder);
      if (repository === undefined) return;
      const at = { in: placeIn(repository) };
      const refs = await git(at, "for-each-ref", "--format=%(refname)", "refs/forgehand/");
      const gone = refs.split("\n").filter((ref) => ref.startsWith(prefix));
      if (gone.length > 0)
        await git({ ...at, input: gone.map((ref) => `delete ${ref}\n`).join("") }, "update-ref", "--stdin");
    },
    checkOut: async (folder, commit, to) => {
      requireSha(commit);
      const repository = await needed(folder);
      if (kindAt(to) !== "nothing" && (await readdir(to).catch(() => [to])).length > 0)
        throw placeTrouble("git-path", `${to} is there already. Name a folder that is not.`);
      // The commit that was checked out then; a repository without one has only the snapshot itself.
      const [head = commit] = await resolveIn(git, repository, [`${commit}^`]);
      await git({ in: placeIn(repository) }, "worktree", "add", "--detach", "--no-checkout", to, head);
      const made = await needed(to);
      await git({ in: placeIn(made) }, "read-tree", head);
      await work(made, async (yard) => {
        await yard.git({}, "read-tree", head);
        await yard.git({}, "checkout-index", "--all", "--force");
      });
      const inside = join(made.top, repository.inside);
      if (kindAt(inside) === "directory") await restore(inside, commit);
      return inside;
    },
  };
}

function requireOurs(ref: string): void {
  if (!/^refs\/forgehand\/[\w=-]+(?:\/[\w=-]+)*\/?$/u.test(ref))
    throw placeTrouble("git-path", `${JSON.stringify(ref)} is no ref of ours.`);
}

async function ignoredBy({ ignoreFile }: SnapshotOptions): Promise<string> {
  if (ignoreFile === undefined || kindAt(ignoreFile) === "nothing") return "";
  return await readFile(ignoreFile, "utf8");
}

async function resolveIn(
  git: Git,
  repository: Repository,
  names: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const input = names.map((name) => `${name}\n`).join("");
  const said = await git({ in: placeIn(repository), input }, "cat-file", "--batch-check=%(objectname)");
  return said.split("\n").map((line) => (/^[0-9a-f]{40,64}$/u.test(line) ? line : undefined));
}

const below = ({ inside }: Repository): readonly string[] => (inside === "" ? [] : ["--", inside]);
const listed = (out: string): readonly string[] => out.split("\0").filter((path) => path !== "");
const joined = (paths: readonly string[]): string => paths.map((path) => `${path}\0`).join("");

/** Brings our index to what is there now, and answers its tree. */
async function treeOf(
  yard: SnapshotYard,
  repository: Repository,
  { keptOut }: SnapshotOptions,
): Promise<string> {
  const { top, admin } = repository;
  const hidden = keptOut.map((path) => relative(top, path));
  const isOurs = (path: string): boolean =>
    // A name with bytes that are not UTF-8 came to us mangled; a slash at the end is a repository of its own.
    !path.includes("\uFFFD") &&
    !path.endsWith("/") &&
    !path.split("/").includes(ours) &&
    !hidden.some((one) => path === one || path.startsWith(`${one}/`));
  const ask = async (index: string | undefined, ...which: readonly string[]): Promise<readonly string[]> =>
    listed(
      await yard.git(
        index === undefined ? {} : { index },
        "ls-files",
        "-z",
        ...which,
        "--exclude-standard",
        ...below(repository),
      ),
    );
  const theirs = join(admin, "index");
  const tracked = new Set(kindAt(theirs) === "file" ? await ask(theirs, "--cached", "--ignored") : []);
  await yard.git({}, "add", "--update");
  const ignored = (await ask(undefined, "--cached", "--ignored")).filter((path) => !tracked.has(path));
  if (ignored.length > 0)
    await yard.git({ input: joined(ignored) }, "update-index", "-z", "--force-remove", "--stdin");
  const fresh = (await ask(undefined, "--others")).filter(isOurs);
  for (const path of tracked) {
    if (isOurs(path) && isContent(join(top, path))) fresh.push(path);
  }
  if (fresh.length > 0)
    await yard.git({ input: joined(fresh) }, "update-index", "-z", "--add", "--remove", "--stdin");
  return (await yard.git({}, "write-tree", "--missing-ok")).trim();
}

/** Whether a file or a link is there; what stands below a closed folder, or below a file, is not. */
function isContent(path: string): boolean {
  try {
    return ["file", "link"].includes(kindAt(path));
  } catch {
    return false;
  }
}

/** Makes the files of this tree, which is there now, those of the commit. */
async function putBack(
  yard: SnapshotYard,
  repository: Repository,
  { tree, commit }: { readonly tree: string; readonly commit: string },
): Promise<void> {
  const { top, inside } = repository;
  const raw = ["diff-tree", "-r", "-z", "--raw", "--no-renames", tree, commit];
  const words = listed(await yard.git({}, ...raw, ...below(repository)));
  const changes = words.flatMap((word, index) => {
    const [, oldMode, newMode, , , status] = /^:(\d{6}) (\d{6}) (\S+) (\S+) ([A-Z])$/u.exec(word) ?? [];
    const path = words[index + 1];
    return path === undefined || status === undefined || [oldMode, newMode].includes("160000")
      ? []
      : [{ path, status }];
  });
  for (const { path, status } of changes)
    if (status === "D") await remove(join(top, path), join(top, inside));
  const wanted: string[] = [];
  for (const { path, status } of changes) {
    if (status === "D" || (status === "A" && (await isInTheWay(top, path)))) continue;
    wanted.push(path);
  }
  if (wanted.length === 0) return;
  const index = `${commit}.index`;
  await yard.git({ index }, "read-tree", commit);
  await yard.git({ index, input: joined(wanted) }, "checkout-index", "--force", "-z", "--stdin");
}

/** Removes a file and the folders that are empty without it. */
async function remove(file: string, root: string): Promise<void> {
  await unlink(file).catch(unlessCode("ENOENT", "ENOTDIR"));
  for (
    let folder = dirname(file);
    folder !== root && folder.startsWith(`${root}/`);
    folder = dirname(folder)
  ) {
    const isGone = await rmdir(folder).then(
      () => true,
      (error: unknown) => {
        unlessCode("ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR")(error);
        return false;
      },
    );
    if (!isGone) return;
  }
}
const unlessCode =
  (...codes: readonly string[]) =>
  (error: unknown): void => {
    if (!codes.includes(String((error as NodeJS.ErrnoException).code))) throw error;
  };

/** An ignored file, or what lies in an ignored place, stays where it is. */
async function isInTheWay(top: string, path: string): Promise<boolean> {
  const steps = path.split("/");
  for (let depth = 1; depth <= steps.length; depth += 1) {
    const found = await lstat(join(top, ...steps.slice(0, depth))).catch(() => undefined);
    if (found === undefined) return false;
    if (depth === steps.length || !found.isDirectory()) return true;
  }
  return false;
}
