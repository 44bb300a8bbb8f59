/** Worktrees for workflows: a branch and a folder of its own for each, found again by name and never lost with work in it. */
import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Landed, OpenedWorktree, WorktreeName, Worktrees } from "../../engine/host.ts";
import { Trouble } from "../../ports.ts";
import { kindAt, keyOf, realRoot, requireBranch, verify, type Place } from "../git/paths.ts";
import { gitRunner, type Git } from "../git/run.ts";
import { placeTrouble } from "../git/trouble.ts";
import { contains, resolve } from "../git/commits.ts";
import { advance, listed, pathsIn, settle } from "./advance.ts";
import { replay } from "./replay.ts";
import { placeIn, refStep, repositoryAt, worktreeRoot, type Repository } from "./repository.ts";

export interface WorktreesOptions {
  /** Where worktrees lie; `.forgehand/worktrees` beside the files of the repository when undefined. */
  readonly root?: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Where git is looked for, as in `PATH`. */
  readonly searchPath: string;
  readonly gitMs: number;
}

/** How often a landing is begun again because somebody else's came first. */
const maxRounds = 20;

/** One per process: landings in one repository queue up in it, and those of other processes are found by git's own locks. */
export function openWorktrees(options: WorktreesOptions): Worktrees {
  const base = gitRunner(options.searchPath, options.gitMs);
  const house: House = { options, base, locked: queues() };
  return {
    open: async (order) => {
      const lane = await laneOf(house, order);
      return house.locked(lane.repository.place.mirror, () => openLane(lane, order.from));
    },
    isThere: async (path) => kindAt(path) === "directory",
    commit: async (order) => commitLane(house, await laneOf(house, order), order.message),
    land: async (order, check) => landLane(house, await laneOf(house, order), order.into, check),
    close: async (order) => {
      const lane = await laneOf(house, order);
      const into = await targetOf(lane.repository, order.into);
      return house.locked(lane.repository.place.mirror, () => closeLane(lane, into, order.drop));
    },
  };
}

interface House {
  readonly options: WorktreesOptions;
  readonly base: Git;
  readonly locked: <T>(mirror: string, work: () => Promise<T>) => Promise<T>;
}
/** Everything a name stands for. */
interface Lane {
  readonly name: string;
  readonly repository: Repository;
  readonly at: Place;
  /** Where a landing's check works. */
  readonly scratch: Place;
  readonly branch: string;
  /** The commit its branch grew from; there from before the branch is. */
  readonly baseRef: string;
  /** The branch as it was landed, and what it became. */
  readonly tipRef: string;
  readonly headRef: string;
}

/** Work on one repository, one after the other. */
function queues(): House["locked"] {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(mirror: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(mirror) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    last.set(mirror, settled);
    try {
      return await mine;
    } finally {
      if (last.get(mirror) === settled) last.delete(mirror);
    }
  };
}

async function laneOf({ options, base }: House, { folder, run, name, branch }: WorktreeName): Promise<Lane> {
  const repository = await repositoryAt(base, folder);
  const root = options.root === undefined ? await worktreeRoot(repository) : await realRoot(options.root);
  const branchName = branch ?? `forgehand/${slug(run)}/${slug(name)}`;
  requireBranch(branchName);
  const refs = `refs/forgehand/worktrees/${refStep(run)}/${refStep(name)}`;
  return {
    name,
    repository,
    at: await placeIn(repository, { root, run, name }),
    scratch: await placeIn(repository, { root, run, name: `check ${name}` }),
    branch: branchName,
    baseRef: `${refs}/base`,
    tipRef: `${refs}/tip`,
    headRef: `${refs}/head`,
  };
}

/** A step of a branch's name: the identifier itself where it can be, and never the same for two of them. */
function slug(identifier: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_-]{0,60}$/.test(identifier)) return identifier;
  return keyOf(identifier).replace(/\.+/g, "-").slice(0, -24);
}

