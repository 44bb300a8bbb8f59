/** Commits that are nowhere but on this host: what was built and not pushed, and snapshots. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { kindAt } from "../adapters/git/paths.ts";
import type { Git } from "../adapters/git/run.ts";
import type { Source } from "./archive.ts";

const isOurs = (ref: string): boolean => /^refs\/(?:heads|forgehand)\//u.test(ref);

export interface Kept {
  readonly sources: readonly Source[];
  /** What could not be kept, and why. */
  readonly notes: readonly string[];
}

/**
 * One bundle for each mirror that holds commits which no branch of its remote is known to have. A bundle has its whole
 * history in it, so that it needs neither the mirror nor the remote.
 */
export async function keepWork(git: Git, workspaces: string, into: string): Promise<Kept> {
  const sources: Source[] = [];
  const notes: string[] = [];
  for (const mirror of await mirrorsIn(workspaces)) {
    const key = basename(mirror);
    try {
      const refs = await unpublished(git, mirror);
      if (refs.length === 0) continue;
      const path = join(into, `${key}.bundle`);
      await git({ in: { mirror } }, "bundle", "create", path, ...refs);
      sources.push({ name: `git/${key}.bundle`, path });
    } catch (error) {
      notes.push(`unpublished commits of the mirror ${key} are not in it: ${wordsOf(error)}`);
    }
  }
  return { sources, notes };
}

async function mirrorsIn(workspaces: string): Promise<readonly string[]> {
  const folder = join(workspaces, "mirrors");
  const names = kindAt(folder) === "directory" ? await readdir(folder) : [];
  const found: string[] = [];
  for (const name of names.toSorted())
    if (/^\w[\w.-]*$/u.test(name) && !name.endsWith(".making") && kindAt(join(folder, name)) === "directory")
      found.push(join(folder, name));
  return found;
}

async function unpublished(git: Git, mirror: string): Promise<readonly string[]> {
  const at = { in: { mirror } };
  const found: string[] = [];
  for (const { sha, ref } of refsOf(await git(at, "for-each-ref", "--format=%(objectname) %(refname)"))) {
    if (!isOurs(ref)) continue;
    const count = await git(at, "rev-list", "--count", "--max-count=1", sha, "--not", "--remotes");
    if (count.trim() !== "0") found.push(ref);
  }
  return found;
}

const refsOf = (listing: string): readonly { readonly sha: string; readonly ref: string }[] =>
  listing.split("\n").flatMap((line) => {
    const [, sha, ref] = /^([0-9a-f]{40,64}) (refs\/\S+)$/u.exec(line) ?? [];
    return sha === undefined || ref === undefined ? [] : [{ sha, ref }];
  });

/** Puts into a mirror, made where it is missing, the refs that it does not have; none that is there is moved. */
export async function putWorkBack(
  git: Git,
  workspaces: string,
  bundles: readonly { readonly key: string; readonly path: string }[],
): Promise<Omit<Kept, "sources"> & { readonly refs: number }> {
  const notes: string[] = [];
  let refs = 0;
  for (const { key, path } of bundles) {
    try {
      const mirror = await mirrorAt(git, join(workspaces, "mirrors", key));
      const at = { in: { mirror } };
      const there = new Set(
        refsOf(await git(at, "for-each-ref", "--format=%(objectname) %(refname)")).map(({ ref }) => ref),
      );
      const wanted = refsOf(await git(at, "bundle", "list-heads", path)).filter(
        ({ ref }) => isOurs(ref) && !there.has(ref),
      );
      if (wanted.length === 0) continue;
      const specs = wanted.map(({ ref }) => `${ref}:${ref}`);
      await git(at, "fetch", "--no-tags", "--no-write-fetch-head", path, ...specs);
      refs += wanted.length;
    } catch (error) {
      notes.push(`unpublished commits of the mirror ${key} could not be put back: ${wordsOf(error)}`);
    }
  }
  return { notes, refs };
}

async function mirrorAt(git: Git, mirror: string): Promise<string> {
  if (existsSync(mirror)) return mirror;
  const half = `${mirror}.making`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true, mode: 0o700 });
  await git({ in: { mirror: half } }, "init", "--bare", "--template=");
  await rename(half, mirror);
  return mirror;
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
