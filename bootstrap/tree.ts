/** A repository's tracked files as bootstrap looks at them, and what stands in the way of a path. Pure. */

export type EntryKind =
  | "file"
  | "executable"
  /** Its text is where it points. */
  | "link"
  /** Another repository. */
  | "module";

export interface RepositoryTree {
  /** From the root, with `/` between folders. */
  readonly paths: readonly string[];
  kind(path: string): EntryKind | undefined;
  /** Undefined where it is absent, binary, too large, or no UTF-8. */
  read(path: string): string | undefined;
}

/** What is asked of a tree besides, answered without looking at all its paths each time. */
export interface TreeIndex {
  /** The path as the repository spells it, whatever the case of its letters. */
  spelled(path: string): string | undefined;
  isFolder(path: string): boolean;
  /** The step of a path's folders that is no folder, such as a link. */
  obstacle(path: string): string | undefined;
}

export function indexOf(tree: RepositoryTree): TreeIndex {
  const spelling = new Map<string, string>();
  const folders = new Set<string>();
  for (const path of tree.paths) {
    if (!spelling.has(path.toLowerCase())) spelling.set(path.toLowerCase(), path);
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      const folder = path.slice(0, at);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return {
    spelled: (path) => (tree.kind(path) === undefined ? spelling.get(path.toLowerCase()) : path),
    isFolder: (path) => folders.has(path),
    obstacle: (path) => {
      for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
        const step = path.slice(0, at);
        if (tree.kind(step) !== undefined) return step;
      }
      return undefined;
    },
  };
}

const maxHops = 5;

/**
 * The file behind a path whose last step may be a link to another file of the repository; undefined where the link leads
 * out of it, into a folder, in circles, or nowhere.
 */
export function fileBehind(tree: RepositoryTree, path: string): string | undefined {
  let at = path;
  for (let hop = 0; hop < maxHops; hop += 1) {
    const kind = tree.kind(at);
    if (kind !== "link") return kind === "file" || kind === "executable" ? at : undefined;
    const target = tree.read(at);
    if (target === undefined || target.startsWith("/")) return undefined;
    const steps = at.split("/").slice(0, -1);
    for (const step of target.replace(/\/+$/u, "").split("/")) {
      if (step === "" || step === ".") continue;
      if (step !== "..") steps.push(step);
      else if (steps.pop() === undefined) return undefined;
    }
    at = steps.join("/");
  }
  return undefined;
}
