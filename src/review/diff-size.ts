import type { DiffFile } from "./diff.ts";
import { kindOf } from "./tamper/paths.ts";
import type { Hit } from "./tamper/hit.ts";
import { isLockfile } from "./protected-paths.ts";

export interface SizeLimits {
  readonly files: number;
  readonly lines: number;
}

/** What no person wrote and nobody reads line by line does not make a change large. */
const counts = ({ path }: DiffFile): boolean => !isLockfile(path) && kindOf(path) !== "snapshot";

/** A change so large that a review of it proves little. */
export function findTooLarge(files: readonly DiffFile[], limits: SizeLimits): readonly Hit[] {
  const counted = files.filter(counts);
  const lines = counted.reduce((sum, { added, removed }) => sum + added.length + removed.length, 0);
  const over = [
    ...(counted.length > limits.files ? [`${counted.length} files (the limit is ${limits.files})`] : []),
    ...(lines > limits.lines ? [`${lines} lines (the limit is ${limits.lines})`] : []),
  ];
  return over.length === 0
    ? []
    : [{ rule: "diff-too-large", path: "", reason: `the change is large: ${over.join(" and ")}` }];
}
