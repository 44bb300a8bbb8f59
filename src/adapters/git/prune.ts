/** Clears what a crash left; never what may be work. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Trouble } from "../../ports.ts";
import { endThoseIn } from "../processes/descendants.ts";
import { clearCold } from "./cold.ts";
import { halfMirror } from "./mirror.ts";
import { contain, kindAt, namesIn, placeOf } from "./paths.ts";
import type { Place } from "./paths.ts";
import { clear, standing } from "./tree.ts";
import type { Yard } from "./yard.ts";

/** Directories of a mirror hold this many levels; an agent could nest more. */
const maxDepth = 12;

export interface PruneOrder {
  /** Whether whoever asked for the cold checkout of this name still works in it. */
  readonly isAlive: (name: string) => boolean;
  /** Leftovers younger than this belong to somebody at work. */
  readonly before: number;
}

/** Ends who still works where nobody should; removes half-made mirrors and worktrees, dead cold checkouts, stale locks and temporary files. */
export async function prune(yard: Yard, order: PruneOrder): Promise<{ readonly removed: readonly string[] }> {
  const removed: string[] = [];
  const dead: Place[] = [];
  for (const at of await places(yard, "cold")) {
    const name = yard.records.coldName(at);
    if (name === undefined || !order.isAlive(name)) dead.push(at);
  }
  // After a crash nobody knows any more what grew from which agent: but what it works on, it still has open.
  const ended = await endThoseIn([join(yard.root, "trees"), ...dead.map(({ path }) => path)]);
  if (ended.length > 0)
    yard.options.warn?.(`Ended ${ended.length} processes that were left at work in ${yard.root}.`);
  for (const at of dead) {
    if (await managed(yard, () => clearCold(yard, at))) removed.push(at.path);
  }
  for (const at of await places(yard, "trees"))
    if (await isHalfMade(yard, at)) {
      if (!(await managed(yard, () => clear(yard, at)))) continue;
      await yard.records.forget(at);
      removed.push(at.path);
    }
  const mirrors = join(yard.root, "mirrors");
  for (const name of await namesIn(yard.root, mirrors)) {
    const mirror = join(mirrors, name);
    contain(yard.root, mirror);
    if (name.endsWith(halfMirror)) {
      await rm(mirror, { recursive: true, force: true });
      removed.push(mirror);
    } else {
      removed.push(...(await orphanAdmins(yard, mirror, name)));
      removed.push(...(await leftovers(mirror, order.before, 0)));
    }
  }
  return { removed };
}

async function places(yard: Yard, folder: "trees" | "cold"): Promise<readonly Place[]> {
  const found: Place[] = [];
  const top = join(yard.root, folder);
  for (const repo of await namesIn(yard.root, top))
    for (const name of await namesIn(yard.root, join(top, repo)))
      if (kindAt(join(top, repo, name)) === "directory")
        found.push(placeOf(yard.root, join(top, repo, name)));
  return found;
}

/** What cannot be cleared is said and left: it must not keep the whole process from starting. */
async function managed(yard: Yard, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yard.options.warn?.(error.message);
    return false;
  }
}

async function isHalfMade(yard: Yard, at: Place): Promise<boolean> {
  try {
    const found = await standing(yard, at);
    return found === "half-made" || found === "nothing";
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    // It stands in nobody's way yet; whoever works on that ticket next is told the same.
    yard.options.warn?.(error.message);
    return false;
  }
}

/** What `git worktree prune` does, without asking the files an agent may have changed where the worktree is. */
async function orphanAdmins(yard: Yard, mirror: string, key: string): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await namesIn(yard.root, join(mirror, "worktrees"))) {
    const kinds = ["trees", "cold"].map((folder) => kindAt(join(yard.root, folder, key, name)));
    if (kinds.some((kind) => kind !== "nothing")) continue;
    await rm(join(mirror, "worktrees", name), { recursive: true, force: true });
    removed.push(join(mirror, "worktrees", name));
  }
  return removed;
}

/** Locks and temporary files that a killed git left. */
async function leftovers(folder: string, before: number, depth: number): Promise<readonly string[]> {
  if (depth > maxDepth) return [];
  const removed: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removed.push(...(await leftovers(path, before, depth + 1)));
    else if (entry.isFile() && /\.lock$|^tmp_(obj|pack|idx|rev)_/.test(entry.name)) {
      if ((await stat(path)).mtimeMs >= before) continue;
      await rm(path, { force: true });
      removed.push(path);
    }
  }
  return removed;
}
