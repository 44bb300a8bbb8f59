/**
 * What a confined process sees of the repository it works in: enough to look at its history, and nothing it could
 * change. The configuration is left out, for a person's may hold a token.
 */
import { lstatSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export interface GitView {
  /** A folder of which only what follows is seen. */
  readonly hidden: string | undefined;
  /** Read-only as they are. */
  readonly seen: readonly string[];
  /** Empty, whatever it holds. */
  readonly blank: string | undefined;
}

/** Of a git directory; not its hooks, and not the data of other worktrees. */
const history = ["HEAD", "index", "info", "objects", "packed-refs", "refs", "shallow"];
const nothing: GitView = { hidden: undefined, seen: [], blank: undefined };

/** The repository whose files begin in this folder. */
export function gitView(folder: string): GitView {
  const dot = join(folder, ".git");
  const stat = lstatSync(dot, { throwIfNoEntry: false });
  const historyIn = (common: string): readonly string[] =>
    history.map((name) => join(common, name)).filter(isPlain);
  if (stat?.isDirectory() === true)
    return isPlain(dot) ? { hidden: dot, seen: historyIn(dot), blank: join(dot, "config") } : nothing;
  if (stat?.isFile() !== true) return nothing;
  // An agent may have written it: it is believed only when what it points to points back.
  const admin = /^gitdir: (.+)$/u.exec(textOf(dot))?.[1];
  const common = admin === undefined ? "" : dirname(dirname(admin));
  const isOurs =
    admin !== undefined &&
    isPlain(admin) &&
    basename(dirname(admin)) === "worktrees" &&
    resolve(admin, textOf(join(admin, "commondir"))) === common &&
    textOf(join(admin, "gitdir")) === dot;
  if (!isOurs) return { ...nothing, seen: [dot] };
  return { hidden: undefined, seen: [dot, ...historyIn(common), admin], blank: join(common, "config") };
}

/** There, and not by way of a link. */
function isPlain(path: string): boolean {
  try {
    return realpathSync(path) === path;
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
