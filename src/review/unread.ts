import type { DiffFile } from "./diff.ts";
import { maxPartChars } from "./parts.ts";

/** What git keeps of a file that lies elsewhere: nobody who reads the diff has read the file. */
const pointer = /^(?:version https:\/\/git-lfs\.github\.com\/spec\/v1|oid sha256:[0-9a-f]{64})$/u;
/** Part of a longer line is not shown to a reviewer. */
const longestLine = Math.floor(maxPartChars / 2);

/** Why a person must look at what no reviewer could read. */
export function unreadReasons(files: readonly DiffFile[]): readonly string[] {
  const there = files.filter(({ is }) => is !== "deleted");
  const elsewhere = there.filter(({ added }) => added.some(({ text }) => pointer.test(text.trim())));
  const long = there.filter(({ added }) => added.some(({ text }) => text.length > longestLine));
  return [
    ...elsewhere.map(
      ({ path }) => `\`${path}\` is kept outside the repository (Git LFS): its change could not be read`,
    ),
    ...long.map(({ path }) => `\`${path}\` has a line too long to be read whole`),
  ];
}
