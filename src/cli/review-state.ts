/** Where a review keeps its checkouts and its engine while it works: never in the repository, and gone afterwards. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { isDead, thisProcess } from "../adapters/owner.ts";

const prefix = "review-";
const ownerFile = "owner.json";
const owner = z.object({ pid: z.number(), startedAt: z.string(), host: z.string() });

/** Makes a private folder, and takes away what reviews left that were killed. */
export function makeReviewState(env: Readonly<Record<string, string | undefined>>): string {
  const root = rootOf(env);
  for (const name of readdirSync(root).filter((one) => one.startsWith(prefix))) {
    const left = join(root, name);
    if (isLeftover(left)) removeReviewState(left);
  }
  const dir = mkdtempSync(join(root, prefix));
  writeFileSync(join(dir, ownerFile), JSON.stringify(thisProcess()));
  return dir;
}

/** The user's folder for state; where there is none to write in, the one for temporary files. */
function rootOf(env: Readonly<Record<string, string | undefined>>): string {
  const state =
    env["XDG_STATE_HOME"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".local", "state"));
  for (const base of [...(state === undefined || !state.startsWith("/") ? [] : [state]), tmpdir()])
    try {
      const user = process.getuid?.() ?? 0;
      const root = join(base, base === tmpdir() ? `forgehand-${user}` : "forgehand");
      mkdirSync(root, { recursive: true, mode: 0o700 });
      const found = lstatSync(root);
      // Somebody else's folder in a shared place is not ours to trust.
      if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== user)) continue;
      return root;
    } catch {
      // It cannot be made here: the next place.
    }
  return mkdtempSync(join(tmpdir(), "forgehand-"));
}

/** One whose maker has not yet said who it is counts as alive. */
function isLeftover(dir: string): boolean {
  try {
    return isDead(owner.parse(JSON.parse(readFileSync(join(dir, ownerFile), "utf8"))));
  } catch {
    return false;
  }
}

/** Removes it, read-only checkouts included. */
export function removeReviewState(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    openUp(dir);
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function openUp(dir: string): void {
  chmodSync(dir, 0o700);
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) openUp(join(dir, entry.name));
}
