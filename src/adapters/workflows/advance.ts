/** Moves a branch forward, and with it the files of every worktree that has it checked out; never over somebody's work. */
import { open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Trouble } from "../../ports.ts";
import { kindAt, type Place } from "../git/paths.ts";
import { resolve } from "../git/commits.ts";
import { refStep, repositoryAt, type Repository } from "./repository.ts";
import type { Git, GitOrder } from "../git/run.ts";

/** A branch on its way from one commit to another. */
export interface Move {
  readonly branch: string;
  readonly old: string;
  readonly next: string;
  /** Refs that are written with it or not at all. */
  readonly records: readonly (readonly [ref: string, commit: string])[];
}

const movingRef = (branch: string): string => `refs/forgehand/moving/${refStep(branch)}`;

/**
 * `stale` when the branch is elsewhere by now. The ref moves by comparing and setting, so nobody's commit is lost
 * whichever process is first. A note of where it was stays until the files have followed; see `settle`.
 */
export async function advance(
  base: Git,
  repository: Repository,
  { branch, old, next, records }: Move,
): Promise<"moved" | "stale"> {
  const { git, place } = repository;
  const ref = `refs/heads/${branch}`;
  const now = async (): Promise<string | undefined> => (await resolve(repository, place, [ref]))[0];
  if ((await now()) !== old) return "stale";
  const seats = await seatsOf(base, repository, branch);
  try {
    for (const seat of seats) await requireFree(seat, { branch, old, next });
  } catch (error) {
    // Another process has just moved it, and the files are on their way.
    if ((await now()) !== old) return "stale";
    throw error;
  }
  const lines = [
    `update ${ref} ${next} ${old}`,
    ...records.map(([name, commit]) => `update ${name} ${commit}`),
    ...(seats.length === 0 ? [] : [`update ${movingRef(branch)} ${old}`]),
  ];
  try {
    await git({ in: place, input: lines.map((line) => `${line}\n`).join("") }, "update-ref", "--stdin");
  } catch (error) {
    if ((await now()) !== old) return "stale";
    throw error;
  }
  for (const seat of seats) await patiently(seat, {}, "read-tree", "-m", "-u", old, next);
  if (seats.length > 0) await git({ in: place }, "update-ref", "-d", movingRef(branch));
  return "moved";
}

/** How often and how long another process is given to let its files follow or to end with an index, before it counts as killed. */
const patience = { times: 10, ms: 200 } as const;

/**
 * Git gives up at once where another git writes the index of the same worktree: another landing, or the person who works
 * there, whose editor may ask for the status at any moment.
 */
async function patiently(
  { git, place }: Repository,
  order: Pick<GitOrder, "answers">,
  ...argv: readonly string[]
): Promise<void> {
  for (let times = 0; ; times += 1) {
    try {
      await git({ ...order, in: place }, ...argv);
      return;
    } catch (error) {
      const isHeld = error instanceof Trouble && error.code === "git-index-held";
      if (!isHeld || times === patience.times) throw error;
    }
    await setTimeout(patience.ms);
  }
}

/** Lets the files follow a branch that moved before its process was killed. */
export async function settle(base: Git, repository: Repository, branch: string): Promise<void> {
  const { git, place } = repository;
  const look = () => resolve(repository, place, [movingRef(branch), `refs/heads/${branch}`]);
  let [old, next] = await look();
  for (let times = 0; old !== undefined && times < patience.times; times += 1) {
    await setTimeout(patience.ms);
    const [still, at] = await look();
    // A move of its own has come and gone: whoever makes it is alive.
    if (still !== old) times = 0;
    [old, next] = [still, at];
  }
  if (old === undefined) return;
  for (const seat of next === undefined ? [] : await seatsOf(base, repository, branch)) {
    const behind = split(
      await seat.git({ in: seat.place }, "diff-index", "--name-only", "-z", next ?? "", "--"),
    );
    if (behind.length === 0) continue;
    const moved = new Map(
      changesOf(await rawDiff(seat, "diff-tree", "-r", old, next ?? "")).map((change) => [
        change.path,
        change,
      ]),
    );
    const foreign = new Set(behind.filter((path) => !moved.has(path)));
    for (const path of behind) {
      const change = moved.get(path);
      if (change !== undefined && !(await isOurs(seat, change))) foreign.add(path);
    }
    for (const { path, after } of changesOf(await rawDiff(seat, "diff-index", "--cached", next ?? "")))
      if (after !== moved.get(path)?.before) foreign.add(path);
    if (foreign.size > 0)
      throw new Trouble(
        "git-dirty",
        `${branch} has moved on, but the files in ${seat.place.path} could not follow: ${listed([...foreign])} changed meanwhile. Commit or put back what is there until \`git status\` shows nothing, and try again.`,
        { permanent: true },
      );
    await patiently(seat, {}, "read-tree", "--reset", "-u", next ?? "");
  }
  await git({ in: place }, "update-ref", "-d", movingRef(branch));
}