const at = ({ place }: Repository): Place => place;
const tipsOf = (lane: Lane, ...refs: readonly string[]): Promise<readonly (string | undefined)[]> =>
  resolve(lane.repository, at(lane.repository), refs);
const refOf = (branch: string): string => `refs/heads/${branch}`;

async function openLane(lane: Lane, from: string | undefined): Promise<OpenedWorktree> {
  const { repository, branch, baseRef } = lane;
  const { git, place } = repository;
  const [known, tip] = await tipsOf(lane, baseRef, refOf(branch));
  const base = known ?? (await startOf(lane, from, tip));
  if (tip === undefined) {
    const refs = `update ${baseRef} ${base}\ncreate ${refOf(branch)} ${base}\n`;
    await git({ in: place, input: refs }, "update-ref", "--stdin");
  }
  if ((await standing(lane)) !== "whole") {
    await clear(lane.at);
    await git({ in: place }, "worktree", "add", lane.at.path, branch);
  }
  const path = join(lane.at.path, repository.inside);
  if (kindAt(path) !== "directory")
    throw placeTrouble(
      "git-path",
      `${repository.inside} is not in ${base.slice(0, 12)}, which the worktree "${lane.name}" grows from. Commit it there, or name another \`from\`.`,
    );
  return { path, branch, base };
}

async function startOf(lane: Lane, from = "HEAD", tip: string | undefined): Promise<string> {
  if (tip !== undefined)
    throw placeTrouble(
      "git-path",
      `there is a branch ${lane.branch} already, and the worktree "${lane.name}" did not make it. Name another branch, or rename that one.`,
    );
  const [start] = /\s/.test(from) ? [] : await tipsOf(lane, `${from}^{commit}`);
  if (start !== undefined) return start;
  throw placeTrouble(
    "git-path",
    from === "HEAD"
      ? `the repository of ${lane.repository.place.path} has no commit yet, and a worktree grows from one. Commit something and try again.`
      : `there is no commit ${JSON.stringify(from)} for the worktree "${lane.name}" to grow from.`,
  );
}

/** What stands where the worktree belongs. What holds files and is not ours to read is trouble. */
async function standing({ at: place }: Lane): Promise<"nothing" | "half-made" | "whole"> {
  const kind = kindAt(place.path);
  if (kind === "nothing" || (kind === "directory" && (await readdir(place.path)).length === 0))
    return "nothing";
  // Git says so itself until it is done; before that nobody else has worked there.
  const lock = join(place.admin, "locked");
  if (kindAt(lock) === "file" && (await readFile(lock, "utf8")).trim() === "initializing") return "half-made";
  if (kindAt(place.admin) === "nothing")
    throw placeTrouble(
      "git-leftover",
      `${place.path} holds files, but git knows nothing of it any more. Save what matters from it, remove it and try again.`,
    );
  verify(place);
  return "whole";
}

