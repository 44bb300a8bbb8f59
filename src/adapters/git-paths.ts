/** Where things lie under the workspace root, and that nothing lies outside it. */
import { createHash } from "node:crypto";
import { lstat, mkdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { Trouble } from "../ports.ts";

/** A file name for any identifier: readable, and never equal for two identifiers (128 bits of hash). */
export function keyOf(identifier: string): string {
  const words = identifier
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 60);
  return `${words === "" ? "x" : words}-${createHash("sha256").update(identifier).digest("hex").slice(0, 32)}`;
}

/** What is at this path, links not followed. */
export async function kindAt(path: string): Promise<"nothing" | "directory" | "file" | "link" | "other"> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return "link";
    return found.isDirectory() ? "directory" : found.isFile() ? "file" : "other";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "nothing";
    throw error;
  }
}

/** Refuses a path below the root when any step of it is a link or no directory. */
export async function contain(root: string, path: string): Promise<void> {
  const steps = relative(root, path).split("/");
  if (steps[0] === ".." || steps[0] === "")
    throw new Trouble("git-path", `${path} is outside the workspace root ${root}.`, { permanent: true });
  let at = root;
  for (const step of steps) {
    at = join(at, step);
    const kind = await kindAt(at);
    if (kind === "nothing") return;
    if (kind !== "directory")
      throw new Trouble(
        "git-path",
        `${at} is a ${kind} where a directory belongs. Move it away and try again.`,
        { permanent: true },
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
export async function placeOf(root: string, path: string): Promise<Place> {
  await contain(root, path);
  const steps = relative(root, path).split("/");
  if (steps.length !== 3 || (steps[0] !== "trees" && steps[0] !== "cold"))
    throw new Trouble("git-path", `${path} is no worktree of ${root}.`, { permanent: true });
  const mirror = join(root, "mirrors", basename(dirname(path)));
  const admin = join(mirror, "worktrees", basename(path));
  await contain(root, admin);
  return { mirror, admin, path };
}

/** Refuses when the worktree no longer points at our own git directory. */
export async function verify(place: Place): Promise<void> {
  const pointer = join(place.path, ".git");
  const same =
    (await kindAt(pointer)) === "file" &&
    (await readFile(pointer, "utf8")).trim() === `gitdir: ${place.admin}` &&
    (await kindAt(join(place.admin, "commondir"))) === "file" &&
    (await readFile(join(place.admin, "commondir"), "utf8")).trim() === "../..";
  if (!same)
    throw new Trouble(
      "git-tampered",
      `The .git file was changed in ${place.path}. Remove that worktree to start again.`,
      { permanent: true },
    );
}
