/** A change of any repository as two trees in a yard of our own: nothing is written into the repository it comes from. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { Trouble } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { gitRunner, type Git, type GitOrder } from "./run.ts";

/** A repository of the caller's. */
export interface Repository {
  readonly gitDir: string;
  /** What its worktrees share, objects among it. */
  readonly commonDir: string;
  /** Undefined for a bare one. */
  readonly top: string | undefined;
  /** Of its owner's configuration, what decides which files count and how they are kept. */
  readonly settings: readonly (readonly [string, string])[];
}
/** A bare repository that sees the objects of another and keeps its own. */
export interface ChangeYard {
  readonly dir: string;
  readonly git: Git;
}
export interface Trees {
  readonly base: Sha;
  readonly head: Sha;
}

const gitMs = 5 * 60_000;
/** The change as two commits on these branches. */
export const yardBranches = { base: "main", head: "change" } as const;

/** The repository around a folder; undefined where there is none. */
export async function findRepository(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Repository | undefined> {
  const ask = async (...argv: readonly string[]): Promise<string | undefined> => {
    const done = await execa("git", argv, {
      cwd: folder,
      env: { ...env, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0" },
      extendEnv: false,
      stdin: "ignore",
      reject: false,
      timeout: gitMs,
    });
    if (done.code === "ENOENT")
      throw new Trouble("git-missing", "git was not found. Install git 2.38 or newer.", { permanent: true });
    if (/dubious ownership/u.test(done.stderr))
      throw new Trouble("git-owner", done.stderr.trim(), { permanent: true });
    return done.exitCode === 0 ? done.stdout : undefined;
  };
  const found = await ask("rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir");
  const [gitDir, commonDir] = found?.split("\n") ?? [];
  if (gitDir === undefined || commonDir === undefined) return undefined;
  const top = await ask("rev-parse", "--path-format=absolute", "--show-toplevel");
  const excludes = await ask("config", "--type=path", "--get", "core.excludesFile");
  const fallback =
    env["XDG_CONFIG_HOME"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".config"));
  const ignore = excludes ?? (fallback === undefined ? undefined : join(fallback, "git", "ignore"));
  const crlf = await ask("config", "--get", "core.autocrlf");
  const settings: [string, string][] = [];
  if (ignore !== undefined && ignore !== "") settings.push(["core.excludesFile", ignore]);
  if (crlf !== undefined) settings.push(["core.autocrlf", crlf]);
  return { gitDir, commonDir, top: top === "" ? undefined : top, settings };
}

/** Makes a yard in an empty folder; it sees what the repository has, where there is one. */
export async function openChangeYard(
  dir: string,
  repository: Repository | undefined,
  searchPath: string,
): Promise<ChangeYard> {
  const git = gitRunner(searchPath, gitMs);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await git(
    { in: { mirror: dir } },
    "init",
    "--bare",
    "--template=",
    `--initial-branch=${yardBranches.base}`,
  );
  if (repository !== undefined) {
    await mkdir(join(dir, "objects", "info"), { recursive: true });
    const objects = join(repository.commonDir, "objects");
    await writeFile(join(dir, "objects", "info", "alternates"), `${quotedPath(objects)}\n`);
  }
  return { dir, git };
}

/** As git reads one line of its alternates. */
export const quotedPath = (path: string): string =>
  /["\\\n]/u.test(path) || path.startsWith("#")
    ? `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`
    : path;

/** In its top folder: from anywhere else git would speak of that part alone. */
const inRepository = ({ gitDir, commonDir, top, settings }: Repository): GitOrder => ({
  in: top === undefined ? { mirror: gitDir } : { path: top, admin: gitDir, mirror: commonDir },
  settings: [["safe.directory", "*"], ...settings],
});

/** The commit behind a name; undefined where there is none. */
export async function commitOf(
  { git }: ChangeYard,
  from: Repository,
  name: string,
): Promise<Sha | undefined> {
  const argv = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
  const out = await git({ ...inRepository(from), answers: [1, 128] }, ...argv);
  return /^[0-9a-f]{40,64}$/u.test(out.trim()) ? out.trim() : undefined;
}

/** The name of what a branch starts from here: the remote's default branch, else a local one of the usual names. */
export async function defaultBase(yard: ChangeYard, from: Repository): Promise<string | undefined> {
  const argv = ["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"];
  const out = (await yard.git({ ...inRepository(from), answers: [1, 128] }, ...argv)).trim();
  const usual = ["origin/main", "origin/master", "main", "master"];
  for (const name of [...(out === "" ? [] : [out.replace("refs/remotes/", "")]), ...usual])
    if ((await commitOf(yard, from, name)) !== undefined) return name;
  return undefined;
}

/** Newest commit that is in both; undefined when they have none in common here. */
export async function forkOf(
  { git }: ChangeYard,
  from: Repository,
  one: Sha,
  other: Sha,
): Promise<Sha | undefined> {
  const out = await git({ ...inRepository(from), answers: [1] }, "merge-base", one, other);
  return out.trim() === "" ? undefined : out.trim();
}

export const isShallow = async ({ git }: ChangeYard, from: Repository): Promise<boolean> =>
  (await git(inRepository(from), "rev-parse", "--is-shallow-repository")).trim() === "true";

/** What the commits between two say they are for, newest first. */
export async function messagesBetween(
  { git }: ChangeYard,
  from: Repository,
  { base, head }: Trees,
): Promise<string> {
  return await git(inRepository(from), "log", "--max-count=50", "--format=%B", `${base}..${head}`);
}

const treeOf = async ({ git, dir }: ChangeYard, commit: Sha): Promise<Sha> =>
  (await git({ in: { mirror: dir } }, "rev-parse", "--verify", `${commit}^{tree}`)).trim();

/** The trees of two commits that the yard sees. */
export const treesOf = async (yard: ChangeYard, { base, head }: Trees): Promise<Trees> => ({
  base: await treeOf(yard, base),
  head: await treeOf(yard, head),
});

/** An order on an index of our own. */
const onIndex = (
  { dir }: ChangeYard,
  name: string,
  more: Readonly<Record<string, string>> = {},
): GitOrder => ({
  in: { mirror: dir },
  environment: { GIT_INDEX_FILE: join(dir, `${name}.index`), ...more },
});

/** What is staged, as a tree. Throws trouble where a merge is not settled. */
export async function stagedTree(yard: ChangeYard, from: Repository): Promise<Sha> {
  const listing = await yard.git(inRepository(from), "ls-files", "--stage", "-z");
  const entries = listing.split("\0").filter((entry) => entry !== "");
  const open = entries.find((entry) => /^\d+ [0-9a-f]+ [1-3]\t/u.test(entry));
  if (open !== undefined)
    throw new Trouble(
      "git-unmerged",
      `${open.split("\t")[1] ?? "a file"} is in conflict. Settle the merge and \`git add\` it first.`,
      { permanent: true },
    );
  const order = onIndex(yard, "staged");
  await yard.git(order, "read-tree", "--empty");
  await updateIndex(yard, order, entries, "--index-info");
  return (await yard.git(order, "write-tree")).trim();
}

async function updateIndex(
  { git }: ChangeYard,
  order: GitOrder,
  lines: readonly string[],
  ...argv: readonly string[]
): Promise<void> {
  // Without a word on its input it would wait for one.
  if (lines.length === 0) return;
  const input = lines.map((line) => `${line}\0`).join("");
  await git({ ...order, input }, "update-index", "-z", ...argv);
}

/** Everything in the working tree that git would not ignore, as a tree. */
export async function worktreeTree(yard: ChangeYard, from: Repository): Promise<Sha> {
  const { top, settings } = from;
  if (top === undefined)
    throw new Trouble("git-bare", "This repository is bare: it has no working tree.", { permanent: true });
  await stagedTree(yard, from);
  const list = async (...argv: readonly string[]): Promise<readonly string[]> =>
    (await yard.git(inRepository(from), "ls-files", "-z", ...argv)).split("\0").filter((name) => name !== "");
  const names = [
    ...(await list("--modified", "--deleted")),
    // A repository of its own inside this one is listed as a folder; it is no part of this one.
    ...(await list("--others", "--exclude-standard")).filter((name) => !name.endsWith("/")),
  ];
  const order = onIndex(yard, "staged", { GIT_WORK_TREE: top });
  // Without the repository's own filters: none of its programs runs here.
  await updateIndex(yard, { ...order, settings }, [...new Set(names)], "--add", "--remove", "--stdin");
  return (await yard.git(order, "write-tree")).trim();
}

/**
 * Both sides of a patch: what it makes of this tree, or, where the tree has it already, what was before it. Undefined
 * where it fits neither way, with git's reason.
 */
export async function treesOfPatch(
  yard: ChangeYard,
  ground: Sha,
  patch: string,
): Promise<Trees | { readonly why: string }> {
  const apply = async (name: string, ...how: readonly string[]): Promise<Sha> => {
    const order = onIndex(yard, name);
    await yard.git(order, "read-tree", ground);
    const argv = ["apply", "--cached", "--whitespace=nowarn", ...how, "-"];
    await yard.git({ ...order, input: patch }, ...argv);
    return (await yard.git(order, "write-tree")).trim();
  };
  try {
    return { base: ground, head: await apply("forward") };
  } catch (forward) {
    try {
      return { base: await apply("backward", "--reverse"), head: ground };
    } catch {
      return { why: forward instanceof Error ? forward.message : String(forward) };
    }
  }
}

/** Fetches two commits with all that belongs to them, and no history. */
export async function fetchCommits(
  { git, dir }: ChangeYard,
  from: { readonly url: string; readonly header: string | undefined },
  { base, head }: Trees,
): Promise<void> {
  await git(
    { in: { mirror: dir }, network: from },
    "fetch",
    "--no-tags",
    "--no-write-fetch-head",
    "--depth=1",
    from.url,
    `${base}:refs/fetched/base`,
    `${head}:refs/fetched/head`,
  );
}

/** A file of a tree; undefined where it is none. */
export async function fileIn({ git, dir }: ChangeYard, tree: Sha, path: string): Promise<string | undefined> {
  const kind = await git({ in: { mirror: dir }, answers: [128] }, "cat-file", "-t", `${tree}:${path}`);
  return kind.trim() === "blob"
    ? await git({ in: { mirror: dir } }, "cat-file", "blob", `${tree}:${path}`)
    : undefined;
}

/** The Markdown files right in a folder of a tree, by name. */
export async function markdownIn(
  yard: ChangeYard,
  tree: Sha,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  const order: GitOrder = { in: { mirror: yard.dir } };
  const listing = await yard.git(order, "ls-tree", "-z", "--name-only", tree, `${folder}/`);
  const found: Record<string, string> = {};
  for (const path of listing
    .split("\0")
    .filter((name) => name.endsWith(".md"))
    .slice(0, 50)) {
    const text = await fileIn(yard, tree, path);
    if (text !== undefined) found[path.slice(folder.length + 1, -".md".length)] = text;
  }
  return found;
}

/**
 * Makes two commits of the trees, without history, authors and words: a reviewer sees the code before and after, and
 * nothing of how it came about. The yard can then be fetched from like any remote.
 */
export async function sealChange({ git, dir }: ChangeYard, trees: Trees): Promise<Trees> {
  const name = "forgehand";
  const email = "forgehand@localhost";
  const epoch = "1970-01-01T00:00:00Z";
  const environment = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: epoch,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: epoch,
  };
  const order: GitOrder = { in: { mirror: dir }, environment };
  const base = (await git(order, "commit-tree", trees.base, "-m", "before")).trim();
  const head = (await git(order, "commit-tree", trees.head, "-p", base, "-m", "after")).trim();
  await git(order, "update-ref", `refs/heads/${yardBranches.base}`, base);
  await git(order, "update-ref", `refs/heads/${yardBranches.head}`, head);
  return { base, head };
}
