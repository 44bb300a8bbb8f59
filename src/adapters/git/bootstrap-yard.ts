/** Reads a repository's files from a commit, and makes a commit of changes to them, without ever having a working tree. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EntryKind, RepositoryTree } from "../../../bootstrap/tree.ts";
import { Trouble } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { remoteRefs } from "./ls-refs.ts";
import { requireSha } from "./paths.ts";
import { gitRunner, type Git, type GitOrder } from "./run.ts";

/** A repository in which objects may be written. */
export interface BootstrapYard {
  readonly git: Git;
  readonly where: Omit<GitOrder, "input" | "answers" | "network">;
  /** A folder of our own, for the index. */
  readonly dir: string;
}
export interface Author {
  readonly name: string;
  readonly email: string;
}
/** A file that is to be, or not to be. */
export interface TreeChange {
  readonly path: string;
  readonly kind: "file" | "link";
  readonly after: string | undefined;
}

const gitMs = 10 * 60_000;
/** A file that is larger is not read: no manifest is, and nothing of ours. */
const maxFileBytes = 1_000_000;
/** Files read by one process: what it says is held in memory. */
const atOnce = 32;

/** A bare repository of our own in an empty folder. */
export async function openBareYard(dir: string, searchPath: string): Promise<BootstrapYard> {
  const mirror = join(dir, "git");
  await mkdir(mirror, { recursive: true, mode: 0o700 });
  const git = gitRunner(searchPath, gitMs);
  await git({ in: { mirror } }, "init", "--bare", "--template=");
  return { git, where: { in: { mirror } }, dir };
}

/** The tips of these branches, by the remote's own word; an empty repository has none. */
export async function remoteTips(
  { git, where }: BootstrapYard,
  network: NonNullable<GitOrder["network"]>,
  branches: readonly string[],
): Promise<ReadonlyMap<string, Sha>> {
  const refs = branches.map((branch) => `refs/heads/${branch}`);
  const found = await remoteRefs({ git }, { ...where, network }, refs);
  return new Map(
    branches.flatMap((branch) => {
      const tip = found.get(`refs/heads/${branch}`);
      return tip === undefined ? [] : [[branch, tip] as const];
    }),
  );
}

/** Fetches commits with all their files and no history. */
export async function fetchShallow(
  { git, where }: BootstrapYard,
  network: NonNullable<GitOrder["network"]>,
  commits: readonly Sha[],
): Promise<void> {
  for (const commit of commits) requireSha(commit);
  const wanted = [...new Set(commits)].map((commit) => `${commit}:refs/tips/${commit}`);
  const argv = ["fetch", "--no-tags", "--no-write-fetch-head", "--depth=1", network.url, ...wanted];
  await git({ ...where, network }, ...argv);
}

/** Puts a branch of the remote on this commit, unless somebody moved it since it was seen. Safe to repeat. */
export async function pushBranch(
  { git, where }: BootstrapYard,
  network: NonNullable<GitOrder["network"]>,
  order: { readonly branch: string; readonly head: Sha; readonly expected: Sha | undefined },
): Promise<"pushed" | "moved"> {
  const ref = `refs/heads/${order.branch}`;
  const look = async () => (await remoteRefs({ git }, { ...where, network }, [ref])).get(ref);
  const lease = `--force-with-lease=${ref}:${order.expected ?? ""}`;
  try {
    const argv = ["push", "--no-verify", "--no-follow-tags", lease, network.url, `${order.head}:${ref}`];
    await git({ ...where, network }, ...argv);
  } catch (error) {
    const now = await look();
    if (now === order.head) return "pushed";
    if (now !== order.expected) return "moved";
    throw error;
  }
  return "pushed";
}

/** A commit's files, of which none is read before it is asked for. */
export interface LoadedTree {
  /** Computes from the files: what it read in vain is loaded, and it is asked again until nothing is missing. */
  settle<Result>(compute: (tree: RepositoryTree) => Result): Promise<Result>;
  /** The mode of a path that is there. */
  mode(path: string): string | undefined;
}

