/** What stands in the person's repository: branches, commits, and which checkout has a branch. */
import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { CommitFacts } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { requireBranch } from "../git/paths.ts";
import type { Git } from "../git/run.ts";
import type { LocalPlace } from "./place.ts";

export interface LocalRefs {
  /** The commit at a branch's tip; undefined where there is no such branch. */
  tip(branch: string): Promise<Sha | undefined>;
  commit(sha: Sha): Promise<CommitFacts | undefined>;
  contains(newer: Sha, older: Sha): Promise<boolean>;
  /** The tree of both, or the files in which they conflict. */
  merged(base: Sha, head: Sha): Promise<{ readonly tree: Sha } | { readonly files: readonly string[] }>;
  /** The checkout in which a branch is checked out. */
  checkoutOf(branch: string): Promise<string | undefined>;
  /** What somebody is in the middle of with a branch, such as a rebase; undefined where nobody is. */
  busyWith(branch: string): string | undefined;
  /** Branches of tickets, and this one, by their tips. */
  tips(base: string): Promise<ReadonlyMap<string, Sha>>;
  git(input: string | undefined, ...argv: readonly string[]): Promise<string>;
  /** Makes a commit that no branch knows yet. */
  make(commit: NewCommit): Promise<Sha>;
}
export interface NewCommit {
  readonly tree: Sha;
  readonly parents: readonly Sha[];
  readonly message: string;
  readonly by: { readonly name: string; readonly email: string };
}

/** Begins the name of every branch of a ticket. */
export const ownBranches = "forgehand/";
const oneSha = /^[0-9a-f]{40}$/u;

export function localRefs({ gitDir, top }: Pick<LocalPlace, "gitDir" | "top">, git: Git): LocalRefs {
  const at = { mirror: gitDir };
  const ask: LocalRefs["git"] = (input, ...argv) =>
    git({ in: at, ...(input === undefined ? {} : { input }) }, ...argv);
  const answered = (answers: readonly number[], ...argv: readonly string[]): Promise<string> =>
    git({ in: at, answers }, ...argv);
  return {
    git: ask,
    make: async ({ tree, parents, message, by }) => {
      const environment = {
        GIT_AUTHOR_NAME: by.name,
        GIT_AUTHOR_EMAIL: by.email,
        GIT_COMMITTER_NAME: by.name,
        GIT_COMMITTER_EMAIL: by.email,
      };
      const on = parents.flatMap((parent) => ["-p", parent]);
      return (
        await git({ in: at, environment, input: message }, "commit-tree", tree, ...on, "-F", "-")
      ).trim();
    },
    tip: async (branch) => {
      requireBranch(branch);
      const said = await ask(
        undefined,
        "for-each-ref",
        "--format=%(refname) %(objectname)",
        `refs/heads/${branch}`,
      );
      const line = said.split("\n").find((one) => one.startsWith(`refs/heads/${branch} `));
      return line?.slice(line.lastIndexOf(" ") + 1);
    },
    commit: async (sha) => {
      if (!oneSha.test(sha)) return undefined;
      const kind = (await ask(`${sha}\n`, "cat-file", "--batch-check")).trim().split(" ")[1];
      if (kind !== "commit") return undefined;
      const [head = ""] = (await ask(undefined, "cat-file", "commit", sha)).split("\n\n", 1);
      const tree = /^tree ([0-9a-f]+)$/mu.exec(head)?.[1] ?? "";
      return {
        tree,
        parents: [...head.matchAll(/^parent ([0-9a-f]+)$/gmu)].map(([, parent = ""]) => parent),
      };
    },
    contains: async (newer, older) => {
      if (newer === older) return true;
      // What no branch knows is swept away by a `git gc` of theirs; then it is in no branch either.
      const isThere = !(await ask(`${older}\n`, "cat-file", "--batch-check")).includes(" missing");
      if (!isThere) return false;
      const count = await ask(undefined, "rev-list", "--count", "-n", "1", older, `^${newer}`);
      return count.trim() === "0";
    },
    merged: async (base, head) => {
      const said = await answered(
        [1],
        "merge-tree",
        "--write-tree",
        "--name-only",
        "-z",
        "--no-messages",
        base,
        head,
      );
      const [tree = "", ...files] = said.split("\0").filter((one) => one !== "");
      return files.length === 0 ? { tree: tree.trim() } : { files: [...new Set(files)] };
    },
    checkoutOf: async (branch) => {
      const said = await ask(undefined, "worktree", "list", "--porcelain", "-z");
      for (const block of said.split("\0\0")) {
        const lines = block.split("\0");
        const path = lines.find((line) => line.startsWith("worktree "))?.slice("worktree ".length);
        if (path === undefined || !lines.includes(`branch refs/heads/${branch}`)) continue;
        // Of a submodule, or of a folder of git that lies elsewhere, git names that folder and not the checkout.
        const checkout = path === gitDir ? mainCheckout({ gitDir, top }) : path;
        if (checkout !== undefined && existsSync(join(checkout, ".git"))) return checkout;
      }
      return undefined;
    },
    busyWith: (branch) => busyIn(gitDir, branch),
    tips: async (base) => {
      const said = await ask(
        undefined,
        "for-each-ref",
        "--format=%(refname:lstrip=2) %(objectname)",
        `refs/heads/${base}`,
        `refs/heads/${ownBranches}`,
      );
      return new Map(
        said.split("\n").flatMap((line): [string, Sha][] => {
          const cut = line.lastIndexOf(" ");
          return cut < 0 ? [] : [[line.slice(0, cut), line.slice(cut + 1)]];
        }),
      );
    },
  };
}

/** Where somebody stands, if the repository's own HEAD is that checkout's; a worktree has one of its own. */
function mainCheckout({ gitDir, top }: Pick<LocalPlace, "gitDir" | "top">): string | undefined {
  if (top === undefined) return undefined;
  const own = join(top, ".git");
  const named = statSync(own).isFile() ? /^gitdir: (.+)$/mu.exec(readFileSync(own, "utf8"))?.[1] : own;
  return named !== undefined && realpathSync(resolve(top, named.trim())) === gitDir ? top : undefined;
}

/** A rebase or a bisection leaves its branch checked out nowhere, and puts it back in the end. */
function busyIn(gitDir: string, branch: string): string | undefined {
  const worktrees = join(gitDir, "worktrees");
  const folders = [
    gitDir,
    ...(existsSync(worktrees) ? readdirSync(worktrees).map((name) => join(worktrees, name)) : []),
  ];
  for (const folder of folders) {
    for (const [file, what] of [
      ["rebase-merge/head-name", "rebase"],
      ["rebase-apply/head-name", "rebase"],
      ["BISECT_START", "bisect"],
    ] as const) {
      const path = join(folder, file);
      if (
        existsSync(path) &&
        readFileSync(path, "utf8")
          .trim()
          .replace(/^refs\/heads\//u, "") === branch
      )
        return what;
    }
  }
  return undefined;
}
