/** Snapshots of the folders that runs of one database work in. Git is loaded when the first is made. */
import { homedir } from "node:os";
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { GitSnapshots } from "./adapters/git/snapshots.ts";

/** One look at a large repository may read all of it. */
const gitMs = 10 * 60_000;

export function snapshotsBeside(
  database: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): GitSnapshots {
  let opened: Promise<GitSnapshots> | undefined;
  const open = async (): Promise<GitSnapshots> => {
    const { gitRunner } = await import("./adapters/git/run.ts");
    const { openSnapshots } = await import("./adapters/git/snapshots.ts");
    const settings = env["XDG_CONFIG_HOME"] ?? join(env["HOME"] ?? homedir(), ".config");
    return openSnapshots({
      git: gitRunner(env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", gitMs),
      keptOut: filesOf(database),
      ignoreFile: join(settings, "git", "ignore"),
    });
  };
  const git = (): Promise<GitSnapshots> => (opened ??= open());
  return {
    save: async (...order) => await (await git()).save(...order),
    restore: async (...order) => await (await git()).restore(...order),
    diff: async (...order) => await (await git()).diff(...order),
    forget: async (...order) => await (await git()).forget(...order),
    treeOf: async (folder) => await (await git()).treeOf(folder),
    checkOut: async (...order) => await (await git()).checkOut(...order),
  };
}

function filesOf(database: string): readonly string[] {
  const path = resolve(database);
  const real = join(realpathSync(dirname(path)), basename(path));
  return ["", "-wal", "-shm", "-journal", "-logs"].map((end) => `${real}${end}`);
}
