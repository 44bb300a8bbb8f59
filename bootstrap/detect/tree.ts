import type { RepoFiles } from "./detected.ts";
import { textOf, type Text } from "./text.ts";

/** The files of a repository, looked up by folder and read once each. */
export interface Tree {
  has(path: string): boolean;
  /** Names of the files that lie in the folder itself, sorted. */
  names(folder: string): readonly string[];
  /** Whether any file lies in it, however deep. */
  holds(folder: string): boolean;
  /** Every folder that holds a file itself, shallow ones first. */
  readonly folders: readonly string[];
  /** Sorted. */
  readonly paths: readonly string[];
  read(path: string): Text | undefined;
}

/** Tells the unreadable ones of the files that were asked for; absent ones are no matter. */
export function treeOf(files: RepoFiles): Tree {
  const paths = [...new Set(files.paths)].filter(isPlain).sort();
  const known = new Set(paths);
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const folder = folderOf(path);
    const names = folders.get(folder);
    if (names === undefined) folders.set(folder, [nameOf(path)]);
    else names.push(nameOf(path));
  }
  const holding = new Set<string>(["."]);
  for (const folder of folders.keys())
    for (let one = folder; !holding.has(one); one = folderOf(one)) holding.add(one);
  const texts = new Map<string, Text | undefined>();
  return {
    has: (path) => known.has(path),
    holds: (folder) => holding.has(folder),
    names: (folder) => folders.get(folder) ?? [],
    folders: [...folders.keys()].sort((one, other) => depth(one) - depth(other) || (one < other ? -1 : 1)),
    paths,
    read(path) {
      if (!known.has(path)) return undefined;
      if (!texts.has(path)) {
        const raw = files.read(path);
        texts.set(path, raw === undefined ? undefined : textOf(path, raw));
      }
      return texts.get(path);
    },
  };
}

export const folderOf = (path: string): string => {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash);
};
export const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** A name in a folder, as a path from the root. Undefined where it would lead out of the repository. */
export function joined(folder: string, name: string): string | undefined {
  const parts = folder === "." ? [] : folder.split("/");
  if (name.startsWith("/")) return undefined;
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length === 0 ? "." : parts.join("/");
}

/** The path of a file that lies in a folder. */
export const within = (folder: string, name: string): string => (folder === "." ? name : `${folder}/${name}`);

export const isBelow = (folder: string, above: string): boolean =>
  folder !== above && (above === "." || folder.startsWith(`${above}/`));

const depth = (folder: string): number => (folder === "." ? 0 : folder.split("/").length);

/** What no command line or comment could carry is left out, and what leads out of the repository. */
const isPlain = (path: string): boolean =>
  path.length > 0 &&
  path.length <= 1_000 &&
  !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]|[\uD800-\uDFFF]/u.test(path) &&
  !path.split("/").some((part) => part === "" || part === "." || part === "..");
