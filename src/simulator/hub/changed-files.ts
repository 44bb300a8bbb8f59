import { git } from "./git.ts";

export interface ChangedFile {
  readonly filename: string;
  readonly status: string;
  readonly additions: number;
  readonly deletions: number;
  readonly changes: number;
  readonly previous_filename?: string;
  /** Missing for a binary file. */
  readonly patch?: string;
}

const words: Readonly<Record<string, string>> = {
  A: "added",
  D: "removed",
  M: "modified",
  R: "renamed",
  T: "changed",
};

/** What a branch changed since it left its base, file by file, as git tells it. */
export async function changedFiles(dir: string, base: string, head: string): Promise<readonly ChangedFile[]> {
  const range = `${base}...${head}`;
  const fields = (await git(dir, ["diff", "--name-status", "-z", "-M", range])).split("\0");
  const files: ChangedFile[] = [];
  for (let at = 0; at + 1 < fields.length;) {
    const letter = fields[at]?.[0] ?? "";
    const isRenamed = letter === "R";
    const from = fields[at + 1] ?? "";
    const filename = isRenamed ? (fields[at + 2] ?? "") : from;
    at += isRenamed ? 3 : 2;
    const text = await git(dir, ["diff", "-M", range, "--", ...new Set([from, filename])]);
    const start = text.indexOf("\n@@");
    const lines =
      start === -1
        ? []
        : text
            .slice(start + 1)
            .trimEnd()
            .split("\n");
    const additions = lines.filter((line) => line.startsWith("+")).length;
    const deletions = lines.filter((line) => line.startsWith("-")).length;
    files.push({
      filename,
      status: words[letter] ?? "changed",
      additions,
      deletions,
      changes: additions + deletions,
      ...(isRenamed ? { previous_filename: from } : {}),
      ...(lines.length === 0 ? {} : { patch: lines.join("\n") }),
    });
  }
  return files;
}

/** Does this line stand in the patch on that side, so that a comment can hang on it? */
export function isInPatch(patch: string, line: number, side: "LEFT" | "RIGHT"): boolean {
  let left = 0;
  let right = 0;
  for (const text of patch.split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(text);
    if (hunk !== null) {
      left = Number(hunk[1]);
      right = Number(hunk[2]);
      continue;
    }
    if (text.startsWith("\\")) continue;
    const isHere =
      side === "LEFT" ? !text.startsWith("+") && left === line : !text.startsWith("-") && right === line;
    if (isHere) return true;
    if (!text.startsWith("+")) left += 1;
    if (!text.startsWith("-")) right += 1;
  }
  return false;
}