interface Entry {
  readonly mode: string;
  readonly sha: string;
  readonly bytes: number;
}
const kinds: Readonly<Record<string, EntryKind>> = {
  "100644": "file",
  "100664": "file",
  "100755": "executable",
  "120000": "link",
  "160000": "module",
};

/** Lists a commit's files. */
export async function loadTree({ git, where }: BootstrapYard, commit: Sha): Promise<LoadedTree> {
  const listing = await git(where, "ls-tree", "-r", "-l", "-z", "--full-tree", commit);
  const entries = new Map(
    listing
      .split("\0")
      .filter((line) => line !== "")
      .map((line): [string, Entry] => {
        const tab = line.indexOf("\t");
        const [mode = "", , sha = "", bytes = ""] = line.slice(0, tab).split(/ +/u);
        return [line.slice(tab + 1), { mode, sha, bytes: Number(bytes) || 0 }];
      }),
  );
  const texts = new Map<string, string | undefined>();
  // Between two files: no file can hold the id of a commit that it is part of.
  const between = `${commit}:between`;
  const load = async (paths: readonly string[]): Promise<void> => {
    const readable = paths.filter((path) => {
      const entry = entries.get(path);
      return entry !== undefined && entry.mode !== "160000" && entry.bytes <= maxFileBytes;
    });
    const input = readable.map((path) => `${entries.get(path)?.sha ?? ""}\n${between}\n`).join("");
    const said = readable.length === 0 ? "" : await git({ ...where, input }, "cat-file", "--batch");
    const parts = said.split(`\n${between} missing\n`);
    for (const path of paths) texts.set(path, undefined);
    for (const [index, path] of readable.entries()) {
      const part = parts[index] ?? "";
      const text = part.slice(part.indexOf("\n") + 1);
      // What is no UTF-8 comes with the sign for what could not be read.
      texts.set(path, part === "" || /[\0\ufffd]/u.test(text) ? undefined : text);
    }
  };
  const paths = [...entries.keys()];
  return {
    mode: (path) => entries.get(path)?.mode,
    settle: async (compute) => {
      for (;;) {
        const missing = new Set<string>();
        const result = compute({
          paths,
          kind: (path) => kinds[entries.get(path)?.mode ?? ""],
          read: (path) => {
            if (!entries.has(path)) return undefined;
            if (!texts.has(path)) missing.add(path);
            return texts.get(path);
          },
        });
        if (missing.size === 0) return result;
        const wanted = [...missing];
        for (let from = 0; from < wanted.length; from += atOnce)
          await load(wanted.slice(from, from + atOnce));
      }
    },
  };
}

/** The tree of a commit. */
export const treeOf = async ({ git, where }: BootstrapYard, commit: Sha): Promise<Sha> =>
  (await git(where, "rev-parse", "--verify", "--end-of-options", `${commit}^{tree}`)).trim();

const indexed = ({ where, dir }: BootstrapYard, name: string) => ({
  ...where,
  environment: { ...where.environment, GIT_INDEX_FILE: join(dir, `${name}.index`) },
});

/** The tree with these changes made; `files` is what it lists. */
export async function changedTree(
  yard: BootstrapYard,
  tree: Sha,
  files: Pick<LoadedTree, "mode">,
  changes: readonly TreeChange[],
): Promise<Sha> {
  if (changes.length === 0) return tree;
  const order = indexed(yard, "changed");
  await yard.git(order, "read-tree", tree);
  const [present, gone] = [changes.filter(isPresent), changes.filter((change) => !isPresent(change))];
  const blobs = await writeBlobs(
    yard,
    present.map(({ after }) => after),
  );
  // What goes makes room first: a link may take the place of a folder.
  const lines = [
    ...gone.map(({ path }) => `0 ${"0".repeat(tree.length)}\t${path}\0`),
    ...present.map(({ path, kind }, index) => {
      const mode = kind === "link" ? "120000" : files.mode(path) === "100755" ? "100755" : "100644";
      return `${mode} ${blobs[index] ?? ""}\t${path}\0`;
    }),
  ];
  await yard.git({ ...order, input: lines.join("") }, "update-index", "-z", "--index-info");
  return (await yard.git(order, "write-tree")).trim();
}

