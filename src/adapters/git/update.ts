/** Brings a published branch up to date with the default branch: in the mirror alone, so no worktree, hook or filter has a part in it. */
import { Trouble, type Remote } from "../../ports.ts";
import type { Drift, Restack, UpdateAnswer, UpdateMethod } from "../../ports-ci.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { remoteRefs } from "./ls-refs.ts";
import { fetchCommit, fetchTips, lookAt, mirrorFor } from "./mirror.ts";
import { requireBranch, requireSha } from "./paths.ts";
import type { GitOrder } from "./run.ts";
import { contains, mergeBase } from "./commits.ts";
import { authored, networkTo } from "./yard.ts";
import type { Yard } from "./yard.ts";

/** The Drift of the workspaces in this yard. */
export function driftIn(yard: Yard): Drift {
  return {
    isBehind: (remote, head) => isBehind(yard, remote, head),
    update: (remote, branch, head, how, restack) => update(yard, { remote, branch, head, how, restack }),
    publish: (remote, branch, updated) => publishUpdate(yard, { remote, branch, ...updated }),
  };
}

async function isBehind(yard: Yard, remote: Remote, head: Sha): Promise<boolean> {
  requireSha(head);
  const mirror = await mirrorFor(yard, remote);
  const branch = remote.repo.defaultBranch;
  const tips = await lookAt(yard, mirror, remote, branch);
  return await yard.locked(mirror, async () => {
    await fetchTips(yard, { mirror }, remote, { branch, tips });
    await fetchCommit(yard, mirror, remote, head);
    return !(await contains(yard, { mirror }, { older: tips.default, newer: head }));
  });
}

interface Order {
  readonly remote: Remote;
  readonly branch: string;
  readonly head: Sha;
  readonly how: UpdateMethod;
  readonly restack: Restack | undefined;
}
/** The mirror and the three commits it is about. */
interface Ground {
  readonly mirror: string;
  readonly head: Sha;
  readonly oldBase: Sha;
  readonly base: Sha;
}
/** Newest subjects of the base that a reviewer is told. */
const maxSubjects = 20;

async function update(yard: Yard, { remote, branch, head, how, restack }: Order): Promise<UpdateAnswer> {
  requireBranch(branch);
  requireSha(head);
  const mirror = await mirrorFor(yard, remote);
  const tips = await lookAt(yard, mirror, remote, branch);
  if (tips.branch !== head) return { is: "moved", to: tips.branch };
  const base = restack?.onto ?? tips.default;
  for (const sha of [base, restack?.from ?? base]) requireSha(sha);
  return await yard.locked(mirror, async () => {
    await fetchTips(yard, { mirror }, remote, { branch, tips });
    await fetchCommit(yard, mirror, remote, base);
    await requireHeld(yard, mirror, remote, { holds: restack?.holds, base });
    const isThere = await contains(yard, { mirror }, { older: base, newer: head });
    if (isThere && restack === undefined) return { is: "current" };
    const oldBase = await mergeBase(yard, { mirror }, head, restack?.from ?? base);
    if (oldBase === undefined)
      throw new Trouble(
        "git-unrelated",
        `${branch} and ${remote.repo.defaultBranch} of ${remote.url} have no commit in common, so neither can take over the other. Close the pull request and release the ticket anew.`,
        { permanent: true },
      );
    const ground: Ground = { mirror, head, oldBase, base };
    // Somebody settled it with the new base already; what is merely older than the old base says nothing of the kind.
    const isSettled = isThere && !(await contains(yard, { mirror }, { older: base, newer: oldBase }));
    // A merge would keep every commit of what it was stacked on, which has its own way into the base.
    const wanted = restack === undefined ? how : isSettled ? "merge" : "rebase";
    const below = restack === undefined ? base : oldBase;
    const by = wanted === "rebase" && (await isOursAlone(yard, { mirror }, below, head)) ? "rebase" : "merge";
    const name = restack?.onto === undefined ? remote.repo.defaultBranch : base.slice(0, 7);
    const message = `Merge ${name} into ${branch}`;
    const made =
      by === "rebase"
        ? await replay(yard, ground, below)
        : restack === undefined
          ? await merged(yard, ground, message)
          : await restacked(yard, ground, { message, parents: isSettled ? [head] : [head, base] });
    if (typeof made !== "string") return { is: "conflict", files: made.files };
    const [before, after, gained] = await Promise.all([
      patchId(yard, mirror, oldBase, head),
      patchId(yard, mirror, base, made),
      gainedIn(yard, ground),
    ]);
    return {
      is: "updated",
      head: made,
      from: head,
      oldBase,
      base,
      how: by,
      unchanged: before === after,
      gained,
    };
  });
}

