/** Puts paths of a worktree back as they are at its base. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Worktree } from "../../ports.ts";
import { opened } from "./mirror.ts";
import { close, open, openedWide } from "./modes.ts";
import { kindAt, requireSha } from "./paths.ts";
import type { Place } from "./paths.ts";
import { placeTrouble } from "./trouble.ts";
import type { Yard } from "./yard.ts";

/** What the base lacks is removed, what it has is put back; no link is followed. */
export async function restore(yard: Yard, tree: Worktree, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  requireSha(tree.base);
  const at = await opened(yard, tree.path);
  const plain = paths.map(plainPath);
  const listing = await yard.git(
    { in: at },
    "--literal-pathspecs",
    "ls-tree",
    "--name-only",
    "-z",
    tree.base,
    "--",
    ...plain,
  );
  const there = listing.split("\0").filter((path) => path !== "");
  const putBack = async () => {
    for (const path of plain) await removeBelow(at, path, there.includes(path) ? "has it" : "lacks it");
    if (there.length > 0)
      await yard.git({ in: at }, "--literal-pathspecs", "checkout", tree.base, "--", ...there);
  };
  if (tree.branch !== undefined) return openedWide(yard, at, putBack);
  // A cold checkout is read-only, and is so again afterwards.
  await open(yard, [at.path], "u+rwX");
  try {
    await openedWide(yard, at, putBack);
  } finally {
    await close(at.path);
  }
}

function plainPath(path: string): string {
  const steps = path.replace(/\/+$/, "").split("/");
  if (steps.some((step) => step === "" || step === "." || step === ".." || step.toLowerCase() === ".git"))
    throw placeTrouble("git-path", `Cannot restore ${JSON.stringify(path)}: it leaves the worktree.`);
  return steps.join("/");
}

/** Where a link or a file stands in for a directory of the base, that is what goes. */
async function removeBelow(at: Place, path: string, base: "has it" | "lacks it"): Promise<void> {
  const steps = path.split("/");
  for (let depth = 1; depth < steps.length; depth += 1) {
    const parent = join(at.path, ...steps.slice(0, depth));
    const kind = kindAt(parent);
    if (kind === "directory") continue;
    if (kind !== "nothing" && base === "has it") await rm(parent);
    return;
  }
  await rm(join(at.path, path), { recursive: true, force: true });
}
