/** Hears that another process has written to a database, at once where the file system tells and within a second where it does not. */
import { watch, type FSWatcher } from "node:fs";
import { basename, dirname, resolve } from "node:path";

/** What one commit of another process stirs up is looked at once. */
const settleMs = 10;
const lookMs = 1_000;

/** Calls `changed` after another process has committed; `version` grows with every such commit. Answers how to stop. */
export function watchDatabase(path: string, version: () => number, changed: () => void): () => void {
  let known = version();
  let soon: NodeJS.Timeout | undefined;
  const look = (): void => {
    clearTimeout(soon);
    soon = undefined;
    const now = version();
    if (now === known) return;
    known = now;
    changed();
  };
  const timer = setInterval(look, lookMs);
  const watcher = watchFolder(resolve(path), () => (soon ??= setTimeout(look, settleMs)));
  return () => {
    clearInterval(timer);
    clearTimeout(soon);
    watcher?.close();
  };
}

function watchFolder(path: string, stirred: () => void): FSWatcher | undefined {
  const name = basename(path);
  try {
    const watcher = watch(dirname(path), (_event, file) => {
      if (file === null || file.startsWith(name)) stirred();
    });
    // A file system that stops telling leaves the timer.
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
