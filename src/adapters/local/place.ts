/** Which repository of this host somebody stands in, and where forgehand keeps what belongs to it. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export interface LocalPlace {
  /** The folder of git that all worktrees of the repository share, with every link resolved. */
  readonly gitDir: string;
  /** The checkout that somebody stands in; undefined in a bare repository. */
  readonly top: string | undefined;
  /** Its folder's name, as far as that may be part of a name. */
  readonly name: string;
  /** By which it is told from every other repository of this host. */
  readonly id: number;
  /** `<name>-<hash>` */
  readonly key: string;
}

/** Finds the repository around a folder, the innermost where one lies inside another; asks no git, since every command does it. */
export function findPlace(from: string): LocalPlace | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const inside = join(folder, ".git");
    const gitDir = gitDirAt(inside);
    if (gitDir !== undefined) return placeOf(gitDir, folder);
    if (isGitDir(folder)) return placeOf(folder, undefined);
    if (dirname(folder) === folder) return undefined;
  }
}

/** The shared folder behind a `.git`, be it that folder or a file that names one. */
function gitDirAt(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  if (statSync(path).isDirectory()) return isGitDir(path) ? path : undefined;
  const named = /^gitdir: (.+)$/mu.exec(readFileSync(path, "utf8"))?.[1]?.trim();
  if (named === undefined) return undefined;
  const own = resolve(dirname(path), named);
  const common = join(own, "commondir");
  const shared = existsSync(common) ? resolve(own, readFileSync(common, "utf8").trim()) : own;
  return isGitDir(shared) ? shared : undefined;
}

const isGitDir = (path: string): boolean =>
  existsSync(join(path, "HEAD")) && existsSync(join(path, "objects")) && existsSync(join(path, "refs"));

function placeOf(at: string, top: string | undefined): LocalPlace {
  const gitDir = realpathSync(at);
  const named = basename(gitDir) === ".git" ? basename(dirname(gitDir)) : basename(gitDir, ".git");
  const name =
    named
      .replaceAll(/[^A-Za-z0-9._-]+/gu, "-")
      .replace(/^[.-]+/u, "")
      .slice(0, 60) || "repository";
  const hash = createHash("sha256").update(gitDir).digest("hex");
  return {
    gitDir,
    top: top === undefined ? undefined : realpathSync(top),
    name,
    id: Number.parseInt(hash.slice(0, 12), 16),
    key: `${name}-${hash.slice(0, 12)}`,
  };
}

/** Where the folders of all repositories of this host are. */
export const localFolders = (state: string): string => join(state, "local");

/** Where its database, worktrees, logs and tickets are kept. */
export const localFolder = (state: string, { key }: Pick<LocalPlace, "key">): string =>
  join(localFolders(state), key);
