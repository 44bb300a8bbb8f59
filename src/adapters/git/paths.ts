/** Where things lie under the workspace root, and that nothing lies outside it. */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { mkdir, readdir, realpath, rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { placeTrouble } from "./trouble.ts";

/** A file name for any identifier: readable, and never equal for two identifiers (128 bits of hash). */
export function keyOf(identifier: string): string {
  const words = identifier
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 60);
  return `${words === "" ? "x" : words}-${createHash("sha256").update(identifier).digest("hex").slice(0, 32)}`;
}

/** What is at this path, links not followed. The disk answers sooner than a thread that would ask it for us. */
export function kindAt(path: string): "nothing" | "directory" | "file" | "link" | "other" {
  const found = statOf(path);
  if (found === undefined) return "nothing";
  if (found.isSymbolicLink()) return "link";
  return found.isDirectory() ? "directory" : found.isFile() ? "file" : "other";
}

/** Refuses a path below the root when any step of it is a link or no directory. */
export function contain(root: string, path: string): void {
  const steps = relative(root, path).split("/");
  if (steps[0] === ".." || steps[0] === "")
    throw placeTrouble("git-path", `${path} is outside the workspace root ${root}.`);
  let at = root;
  for (const step of steps) {
    at = join(at, step);
    const kind = kindAt(at);
    if (kind === "nothing") return;
    if (kind !== "directory")
      throw placeTrouble(
        "git-path",
        `${at} is a ${kind} where a directory belongs. Move it away and try again.`,
      );
  }
}

/** The root, made when missing, with every link in its own path resolved. */
export async function realRoot(root: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  return realpath(root);
}

/** A worktree and the git directories that belong to it. */
export interface Place {
  readonly mirror: string;
  readonly admin: string;
  readonly path: string;
}

/** The place of a worktree, from its path alone: `<root>/<trees|cold>/<mirror>/<key>`. */
export function placeOf(root: string, path: string): Place {
  contain(root, path);
  const steps = relative(root, path).split("/");
  if (steps.length !== 3 || (steps[0] !== "trees" && steps[0] !== "cold"))
    throw placeTrouble("git-path", `${path} is no worktree of ${root}.`);
  const mirror = join(root, "mirrors", basename(dirname(path)));
  const admin = join(mirror, "worktrees", basename(path));
  contain(root, admin);
  return { mirror, admin, path };
}

/** Whether the worktree still points at our own git directory, and that at its mirror. */
export function pointsHome(place: Place): boolean {
  return (
    textOf(join(place.path, ".git")) === `gitdir: ${place.admin}` &&
    textOf(join(place.admin, "commondir")) === "../.."
  );
}
/** Refuses when it does not. A `.git` that is merely gone is put back: an agent deleted it, and its work is still there. */
export function verify(place: Place): void {
  if (pointsHome(place) || isPutBack(place)) return;
  throw placeTrouble(
    "git-tampered",
    `The .git file in ${place.path} no longer points at its repository. Save what matters there, remove the directory and try again.`,
  );
}

function isPutBack(place: Place): boolean {
  const pointer = join(place.path, ".git");
  if (kindAt(place.path) !== "directory" || kindAt(pointer) !== "nothing") return false;
  if (textOf(join(place.admin, "gitdir")) !== pointer) return false;
  writeFileSync(pointer, `gitdir: ${place.admin}\n`, { flag: "wx" });
  return pointsHome(place);
}

/** Nothing of ours that is read this way is as long. */
const longestText = 1024 * 1024;

/** What a small file says; undefined where there is none. Neither a pipe nor a link put in its place holds us up or leads us away. */
export function textOf(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR", "ELOOP", "ENXIO")) return undefined;
    throw error;
  }
  try {
    const found = fstatSync(file);
    return found.isFile() && found.size <= longestText ? readFileSync(file, "utf8").trim() : undefined;
  } finally {
    closeSync(file);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Below a file there is nothing either.
    if (isCode(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

export const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

/** Removes whatever is at this path; mostly there is nothing. */
export async function discard(path: string): Promise<void> {
  if (kindAt(path) !== "nothing") await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** The names in a directory of ours; none when it is not there. */
export async function namesIn(root: string, path: string): Promise<readonly string[]> {
  contain(root, path);
  return kindAt(path) === "directory" ? readdir(path) : [];
}

/** Refuses what git would not take for a branch, or could take for an option. */
export function requireBranch(branch: string): void {
  const bad =
    branch === "" ||
    branch.length > 200 ||
    // oxlint-disable-next-line no-control-regex -- git forbids exactly these.
    /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\.$|\/$/.test(branch) ||
    branch
      .split("/")
      .some((step) => step === "" || step.startsWith("-") || step.startsWith(".") || step.endsWith(".lock"));
  if (bad) throw placeTrouble("git-path", `${JSON.stringify(branch)} is no name for a branch.`);
}

/** Refuses anything but a full object name, which git could take for something else. */
export function requireSha(sha: string): void {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(sha))
    throw placeTrouble("git-path", `${JSON.stringify(sha)} is no full commit id.`);
}
