/** What lies in a worktree, compared with a commit by content: the worktree's own index is an agent's to forge. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sha } from "../../state-machine/ticket.ts";
import { seeingAll } from "./modes.ts";
import type { Place } from "./paths.ts";
import { together, type Yard } from "./yard.ts";

export interface Difference {
  /** In the commit with other content or another mode. */
  readonly changed: readonly string[];
  /** In the commit, and not here. */
  readonly missing: readonly string[];
  /** Here, and not in the commit; a repository inside shows as `name/`. */
  readonly extra: readonly string[];
}

/** Compares with a fresh index, so that no flag, stat or ignore rule hides anything. */
export async function compare(
  yard: Yard,
  where: Place,
  commit: Sha,
  ignored: "with ignored" | "without ignored",
): Promise<Difference> {
  const folder = mkdtempSync(join(tmpdir(), "forgehand-index-"));
  try {
    const environment = { GIT_INDEX_FILE: join(folder, "index") };
    await yard.git({ in: { mirror: where.mirror }, environment }, "read-tree", commit);
    const rules = ignored === "with ignored" ? [] : ["--exclude-per-directory=.gitignore"];
    // Nothing hides in a folder that is closed to us.
    const [files, others] = await seeingAll(yard, where, "u+rX", (heard) => {
      const order = { in: where, environment, heard };
      return together([
        yard.git(
          order,
          "diff",
          "--name-status",
          "--no-renames",
          "--no-ext-diff",
          "--no-textconv",
          "--ignore-submodules=none",
          "-z",
        ),
        yard.git(order, "ls-files", "--others", "-z", ...rules),
      ]);
    });
    const words = files.split("\0");
    const named = (isMissing: (letter: string) => boolean) =>
      words.filter((_word, index) => index % 2 === 1 && isMissing(words[index - 1] ?? ""));
    return {
      changed: named((letter) => letter !== "D"),
      missing: named((letter) => letter === "D"),
      extra: others.split("\0").filter((name) => name !== ""),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
