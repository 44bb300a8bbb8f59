import { git } from "./git.ts";
import type { HubState, SimPull, SimRepo } from "./state.ts";

export interface ChangedFile {
  /** Of the blob, as it is now or as it was when it was removed. */
  readonly sha: string;
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
  const fields = (await git(dir, ["diff", "--raw", "--no-abbrev", "-z", "-M", range])).split("\0");
  const files: ChangedFile[] = [];
  for (let at = 0; at + 1 < fields.length;) {
    const [, , from = "", to = "", status = ""] = (fields[at] ?? "").split(" ");
    const letter = status[0] ?? "";
    const isRenamed = letter === "R";
    const before = fields[at + 1] ?? "";
    const filename = isRenamed ? (fields[at + 2] ?? "") : before;
    at += isRenamed ? 3 : 2;
    const text = await git(dir, ["diff", "-M", range, "--", ...new Set([before, filename])]);
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
      sha: letter === "D" ? from : to,
      filename,
      status: words[letter] ?? "changed",
      additions,
      deletions,
      changes: additions + deletions,
      ...(isRenamed ? { previous_filename: before } : {}),
      ...(lines.length === 0 ? {} : { patch: lines.join("\n") }),
    });
  }
  return files;
}

/** A file of a diff as GitHub's answers carry it. */
export function entryOf(state: HubState, repo: SimRepo, file: ChangedFile, head: string) {
  const at = `${repo.owner}/${repo.name}`;
  const path = file.filename.split("/").map(encodeURIComponent).join("/");
  return {
    ...file,
    blob_url: `${state.url}/${at}/blob/${head}/${path}`,
    raw_url: `${state.url}/${at}/raw/${head}/${path}`,
    contents_url: `${state.url}/repos/${at}/contents/${path}?ref=${head}`,
  };
}

/** How much a pull request changes. */
export async function measure(repo: SimRepo, pull: SimPull): Promise<void> {
  const base = repo.branches.get(pull.baseRef) ?? "";
  const files = await changedFiles(repo.dir, base, pull.head);
  const sum = (of: "additions" | "deletions"): number => files.reduce((all, file) => all + file[of], 0);
  pull.size = {
    commits: Number(await git(repo.dir, ["rev-list", "--count", `${base}..${pull.head}`])),
    additions: sum("additions"),
    deletions: sum("deletions"),
    changed_files: files.length,
  };
}

/**
 * Where a line stands in the patch on that side, so that a comment can hang on it: its hunk up to there, and how many
 * lines that is below the first header. Undefined where it stands nowhere.
 */
export function placeInPatch(
  patch: string,
  line: number,
  side: "LEFT" | "RIGHT",
): { readonly hunk: string; readonly position: number } | undefined {
  let left = 0;
  let right = 0;
  let start = 0;
  const lines = patch.split("\n");
  for (const [index, text] of lines.entries()) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(text);
    if (hunk !== null) {
      start = index;
      left = Number(hunk[1]);
      right = Number(hunk[2]);
      continue;
    }
    if (text.startsWith("\\")) continue;
    const isHere =
      side === "LEFT" ? !text.startsWith("+") && left === line : !text.startsWith("-") && right === line;
    if (isHere) return { hunk: lines.slice(start, index + 1).join("\n"), position: index };
    if (!text.startsWith("+")) left += 1;
    if (!text.startsWith("-")) right += 1;
  }
  return undefined;
}
