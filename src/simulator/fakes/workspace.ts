/** The Workspace in memory: commits are values, worktrees are maps, and nothing touches the disk. */
import { createHash } from "node:crypto";
import { Trouble } from "../../ports.ts";
import type { Remote, Workspace, Worktree } from "../../ports.ts";
import type { SeenTips, TakenTheirs } from "../../ports-threads.ts";
import type { Sha } from "../../state-machine/ticket.ts";

type Files = ReadonlyMap<string, string>;
interface Commit {
  readonly parent: Sha | undefined;
  /** What a merge brought along. */
  readonly other?: Sha | undefined;
  readonly message: string;
  readonly files: Files;
}
interface Tree {
  readonly is: Worktree;
  head: Sha;
  files: Map<string, string>;
  published: Sha | undefined;
  /** A merge that is not committed yet, and the files it left in conflict. */
  merging?: { readonly tip: Sha; readonly conflicts: readonly string[] } | undefined;
}
/** The fake, with what stands for the disk and for the remote. */
export interface FakeWorkspace extends Workspace {
  /** The files of a worktree, as an agent sees and changes them. */
  files(tree: Worktree): Map<string, string>;
  /** Where each branch of the remote is. */
  readonly branches: Map<string, Sha>;
  /** Somebody else commits these files on this branch of the remote, from its tip or from main. */
  push(branch: string, files: Readonly<Record<string, string>>): Sha;
}

/** A workspace on one remote whose default branch holds these files. */
export function fakeWorkspace(seed: Readonly<Record<string, string>>): FakeWorkspace {
  const yard = openFakeYard();
  yard.push("main", seed);
  const { trees, branches, commits } = yard;
  return {
    branches,
    push: (branch, files) => yard.push(branch, files),
    files: (tree) => yard.tree(tree).files,
    prepare: async (ticket, remote, branch, _hooks, seen) => prepare(yard, { ticket, remote, branch, seen }),
    takeTheirs: async (tree) => takeTheirs(yard, yard.tree(tree), tree),
    // The fake knows no lines: whoever plays suggestions, plays them on git.
    applySuggestions: async () => undefined,
    takeBack: async () => [],
    takeBase: async (tree, commit) => takeBase(yard, yard.tree(tree), tree.base, commit),
    checkoutCold: async (ticket, remote, head, name) => {
      if (!commits.has(head)) throw permanent("git-path", `${head} is no full commit id.`);
      const path = `/cold/${ticket}/${head}/${name}`;
      yard.open(path, head, undefined, yard.mainOf(remote));
      const tree = treeOf(yard.commitAt(head).files);
      return { ...yard.now(yard.at(path), yard.mainOf(remote)), tree, diff: headDiff(yard, remote, head) };
    },
    headDiff: async (remote, head) => headDiff(yard, remote, head),
    written: async (tree) => differing(yard.tree(tree).files, yard.commitAt(tree.head).files),
    fingerprint: async ({ path, head }) => {
      const tree = yard.at(path);
      return diffOf(yard.commitAt(head ?? tree.head).files, tree.files);
    },
    commit: async (tree, message) => {
      if (tree.branch === undefined)
        throw permanent("git-tampered", `${tree.path} is a cold checkout; nothing is committed in it.`);
      const at = yard.tree(tree);
      if (!yard.isClean(at) || at.merging !== undefined)
        at.head = yard.write({
          parent: at.head,
          other: at.merging?.tip,
          message,
          files: new Map(at.files),
        });
      at.merging = undefined;
      return at.head === tree.head ? undefined : at.head;
    },
    publish: async (tree, _remote, branch, expected) => {
      requireName(branch);
      const at = yard.tree(tree);
      const now = branches.get(branch);
      const isBuiltUpon = now !== undefined && yard.contains(now, at.head);
      if (!isBuiltUpon && now !== expected) return { is: "moved", to: now };
      if (!isBuiltUpon) branches.set(branch, at.head);
      at.published = at.head;
      return at.head;
    },
    diff: async (tree) => {
      const head = tree.branch === undefined ? tree.head : yard.tree(tree).head;
      return diffOf(yard.commitAt(tree.base).files, yard.commitAt(head).files);
    },
    restore: async (tree, paths) => {
      const { files } = yard.tree(tree);
      const base = yard.commitAt(tree.base).files;
      for (const path of paths.map(plainPath)) {
        const isBelow = (name: string) => name === path || name.startsWith(`${path}/`);
        for (const name of [...files.keys()].filter(isBelow)) files.delete(name);
        for (const [name, text] of base) if (isBelow(name)) files.set(name, text);
      }
    },
    dropCold: async (tree) => {
      if (tree.branch === undefined) trees.delete(tree.path);
    },
    drop: async (ticket, remote) => drop(yard, { ticket, remote }),
  };
}