const isPresent = (change: TreeChange): change is TreeChange & { readonly after: string } =>
  change.after !== undefined;

/** Their object names, in the same order. */
async function writeBlobs(yard: BootstrapYard, texts: readonly string[]): Promise<readonly Sha[]> {
  if (texts.length === 0) return [];
  const folder = join(yard.dir, "blobs");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = texts.map((_, index) => join(folder, String(index)));
  await Promise.all(files.map((file, index) => writeFile(file, texts[index] ?? "")));
  const said = await yard.git(yard.where, "hash-object", "-w", "--no-filters", "--", ...files);
  return said.trim().split("\n");
}

const epoch = { GIT_AUTHOR_DATE: "1970-01-01T00:00:00Z", GIT_COMMITTER_DATE: "1970-01-01T00:00:00Z" };

/** What became of a base on two sides, as one tree; undefined where they are in conflict. The commits need no history. */
export async function mergedTree(
  yard: BootstrapYard,
  { base, one, other }: { readonly base: Sha; readonly one: Sha; readonly other: Sha },
): Promise<Sha | undefined> {
  const { git, where } = yard;
  const nobody = { ...epoch, ...signature({ name: "nobody", email: "nobody@localhost" }) };
  const order = { ...where, environment: { ...where.environment, ...nobody } };
  // Commits of our own, so that git finds the base that we know, also where the history is not here.
  const bare = async (commit: Sha, ...parents: readonly string[]): Promise<Sha> =>
    (await git(order, "commit-tree", `${commit}^{tree}`, ...parents, "-m", "side")).trim();
  const root = await bare(base);
  const sides = [await bare(one, "-p", root), await bare(other, "-p", root)];
  const said = await git({ ...order, answers: [1] }, "merge-tree", "--write-tree", ...sides);
  const [tree = "", ...more] = said.trim().split("\n");
  return more.length === 0 && /^[0-9a-f]{40,64}$/u.test(tree) ? tree : undefined;
}

const signature = ({ name, email }: Author) => ({
  GIT_AUTHOR_NAME: name,
  GIT_AUTHOR_EMAIL: email,
  GIT_COMMITTER_NAME: name,
  GIT_COMMITTER_EMAIL: email,
});

/** Makes a commit that no branch has yet. */
export async function commitTree(
  { git, where }: BootstrapYard,
  order: {
    readonly tree: Sha;
    readonly parents: readonly Sha[];
    readonly message: string;
    readonly author: Author;
  },
): Promise<Sha> {
  const environment = { ...where.environment, ...signature(order.author) };
  const parents = order.parents.flatMap((parent) => ["-p", parent]);
  const said = await git(
    { ...where, environment, input: order.message },
    "commit-tree",
    order.tree,
    ...parents,
  );
  return said.trim();
}

/** What turns one tree into the other, as `git apply` takes it. */
export const patchBetween = ({ git, where }: BootstrapYard, one: Sha, other: Sha): Promise<string> =>
  git(
    where,
    "diff",
    "--no-color",
    "--no-ext-diff",
    "--no-renames",
    "--no-textconv",
    "--full-index",
    one,
    other,
  );

/** The paths in which two trees differ, and how. */
export async function pathsBetween(
  { git, where }: BootstrapYard,
  one: Sha,
  other: Sha,
): Promise<readonly { readonly path: string; readonly is: "new" | "changed" | "removed" }[]> {
  const argv = ["diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", one, other];
  const words = (await git(where, ...argv)).split("\0");
  return words.flatMap((letter, index) => {
    const path = words[index + 1];
    if (index % 2 !== 0 || path === undefined) return [];
    return [{ path, is: letter === "A" ? "new" : letter === "D" ? "removed" : "changed" } as const];
  });
}

/** A push that the remote refused by a rule of its own. */
export const isRefusedPush = (error: unknown): error is Trouble =>
  error instanceof Trouble && error.code === "git-rejected";
