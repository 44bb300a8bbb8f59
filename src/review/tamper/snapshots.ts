/** Recorded output that was recorded anew. */
import type { Change } from "./change.ts";
import type { Hit } from "./hit.ts";
import { kindOf } from "./paths.ts";

/** More than this in one change is not a correction of a snapshot. */
const many = { files: 5, lines: 200 };

export function findSnapshots({ files, sourceDiffers }: Change): readonly Hit[] {
  const isKept = (path: string): boolean => kindOf(path) === "snapshot" || kindOf(path) === "golden";
  const rewritten = files.filter(
    ({ oldPath, is, removed }) => isKept(oldPath) && is !== "added" && removed.length > 0,
  );
  const lines = rewritten.reduce((sum, { added, removed }) => sum + added.length + removed.length, 0);
  const first = rewritten[0];
  if (first === undefined) return [];
  if (rewritten.length > many.files || lines > many.lines)
    return [
      {
        rule: "snapshots-rewritten",
        path: first.path,
        reason: `${rewritten.length === 1 ? "a file" : `this and ${rewritten.length - 1} more files`} of recorded output changed at once (${lines} lines)`,
      },
    ];
  if (sourceDiffers) return [];
  return [
    {
      rule: "expectation-changed",
      path: first.path,
      line: first.removed[0]?.line ?? 1,
      reason: "recorded output was changed, and nothing that is tested",
    },
  ];
}
