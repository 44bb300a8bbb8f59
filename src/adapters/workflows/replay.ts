/** Puts a branch on top of another without a checkout: nothing is left behind wherever it is cut short. */
import type { Repository } from "./repository.ts";

export type Replayed =
  | { readonly is: "head"; readonly head: string }
  | { readonly is: "conflict"; readonly files: readonly string[] };

interface Person {
  readonly name: string;
  readonly email: string;
}

/**
 * Where `tip` is once it grows from `onto`: itself when it does already; its commits one by one; or, where it has
 * merges of its own, one merge of both, because what a merge settled would be lost with it. The same question has the
 * same answer, to the hash.
 */
export async function replay(
  repository: Repository,
  order: { readonly onto: string; readonly tip: string; readonly branch: string; readonly committer: Person },
): Promise<Replayed> {
  const { onto, tip } = order;
  const missing = await commitsIn(repository, onto, tip);
  if (missing.length === 0) return { is: "head", head: tip };
  const own = await commitsIn(repository, tip, onto);
  if (own.some(({ parents }) => parents.length > 1)) return mergeAll(repository, order);
  let head = onto;
  for (const commit of own) {
    const picked = await pick(repository, commit, head, order.committer);
    if (picked.is === "conflict") return picked;
    ({ head } = picked);
  }
  return { is: "head", head };
}

interface Commit {
  readonly id: string;
  readonly parents: readonly string[];
}
/** What is in one and not in the other, oldest first. */
async function commitsIn({ git, place }: Repository, one: string, other: string): Promise<readonly Commit[]> {
  const out = await git(
    { in: place },
    "rev-list",
    "--reverse",
    "--topo-order",
    "--parents",
    one,
    `^${other}`,
    "--",
  );
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [id = "", ...parents] = line.split(" ");
      return { id, parents };
    });
}

async function pick(
  repository: Repository,
  { id, parents: [parent] }: Commit,
  onto: string,
  committer: Person,
): Promise<Replayed> {
  if (parent === onto) return { is: "head", head: id };
  const [was, ours, theirs] = await Promise.all([
    parent === undefined ? emptyTree(repository) : treeOf(repository, parent),
    treeOf(repository, onto),
    treeOf(repository, id),
  ]);
  const raw = await repository.git({ in: repository.place }, "cat-file", "commit", id);
  const merged = await mergeTrees(repository, { was, ours, theirs });
  if (merged.is === "conflict") return merged;
  // What is on the other side already leaves nothing; a commit that was empty from the first stays.
  if (merged.tree === ours && was !== theirs) return { is: "head", head: onto };
  const text = rewritten(raw, { tree: merged.tree, parents: [onto], committer });
  return { is: "head", head: await keep(repository, text) };
}

/** The commit with other files and parents; its author, its times and its words stay. */
function rewritten(
  raw: string,
  {
    tree,
    parents,
    committer,
  }: { readonly tree: string; readonly parents: readonly string[]; readonly committer: Person },
): string {
  const end = raw.indexOf("\n\n");
  const head = raw.slice(0, end).split("\n");
  const author = head.find((line) => line.startsWith("author ")) ?? "";
  const at = /\d+ [+-]\d+$/.exec(head.find((line) => line.startsWith("committer ")) ?? "")?.[0] ?? "0 +0000";
  const encoding = head.filter((line) => line.startsWith("encoding "));
  return [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    author,
    `committer ${committer.name} <${committer.email}> ${at}`,
    ...encoding,
    raw.slice(end + 1),
  ].join("\n");
}

async function mergeAll(
  repository: Repository,
  order: { readonly onto: string; readonly tip: string; readonly branch: string; readonly committer: Person },
): Promise<Replayed> {
  const { onto, tip, branch, committer } = order;
  const merged = await mergeCommits(repository, onto, tip);
  if (merged.is === "conflict") return merged;
  const raw = await repository.git({ in: repository.place }, "cat-file", "commit", tip);
  const text = rewritten(raw, { tree: merged.tree, parents: [onto, tip], committer });
  const head = text.slice(0, text.indexOf("\n\n"));
  return { is: "head", head: await keep(repository, `${head}\n\nMerge branch '${branch}'\n`) };
}

type MergedTree =
  | { readonly is: "tree"; readonly tree: string }
  | { readonly is: "conflict"; readonly files: readonly string[] };

/** Git merges commits, so these trees are given a history that says what was between them. */
async function mergeTrees(
  repository: Repository,
  { was, ours, theirs }: { readonly was: string; readonly ours: string; readonly theirs: string },
): Promise<MergedTree> {
  const bare = (tree: string, parents: readonly string[]): Promise<string> =>
    keep(
      repository,
      [
        `tree ${tree}`,
        ...parents.map((parent) => `parent ${parent}`),
        "author - <-> 0 +0000",
        "committer - <-> 0 +0000",
        "",
        "",
      ].join("\n"),
    );
  const root = await bare(was, []);
  const [one, other] = await Promise.all([bare(ours, [root]), bare(theirs, [root])]);
  return mergeCommits(repository, one, other);
}

async function mergeCommits({ git, place }: Repository, ours: string, theirs: string): Promise<MergedTree> {
  const flags = ["--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories"];
  const out = await git({ in: place, answers: [1] }, "merge-tree", ...flags, ours, theirs);
  const [tree = "", ...files] = out.split("\0").filter((word) => word !== "");
  return files.length === 0 ? { is: "tree", tree } : { is: "conflict", files: [...new Set(files)] };
}

const treeOf = async ({ git, place }: Repository, commit: string): Promise<string> =>
  (await git({ in: place }, "rev-parse", "--verify", `${commit}^{tree}`)).trim();
const emptyTree = async ({ git, place }: Repository): Promise<string> =>
  (await git({ in: place, input: "" }, "hash-object", "-t", "tree", "-w", "--stdin")).trim();
const keep = async ({ git, place }: Repository, raw: string): Promise<string> =>
  (await git({ in: place, input: raw }, "hash-object", "-t", "commit", "-w", "--stdin")).trim();