/** The worktrees that have this branch checked out. */
async function seatsOf(
  base: Git,
  { git, place }: Repository,
  branch: string,
): Promise<readonly Repository[]> {
  const out = await git({ in: place }, "worktree", "list", "--porcelain", "-z");
  const paths = out
    .split("\0\0")
    .map((block) => block.split("\0"))
    .filter((lines) => lines.includes(`branch refs/heads/${branch}`))
    .map((lines) => lines.find((line) => line.startsWith("worktree "))?.slice("worktree ".length) ?? "");
  const seats: Repository[] = [];
  for (const path of paths)
    if (kindAt(join(path, ".git")) !== "nothing") seats.push(await repositoryAt(base, path));
  return seats;
}

const halfway = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"];

async function requireFree(
  seat: Repository,
  { branch, old, next }: Pick<Move, "branch" | "old" | "next">,
): Promise<void> {
  const { git, place } = seat;
  for (const name of halfway)
    if (kindAt(join(place.admin, name)) !== "nothing")
      throw refused(branch, place, "a merge or rebase is not finished");
  // Not quietly: it would not say either that somebody else writes the index just now.
  await patiently(seat, { answers: [1] }, "update-index", "--refresh");
  const dirty = pathsIn(await git({ in: place }, "status", "--porcelain", "-z", "--no-renames", "-uno"));
  if (dirty.length > 0) throw refused(branch, place, `changes are not committed: ${listed(dirty)}`);
  const added = split(
    await git(
      { in: place },
      "diff-tree",
      "-r",
      "--no-renames",
      "--diff-filter=A",
      "--name-only",
      "-z",
      old,
      next,
    ),
  );
  const tracked = new Set(split(await git({ in: place }, "ls-tree", "-r", "-z", "--name-only", old)));
  const inTheWay = new Set<string>();
  for (const path of added) {
    const found = await blockerOf(place, path, tracked);
    if (found !== undefined) inTheWay.add(found);
  }
  if (inTheWay.size > 0)
    throw refused(branch, place, `this stands in the way and was never committed: ${listed([...inTheWay])}`);
}

/** What nobody committed stands where this file goes; undefined when its place is free. */
async function blockerOf(
  { path: top }: Place,
  path: string,
  tracked: ReadonlySet<string>,
): Promise<string | undefined> {
  const steps = path.split("/");
  for (let depth = 1; depth <= steps.length; depth += 1) {
    const at = steps.slice(0, depth).join("/");
    const kind = kindAt(join(top, at));
    if (kind === "nothing" || tracked.has(at)) return undefined;
    if (kind !== "directory") return at;
    // Where a file goes, a folder may stand only with what was committed, which the move takes away.
    if (depth === steps.length)
      return [...tracked].some((name) => name.startsWith(`${at}/`)) ? undefined : at;
  }
  return undefined;
}

const refused = (branch: string, { path }: Place, why: string): Trouble =>
  new Trouble(
    "git-dirty",
    `nothing was landed on ${branch}: it is checked out in ${path}, where ${why}. Commit that or put it away (\`git stash -u\`), and try again.`,
    { permanent: true },
  );

interface Change {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}
/** Reads git's raw differences. */
function changesOf(raw: string): readonly Change[] {
  const words = raw.split("\0");
  return words.flatMap((word, index) => {
    const [, before, after] = /^:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) \w/.exec(word) ?? [];
    const path = words[index + 1];
    return before === undefined || after === undefined || path === undefined ? [] : [{ path, before, after }];
  });
}
const rawDiff = ({ git, place }: Repository, verb: string, ...argv: readonly string[]): Promise<string> =>
  git({ in: place }, verb, "--raw", "--no-renames", "--no-abbrev", "-z", ...argv, "--");

/** The file is as it was before or after the move, or as git leaves it when it is killed while it writes. */
async function isOurs({ git, place }: Repository, { path, before, after }: Change): Promise<boolean> {
  const file = join(place.path, path);
  const kind = kindAt(file);
  if (kind === "nothing") return true;
  if (kind === "link") {
    const input = await readlink(file);
    const hash = (await git({ in: place, input }, "hash-object", "--no-filters", "--stdin")).trim();
    return hash === before || hash === after;
  }
  if (kind !== "file") return false;
  const hash = (await git({ in: place }, "hash-object", "--", path)).trim();
  if (hash === before || hash === after) return true;
  if (/^0+$/.test(after)) return false;
  const whole = Buffer.from(await git({ in: place }, "cat-file", "blob", after), "utf8");
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    if (size >= whole.length) return false;
    const there = await handle.readFile();
    return whole.subarray(0, there.length).equals(there);
  } finally {
    await handle.close();
  }
}

const split = (out: string): readonly string[] => out.split("\0").filter((word) => word !== "");
/** The paths of `status --porcelain -z` without renames. */
export const pathsIn = (status: string): readonly string[] => split(status).map((line) => line.slice(3));
/** A few names for a sentence. */
export const listed = (names: readonly string[]): string =>
  `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;