async function requireHeld(
  yard: Yard,
  mirror: string,
  remote: Remote,
  { holds, base }: { readonly holds: Sha | undefined; readonly base: Sha },
): Promise<void> {
  if (holds === undefined) return;
  requireSha(holds);
  await fetchCommit(yard, mirror, remote, holds);
  if (await contains(yard, { mirror }, { older: holds, newer: base })) return;
  throw new Trouble(
    "git-moving",
    `${remote.repo.defaultBranch} of ${remote.url} is at ${base.slice(0, 7)}, which does not hold the merge ${holds.slice(0, 7)}.`,
  );
}

interface Conflict {
  readonly files: readonly string[];
}

/** Both sides as one tree, or the files in which they are against each other. */
async function treeOf(yard: Yard, mirror: string, ours: Sha, theirs: Sha): Promise<Sha | Conflict> {
  const out = await yard.git(
    { in: { mirror }, answers: [1] },
    "merge-tree",
    "--write-tree",
    "--name-only",
    "--no-messages",
    "-z",
    ours,
    theirs,
  );
  const [tree = "", ...files] = out.split("\0").filter((part) => part !== "");
  return files.length > 0 ? { files: [...new Set(files)] } : tree.trim();
}

async function merged(yard: Yard, ground: Ground, message: string): Promise<Sha | Conflict> {
  const { mirror, head, base } = ground;
  const tree = await treeOf(yard, mirror, head, base);
  if (typeof tree !== "string") return tree;
  return await commitTree(yard, { mirror, tree, parents: [head, base], message, author: undefined });
}

/** What the branch itself changed, with all that the new base holds in place of what the old one did. */
async function restacked(
  yard: Yard,
  { mirror, head, oldBase, base }: Ground,
  { message, parents }: { readonly message: string; readonly parents: readonly Sha[] },
): Promise<Sha | Conflict> {
  const commit = { mirror, parents, message, author: undefined };
  // As it was settled: only its place is news.
  if (parents.length === 1) return await commitTree(yard, { ...commit, tree: `${head}^{tree}` });
  const beside = await besides(yard, { mirror, base, upon: oldBase });
  const tree = await treeOf(yard, mirror, head, beside);
  return typeof tree === "string" ? await commitTree(yard, { ...commit, tree }) : tree;
}

/** The content of one commit as if it had been made upon another: a merge with it begins there. */
async function besides(
  yard: Yard,
  { mirror, base, upon }: { readonly mirror: string; readonly base: Sha; readonly upon: Sha },
): Promise<Sha> {
  const tree = `${base}^{tree}`;
  return await commitTree(yard, { mirror, tree, parents: [upon], message: "base", author: undefined });
}

/** Whether every commit of the branch is one that this host wrote; a person's is never written anew. */
export async function isOursAlone(yard: Yard, where: GitOrder["in"], base: Sha, head: Sha): Promise<boolean> {
  const { email } = yard.options.author;
  const out = await yard.git({ in: where }, "log", "--format=%P|%ae|%ce", `${base}..${head}`);
  return out
    .split("\n")
    .filter((line) => line !== "")
    .every((line) => {
      const [parents = "", author, committer] = line.split("|");
      return parents.split(" ").length === 1 && author === email && committer === email;
    });
}