interface TicketOrder {
  readonly ticket: string;
  readonly remote: Remote;
}

function prepare(
  yard: FakeYard,
  {
    ticket,
    remote,
    branch,
    seen,
  }: TicketOrder & { readonly branch: string; readonly seen: SeenTips | undefined },
): Worktree {
  requireName(branch);
  const path = `/trees/${ticket}`;
  const main = yard.mainOf(remote);
  const theirs = seen === undefined ? yard.branches.get(branch) : seen.branch;
  const found = yard.trees.get(path);
  if (found === undefined) yard.open(path, theirs ?? main, branch, main);
  else if (
    seen === undefined &&
    theirs !== undefined &&
    yard.isClean(found) &&
    yard.contains(theirs, found.head)
  )
    yard.move(found, theirs);
  return yard.now(yard.at(path), main);
}

function takeBase(yard: FakeYard, at: Tree, base: Sha, commit?: Sha): readonly string[] {
  const tip = commit ?? yard.branches.get("main");
  if (at.merging !== undefined) return at.merging.conflicts;
  if (tip === undefined || yard.contains(at.head, tip)) return [];
  const conflicts = mergeFiles(yard, at, { base, tip });
  at.merging = { tip, conflicts };
  return conflicts;
}

/** The worktree upon what somebody pushed, with what is ours carried over. */
function takeTheirs(yard: FakeYard, at: Tree, { branch, base }: Worktree): TakenTheirs {
  const tip = yard.branches.get(branch ?? "");
  const main = yard.branches.get("main") ?? base;
  const seen = { default: main, branch: tip, base: main };
  const isKept = tip !== undefined && (at.published === undefined || yard.contains(tip, at.published));
  if (tip === undefined || (isKept && yard.contains(at.head, tip))) return { upon: tip, conflicts: [], seen };
  const conflicts = mergeFiles(yard, at, { base: at.published ?? base, tip });
  at.head = tip;
  at.published = tip;
  return { upon: tip, conflicts, seen };
}

/** File by file: what one side alone changed is taken, what both did is marked. */
function mergeFiles(
  yard: FakeYard,
  at: Tree,
  { base, tip }: { readonly base: Sha; readonly tip: Sha },
): readonly string[] {
  const [before, theirs] = [yard.commitAt(base).files, yard.commitAt(tip).files];
  const conflicts: string[] = [];
  for (const name of differing(before, theirs)) {
    const [ours, fresh] = [at.files.get(name), theirs.get(name)];
    if (ours === fresh) continue;
    const isOursToo = ours !== before.get(name);
    if (isOursToo) conflicts.push(name);
    const text = isOursToo ? `<<<<<<< HEAD\n${ours ?? ""}=======\n${fresh ?? ""}>>>>>>> ${tip}\n` : fresh;
    if (text === undefined) at.files.delete(name);
    else at.files.set(name, text);
  }
  return conflicts;
}

function drop(
  yard: FakeYard,
  { ticket, remote }: TicketOrder,
): "dropped" | { readonly is: "kept"; readonly why: string } {
  const path = `/trees/${ticket}`;
  const found = yard.trees.get(path);
  if (found === undefined) return "dropped";
  if (!yard.isClean(found)) return { is: "kept", why: `uncommitted changes in ${path}` };
  const theirs = yard.branches.get(found.is.branch ?? "");
  const safe = theirs === undefined ? [yard.mainOf(remote), found.published] : [yard.mainOf(remote), theirs];
  if (!safe.some((tip) => tip !== undefined && yard.contains(tip, found.head)))
    return { is: "kept", why: `commits in ${path} that the remote does not have` };
  yard.trees.delete(path);
  return "dropped";
}

type FakeYard = ReturnType<typeof openFakeYard>;