async function clear(place: Place): Promise<void> {
  for (const path of [place.path, place.admin])
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

const gone = ({ name, at: { path } }: Lane): Error =>
  placeTrouble(
    "git-path",
    `the worktree "${name}" at ${path} is gone. Retry to have it made again from its branch.`,
  );

async function commitLane({ options }: House, lane: Lane, message: string): Promise<string> {
  const { at: place, branch, repository } = lane;
  if ((await standing(lane)) !== "whole") throw gone(lane);
  const { git } = repository;
  // Whoever worked here has ended; a lock is what its killed git left.
  for (const lock of ["index.lock", "HEAD.lock"]) await rm(join(place.admin, lock), { force: true });
  await backOnBranch(lane);
  const unsettled = await git({ in: place }, "diff", "--name-only", "--diff-filter=U", "-z");
  if (unsettled !== "")
    throw placeTrouble(
      "git-leftover",
      `conflicts in ${place.path} are not settled: ${listed([...new Set(unsettled.split("\0"))].filter(Boolean))}. Settle and add them there, and try again.`,
    );
  await git({ in: place }, "add", "-A");
  await refuseNested(lane);
  const staged = await git({ in: place }, "status", "--porcelain", "-z", "--no-renames", "-uno");
  const isMerging = kindAt(join(place.admin, "MERGE_HEAD")) !== "nothing";
  if (staged !== "" || isMerging) {
    const { name, email } = options.author;
    const environment = {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
    };
    await git({ in: place, environment, input: `${message}\n` }, "commit", "-q", "--no-verify", "-F", "-");
  }
  const [head] = await resolve(repository, place, [refOf(branch)]);
  if (head === undefined) throw gone(lane);
  return head;
}

/** Whoever worked here may have left another branch, or none, checked out: its commits are kept when they grow from ours. */
async function backOnBranch({ at: place, branch, repository }: Lane): Promise<void> {
  const ref = refOf(branch);
  const pointer = (await readFile(join(place.admin, "HEAD"), "utf8")).trim();
  if (pointer === `ref: ${ref}`) return;
  const [head, tip] = await resolve(repository, place, ["HEAD", ref]);
  if (
    head === undefined ||
    (tip !== undefined && !(await contains(repository, place, { older: tip, newer: head })))
  )
    throw placeTrouble(
      "git-tampered",
      `${place.path} is not on its branch ${branch}, and what is checked out does not grow from it. Check that branch out there, with the work that should count, and try again.`,
    );
  await repository.git({ in: place }, "update-ref", ref, head, ...(tip === undefined ? [] : [tip]));
  await repository.git({ in: place }, "symbolic-ref", "HEAD", ref);
}

/** A repository inside is kept as a mere link, and its files would be lost with the folder. */
async function refuseNested({ at: place, repository: { git } }: Lane): Promise<void> {
  const raw = await git(
    { in: place },
    "diff",
    "--cached",
    "--raw",
    "-z",
    "--no-renames",
    "--no-ext-diff",
    "HEAD",
  );
  const words = raw.split("\0");
  const nested = words.find((_word, index) => /^:\d{6} 160000 /.test(words[index - 1] ?? ""));
  if (nested === undefined) return;
  await git({ in: place }, "reset", "-q", "--mixed");
  throw placeTrouble(
    "git-nested",
    `${nested} is a git repository inside ${place.path}, so its files cannot be committed. Remove its .git and try again.`,
  );
}

/** The branch that work goes into: the one named, or the one that the folder is on. */
async function targetOf({ git, place }: Repository, into: string | undefined): Promise<string> {
  if (into !== undefined) {
    requireBranch(into);
    return into;
  }
  const pointer = (await readFile(join(place.admin, "HEAD"), "utf8")).trim();
  const branch = /^ref: refs\/heads\/(.+)$/.exec(pointer)?.[1];
  if (branch !== undefined) return branch;
  const head = (await git({ in: place }, "rev-parse", "--short", "HEAD")).trim();
  throw placeTrouble(
    "git-path",
    `${place.path} is on no branch (it stands at ${head}), so there is nothing to land on. Check a branch out there, or say \`into\`.`,
  );
}

async function landLane(
  house: House,
  lane: Lane,
  wanted: string | undefined,
  check: ((folder: string) => Promise<string | undefined>) | undefined,
): Promise<Landed> {
  const { repository, branch } = lane;
  const { mirror } = repository.place;
  const into = await targetOf(repository, wanted);
  if (into === branch)
    throw placeTrouble("git-path", `${branch} cannot be landed on itself. Say another \`into\`.`);
  for (let round = 0; round < maxRounds; round += 1) {
    await house.locked(mirror, () => settle(house.base, repository, into));
    const [tip, old] = await tipsOf(lane, refOf(branch), refOf(into));
    if (old === undefined) throw placeTrouble("git-path", `there is no branch ${into} to land on.`);
    if (tip === undefined) return { is: "absent", into };
    const landed = await landedAs(lane, tip, old);
    if (landed !== undefined) return { is: "merged", into, head: landed };
    const replayed = await replay(repository, { onto: old, tip, branch, committer: house.options.author });
    if (replayed.is === "conflict") return { ...replayed, into };
    const { head: next } = replayed;
    const why = check === undefined ? undefined : await judged(house, lane, next, check);
    if (why !== undefined) return { is: "red", into, why };
    const records = [
      [lane.tipRef, tip],
      [lane.headRef, next],
    ] as const;
    const move = { branch: into, old, next, records };
    if ((await house.locked(mirror, () => advance(house.base, repository, move))) === "moved")
      return { is: "merged", into, head: next };
  }
  throw new Trouble("git-busy", `${into} moved on ${maxRounds} times while ${branch} was to land on it.`);
}

/** What this branch became when it landed; undefined when it has not, or has grown since. */
async function landedAs(lane: Lane, tip: string, target: string): Promise<string | undefined> {
  const { repository } = lane;
  if (await contains(repository, repository.place, { older: tip, newer: target })) return tip;
  const [known, head] = await tipsOf(lane, lane.tipRef, lane.headRef);
  if (known !== tip || head === undefined) return undefined;
  return (await contains(repository, repository.place, { older: head, newer: target })) ? head : undefined;
}

/** Lets the check judge a commit in a worktree that nobody else uses. */
async function judged(
  { locked }: House,
  { repository, scratch }: Lane,
  head: string,
  check: (folder: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const { git, place } = repository;
  await locked(place.mirror, async () => {
    await clear(scratch);
    await git({ in: place }, "worktree", "add", "--detach", scratch.path, head);
  });
  try {
    return await check(join(scratch.path, repository.inside));
  } finally {
    await locked(place.mirror, () => clear(scratch));
  }
}

async function closeLane(
  lane: Lane,
  into: string,
  drop: "branch" | "nothing",
): Promise<{ readonly is: "closed" } | { readonly is: "kept"; readonly why: string }> {
  const { repository, branch, at: place } = lane;
  const [tip, target] = await tipsOf(lane, refOf(branch), refOf(into));
  const found = await standing(lane);
  if (found === "whole") {
    const why = await unsaved(lane, tip);
    if (why !== undefined) return { is: "kept", why };
  }
  if (drop === "branch" && tip !== undefined) {
    const hasLanded = target !== undefined && (await landedAs(lane, tip, target)) !== undefined;
    if (!hasLanded)
      return { is: "kept", why: `${branch} in ${place.path} holds commits that are not on ${into}` };
  }
  await clear(place);
  await clear(lane.scratch);
  if (drop === "nothing") return { is: "closed" };
  const refs = [
    ...(tip === undefined ? [] : [`delete ${refOf(branch)} ${tip}`]),
    ...[lane.baseRef, lane.tipRef, lane.headRef].map((ref) => `delete ${ref}`),
  ];
  const input = refs.map((line) => `${line}\n`).join("");
  await repository.git({ in: repository.place, input }, "update-ref", "--stdin");
  return { is: "closed" };
}

/** What in a worktree is on no branch; undefined when nothing is. */
async function unsaved(
  { repository, at: place, branch }: Lane,
  tip: string | undefined,
): Promise<string | undefined> {
  const status = await repository.git({ in: place }, "status", "--porcelain", "-z", "--no-renames", "-uall");
  const files = pathsIn(status);
  if (files.length > 0) return `uncommitted changes in ${place.path}: ${listed(files)}`;
  const [head] = await resolve(repository, place, ["HEAD"]);
  const isKept =
    head !== undefined &&
    tip !== undefined &&
    (await contains(repository, place, { older: head, newer: tip }));
  return isKept ? undefined : `commits in ${place.path} that are not on ${branch}`;
}