/** The commits of the branch, one after the other, upon the new base; one that it holds already is left out. */
async function replay(yard: Yard, { mirror, head, base }: Ground, below: Sha): Promise<Sha | Conflict> {
  const listed = await yard.git(
    { in: { mirror } },
    "rev-list",
    "--reverse",
    "--topo-order",
    `${below}..${head}`,
  );
  let tip = base;
  for (const commit of listed.split("\n").filter((line) => line !== "")) {
    const told = await yard.git(
      { in: { mirror } },
      "show",
      "-s",
      "--format=%T%x00%P%x00%an%x00%ae%x00%aI%x00%B",
      commit,
    );
    const [, parent = "", name = "", email = "", date = "", message = ""] = told.split("\0");
    const tipTree = (await yard.git({ in: { mirror } }, "rev-parse", `${tip}^{tree}`)).trim();
    // What the base gained, as if it had been done upon the commit's parent: then only the commit itself is carried over.
    const beside = await besides(yard, { mirror, base: tip, upon: parent });
    const tree = await treeOf(yard, mirror, beside, commit);
    if (typeof tree !== "string") return tree;
    if (tree === tipTree) continue;
    tip = await commitTree(yard, { mirror, tree, parents: [tip], message, author: { name, email, date } });
  }
  return tip;
}

async function commitTree(
  yard: Yard,
  commit: {
    readonly mirror: string;
    readonly tree: Sha;
    readonly parents: readonly Sha[];
    readonly message: string;
    /** Who wrote it first; the host where it is left out. */
    readonly author: { readonly name: string; readonly email: string; readonly date: string } | undefined;
  },
): Promise<Sha> {
  const { author } = commit;
  const out = await yard.git(
    {
      in: { mirror: commit.mirror },
      input: commit.message,
      environment: {
        ...authored(yard),
        ...(author === undefined
          ? {}
          : {
              GIT_AUTHOR_NAME: author.name,
              GIT_AUTHOR_EMAIL: author.email,
              GIT_AUTHOR_DATE: author.date,
            }),
      },
    },
    "commit-tree",
    commit.tree,
    ...commit.parents.flatMap((parent) => ["-p", parent]),
    "-F",
    "-",
  );
  return out.trim();
}

/** Equal for equal changes, wherever in a file they stand; whitespace counts. */
async function patchId(yard: Yard, mirror: string, base: Sha, head: Sha): Promise<string> {
  const diff = await yard.git(
    { in: { mirror } },
    "diff",
    "--binary",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    base,
    head,
  );
  const out = await yard.git({ in: { mirror }, input: diff }, "patch-id", "--verbatim");
  return out.split(" ")[0] ?? "";
}

async function gainedIn(
  yard: Yard,
  { mirror, oldBase, base }: Ground,
): Promise<{ readonly count: number; readonly subjects: readonly string[] }> {
  const range = `${oldBase}..${base}`;
  const [count, subjects] = await Promise.all([
    yard.git({ in: { mirror } }, "rev-list", "--count", range),
    yard.git({ in: { mirror } }, "log", "-n", `${maxSubjects}`, "--format=%h %s", range),
  ]);
  return {
    count: Number(count.trim()),
    subjects: subjects
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.slice(0, 200)),
  };
}

/** Looks first, so that repeating it is harmless; never overwrites what somebody else pushed meanwhile. */
async function publishUpdate(
  yard: Yard,
  order: { readonly remote: Remote; readonly branch: string; readonly head: Sha; readonly from: Sha },
): Promise<Sha | { readonly is: "moved"; readonly to: Sha | undefined }> {
  const { remote, branch, head, from } = order;
  requireBranch(branch);
  const mirror = await mirrorFor(yard, remote);
  const network = await networkTo(yard, remote, "write");
  const ref = `refs/heads/${branch}`;
  const look = async () => (await remoteRefs(yard, { in: { mirror }, network }, [ref])).get(ref);
  const now = await look();
  if (now === head) return head;
  if (now !== from) return { is: "moved", to: now };
  try {
    await yard.git(
      { in: { mirror }, network },
      "push",
      "--no-verify",
      "--no-follow-tags",
      `--force-with-lease=${ref}:${from}`,
      remote.url,
      `${head}:${ref}`,
    );
  } catch (error) {
    const then = await look();
    if (then === head) return head;
    if (then === from) throw error;
    return { is: "moved", to: then };
  }
  return head;
}
