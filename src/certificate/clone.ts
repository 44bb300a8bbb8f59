/** Whether a clone of the repository agrees with a certificate. */
import type { Sha } from "../state-machine/ticket.ts";
import type { Fault } from "./fault.ts";
import type { Certificate, Method } from "./schema.ts";

/** What a clone is asked. Nothing is fetched and nothing is written. */
export interface Clone {
  readonly path: string;
  commit(sha: Sha): Promise<{ readonly tree: Sha; readonly parents: readonly Sha[] } | undefined>;
  /** The files of a three-way merge of two commits. */
  merged(one: Sha, other: Sha): Promise<Sha | "conflict">;
  /** The newest commit that both come from; undefined when they share none. */
  fork(one: Sha, other: Sha): Promise<Sha | undefined>;
  /** Commits of the second that the first lacks, oldest first, without merges. */
  between(older: Sha, newer: Sha): Promise<readonly Sha[]>;
  /** The files after each of these commits, picked one after the other onto another; a conflict ends it. */
  picked(onto: Sha, commits: readonly Sha[]): Promise<readonly Sha[] | "conflict">;
}

/** Nobody reviews more commits at once, and each is picked anew. */
const maxCommits = 500;

/** Compares commits, trees and parents with what git itself says. */
export async function cloneFaults(clone: Clone, certificate: Certificate): Promise<readonly Fault[]> {
  const { head, merge, review } = certificate;
  const evidence = review?.evidence ?? undefined;
  const wanted = [
    ["head", head],
    ["review.evidence.base", evidence?.base],
    ["merge.commit", merge.commit ?? undefined],
  ] as const;
  for (const [field, sha] of wanted) {
    if (sha !== undefined && (await clone.commit(sha)) === undefined) return [missing(clone, field, sha)];
  }
  return [
    ...(evidence === undefined ? [] : await reviewFaults(clone, head, evidence)),
    ...(await mergeFaults(clone, certificate)),
  ];
}

/** A merged branch is usually deleted; GitHub keeps its head under the pull request. */
const missing = (clone: Clone, field: string, sha: Sha): Fault => ({
  field: "clone",
  why: `${clone.path} lacks ${field} ${sha}`,
  do: `git -C ${clone.path} fetch origin ${sha} (of a shallow clone also \`git fetch --unshallow\`)`,
});

async function reviewFaults(
  clone: Clone,
  head: Sha,
  { base, tree }: { readonly base: Sha; readonly tree: Sha | null },
): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  const files = (await clone.commit(head))?.tree;
  if (tree !== null && tree !== files)
    faults.push({
      field: "review.evidence.tree",
      why: `the reviewer had the files ${tree}, and ${head} has ${files ?? "none"}`,
    });
  if ((await clone.fork(base, head)) !== base)
    faults.push({ field: "review.evidence.base", why: `${head} does not come from ${base}` });
  return faults;
}

async function mergeFaults(
  clone: Clone,
  { head, merge }: Pick<Certificate, "head" | "merge">,
): Promise<readonly Fault[]> {
  const at = merge.commit === null ? undefined : await clone.commit(merge.commit);
  if (merge.commit === null || at === undefined) return [];
  const faults: Fault[] = [];
  if (merge.tree !== null && merge.tree !== at.tree)
    faults.push({ field: "merge.tree", why: `${merge.commit} has the files ${at.tree}` });
  if (merge.parents !== null && merge.parents.join() !== at.parents.join())
    faults.push({ field: "merge.parents", why: `${merge.commit} has the parents ${at.parents.join(", ")}` });
  if (faults.length > 0) return faults;
  const why = await methodBroken(clone, { head, commit: merge.commit, ...at }, merge.method);
  return why === undefined ? [] : [{ field: "merge.commit", why }];
}

interface Made {
  readonly head: Sha;
  readonly commit: Sha;
  readonly tree: Sha;
  readonly parents: readonly Sha[];
}

/** Why this commit is not what merging that head by that method gives. */
async function methodBroken(clone: Clone, made: Made, method: Method): Promise<string | undefined> {
  const { head, commit, parents } = made;
  switch (method) {
    case "fast-forward":
      return commit === head ? undefined : `${commit} is not the head itself`;
    case "merge":
      return parents.length === 2 && parents[1] === head
        ? await treeBroken(clone, made, parents[0])
        : `its parents are not the base and the head`;
    case "squash":
      return parents.length === 1
        ? await treeBroken(clone, made, parents[0])
        : `a squashed commit has one parent, this one has ${parents.length}`;
    case "rebase":
      return await rebaseBroken(clone, made);
    case "unknown": {
      const squashed = parents.length === 1 ? await treeBroken(clone, made, parents[0]) : "it is no squash";
      return squashed === undefined ? undefined : await rebaseBroken(clone, made);
    }
  }
}

async function treeBroken(
  clone: Clone,
  { head, tree }: Made,
  base: Sha | undefined,
): Promise<string | undefined> {
  if (base === undefined) return "it has no parent";
  if ((await clone.commit(base)) === undefined)
    return `its parent ${base} is not in the clone: git -C ${clone.path} fetch --unshallow`;
  const wanted = await clone.merged(base, head);
  if (wanted === tree) return undefined;
  return wanted === "conflict"
    ? `${head} conflicts with ${base}: somebody settled it outside the reviewed head`
    : `it has the files ${tree}; ${head} merged with ${base} gives ${wanted}`;
}

/** Each commit of the head, picked onto what was there before, must give the files of one commit of the base. */
async function rebaseBroken(clone: Clone, { head, commit }: Made): Promise<string | undefined> {
  const fork = await clone.fork(head, commit);
  if (fork === undefined) return "it shares no history with the head";
  const commits = await clone.between(fork, head);
  if (commits.length > maxCommits)
    return `the head has more than ${maxCommits} commits, too many to pick again`;
  const line = await lineTo(clone, commit, commits.length);
  // What the base had already comes out empty and is left out, so that fewer commits arrive than left.
  for (let arrived = commits.length; arrived > 0; arrived -= 1) {
    const onto = line[arrived];
    if (onto === undefined) continue;
    const trees = await clone.picked(onto.sha, commits);
    if (trees === "conflict") continue;
    const made = line.slice(0, arrived).toReversed();
    const steps = [onto.tree, ...trees].filter((tree, index, all) => index === 0 || tree !== all[index - 1]);
    if (steps.slice(1).join() === made.map(({ tree }) => tree).join()) return undefined;
  }
  return `it is not what ${commits.length} rebased commits of ${head} come to`;
}

/** A commit and its first parents, newest first. */
async function lineTo(
  clone: Clone,
  from: Sha,
  count: number,
): Promise<readonly { readonly sha: Sha; readonly tree: Sha }[]> {
  const line: { readonly sha: Sha; readonly tree: Sha }[] = [];
  let sha: Sha | undefined = from;
  while (sha !== undefined && line.length <= count) {
    const at: Awaited<ReturnType<Clone["commit"]>> = await clone.commit(sha);
    if (at === undefined) break;
    line.push({ sha, tree: at.tree });
    sha = at.parents[0];
  }
  return line;
}
