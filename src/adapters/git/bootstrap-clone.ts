/** A person's own clone as bootstrap uses it: objects and one branch are written, nothing that is checked out. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sha } from "../../state-machine/ticket.ts";
import type { BootstrapYard } from "./bootstrap-yard.ts";
import { quotedPath, type Repository } from "./change.ts";
import { requireBranch } from "./paths.ts";
import { gitRunner } from "./run.ts";

const gitMs = 5 * 60_000;

/** The clone as a yard; `dir` is a folder of ours, for the index. */
export function yardIn(repository: Repository, dir: string, searchPath: string): BootstrapYard {
  const { gitDir, commonDir, top } = repository;
  return {
    git: gitRunner(searchPath, gitMs),
    where: {
      in: top === undefined ? { mirror: gitDir } : { path: top, admin: gitDir, mirror: commonDir },
      settings: [["safe.directory", "*"]],
    },
    dir,
  };
}

/** Lets a yard of our own see what the clone has. */
export async function borrowObjects({ where }: BootstrapYard, { commonDir }: Repository): Promise<void> {
  const info = join(where.in.mirror, "objects", "info");
  await mkdir(info, { recursive: true });
  await writeFile(join(info, "alternates"), `${quotedPath(join(commonDir, "objects"))}\n`);
}

const commit = /^[0-9a-f]{40,64}$/u;

async function commitNamed({ git, where }: BootstrapYard, name: string): Promise<Sha | undefined> {
  const argv = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
  const said = (await git({ ...where, answers: [1, 128] }, ...argv)).trim();
  return commit.test(said) ? said : undefined;
}

/** What is checked out; undefined before the first commit. */
export const headOf = (yard: BootstrapYard): Promise<Sha | undefined> => commitNamed(yard, "HEAD");

/** The branch that is checked out, else the usual name; and whether there is a remote. */
export async function branchInfo({
  git,
  where,
}: BootstrapYard): Promise<{ readonly name: string; readonly remote: boolean }> {
  const quiet = { ...where, answers: [1, 128] };
  const remoteHead = (await git(quiet, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")).trim();
  const head = (await git(quiet, "symbolic-ref", "--quiet", "HEAD")).trim();
  const remotes = (await git(quiet, "config", "--get-regexp", "^remote\\..*\\.url$")).trim();
  const name = remoteHead.replace(/^refs\/remotes\/origin\//u, "") || head.replace(/^refs\/heads\//u, "");
  return { name: name === "" ? "main" : name, remote: remotes !== "" };
}

/** An earlier branch, and whether everything on it is by this address; undefined where there is none. */
export async function standingOf(
  yard: BootstrapYard,
  branch: string,
  base: Sha,
  email: string,
): Promise<
  { readonly tip: Sha; readonly fork: Sha; readonly isOnlyOurs: boolean } | "unrelated" | undefined
> {
  requireBranch(branch);
  const { git, where } = yard;
  const tip = await commitNamed(yard, `refs/heads/${branch}`);
  if (tip === undefined) return undefined;
  const fork = (await git({ ...where, answers: [1] }, "merge-base", base, tip)).trim();
  if (!commit.test(fork)) return "unrelated";
  const authors = await git(where, "log", "--format=%ae%n%ce", `${base}..${tip}`, "--");
  const isOnlyOurs = authors.split("\n").every((line) => line === "" || line === email);
  return { tip, fork, isOnlyOurs };
}

/** Whether any worktree has the branch checked out: moved under it, every file there would look changed. */
export async function isCheckedOut({ git, where }: BootstrapYard, branch: string): Promise<boolean> {
  const listed = await git(where, "worktree", "list", "--porcelain");
  return listed.split("\n").includes(`branch refs/heads/${branch}`);
}

/** Puts the branch on this commit, unless it stands elsewhere by now. */
export async function moveBranch(
  yard: BootstrapYard,
  branch: string,
  head: Sha,
  expected: Sha | undefined,
): Promise<"moved" | "done"> {
  requireBranch(branch);
  const ref = `refs/heads/${branch}`;
  const before = expected ?? "0".repeat(head.length);
  try {
    await yard.git(yard.where, "update-ref", "-m", "forgehand bootstrap", ref, head, before);
    return "done";
  } catch (error) {
    if ((await commitNamed(yard, ref)) === expected) throw error;
    return "moved";
  }
}