function openFakeYard() {
  const trees = new Map<string, Tree>();
  const history = openHistory();
  const { commitAt, branches, ancestry } = history;
  const at = (path: string): Tree => {
    const found = trees.get(path);
    if (found === undefined) throw permanent("git-path", `${path} is no worktree.`);
    return found;
  };
  return {
    ...history,
    trees,
    at,
    tree: ({ path }: Worktree): Tree => at(path),
    isClean: (tree: Tree): boolean => differing(tree.files, commitAt(tree.head).files).length === 0,
    contains: (newer: Sha, older: Sha): boolean => ancestry(newer).includes(older),
    mainOf: ({ repo, upon }: Remote): Sha => {
      if (upon !== undefined) return upon;
      const tip = branches.get(repo.defaultBranch);
      if (tip !== undefined) return tip;
      throw permanent("git-no-default", `${repo.owner}/${repo.name} has no branch ${repo.defaultBranch}.`);
    },
    move: (tree: Tree, to: Sha): void => {
      tree.head = to;
      tree.files = new Map(commitAt(to).files);
    },
    now: (tree: Tree, main: Sha): Worktree => {
      const line = ancestry(main);
      const base = ancestry(tree.head).find((sha) => line.includes(sha)) ?? main;
      return { ...tree.is, head: tree.head, base };
    },
    open: (path: string, head: Sha, branch: string | undefined, base: Sha): void => {
      const is: Worktree = { path, head, base, branch };
      trees.set(path, { is, head, files: new Map(commitAt(head).files), published: undefined });
    },
  };
}

/** Commits and the remote's branches. */
function openHistory() {
  const commits = new Map<Sha, Commit>();
  const branches = new Map<string, Sha>();
  const commitAt = (sha: Sha): Commit => {
    const found = commits.get(sha);
    if (found === undefined) throw permanent("git-path", `${sha} is no commit.`);
    return found;
  };
  const write = (commit: Commit): Sha => {
    const all = JSON.stringify([commit.parent, commit.other, commit.message, [...commit.files]]);
    const sha = createHash("sha1").update(all).digest("hex");
    commits.set(sha, commit);
    return sha;
  };
  return {
    commits,
    branches,
    commitAt,
    write,
    ancestry: (head: Sha): readonly Sha[] => {
      const line = new Set<Sha>();
      // Newest first, so that what a merge brought along is nearer than where both began.
      let next: readonly Sha[] = [head];
      while (next.length > 0) {
        for (const sha of next) line.add(sha);
        next = next
          .flatMap((sha) => [commitAt(sha).other, commitAt(sha).parent])
          .filter((sha) => sha !== undefined);
      }
      return [...line];
    },
    push: (branch: string, files: Readonly<Record<string, string>>): Sha => {
      const parent = branches.get(branch) ?? branches.get("main");
      const before = parent === undefined ? [] : commitAt(parent).files;
      const after = new Map([...before, ...Object.entries(files)]);
      const sha = write({ parent, message: `Change ${branch}`, files: after });
      branches.set(branch, sha);
      return sha;
    },
  };
}

function headDiff(yard: ReturnType<typeof openFakeYard>, remote: Remote, head: Sha): string {
  const line = yard.ancestry(yard.mainOf(remote));
  const base = yard.ancestry(head).find((sha) => line.includes(sha)) ?? yard.mainOf(remote);
  return diffOf(yard.commitAt(base).files, yard.commitAt(head).files);
}

/** Names the files as they are, as a tree does. */
const treeOf = (files: Files): Sha =>
  createHash("sha1")
    .update(JSON.stringify([...files].toSorted(([one], [other]) => (one < other ? -1 : 1))))
    .digest("hex");

function differing(one: Files, other: Files): readonly string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((name) => one.get(name) !== other.get(name));
}

/** Whole files, removed and added: a unified diff that is right, if not the shortest. */
function diffOf(before: Files, after: Files): string {
  const linesOf = (text: string | undefined): readonly string[] =>
    text === undefined ? [] : text.replace(/\n$/, "").split("\n");
  const range = (lines: readonly string[]): string => `${lines.length === 0 ? 0 : 1},${lines.length}`;
  return differing(before, after)
    .toSorted()
    .map((name) => {
      const [old, fresh] = [linesOf(before.get(name)), linesOf(after.get(name))];
      const names = [
        before.has(name) ? `--- a/${name}` : "--- /dev/null",
        after.has(name) ? `+++ b/${name}` : "+++ /dev/null",
      ];
      const body = [...old.map((line) => `-${line}`), ...fresh.map((line) => `+${line}`)];
      return [
        `diff --git a/${name} b/${name}`,
        ...names,
        `@@ -${range(old)} +${range(fresh)} @@`,
        ...body,
        "",
      ].join("\n");
    })
    .join("");
}

function plainPath(path: string): string {
  const plain = path.replace(/\/+$/, "");
  if (plain.split("/").some((step) => ["", ".", "..", ".git"].includes(step.toLowerCase())))
    throw permanent("git-path", `Cannot restore ${JSON.stringify(path)}: it leaves the worktree.`);
  return plain;
}

function requireName(branch: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/.test(branch) || branch.includes(".."))
    throw permanent("git-path", `${JSON.stringify(branch)} is no name for a branch.`);
}

const permanent = (code: string, text: string): Trouble => new Trouble(code, text, { permanent: true });
