/** Where findings stand, and where that is after the code has moved on. */
import { createHash } from "node:crypto";
import { parseDiff, type DiffFile } from "./diff.ts";

/** What changed from one head to another. */
export interface Changes {
  /** Nothing at all differs. */
  readonly isEmpty: boolean;
  /** Every path it touches, old and new. */
  readonly paths: ReadonlySet<string>;
  /** What a path is called now; undefined when it is gone. */
  pathNow(path: string): string | undefined;
  /** Where a line of the old head is now, or what took its place; undefined when its file is gone. */
  lineNow(path: string, line: number): number | undefined;
  /** Was this place of the new head changed? Without a line: the file. */
  isFresh(path: string, line: number | undefined): boolean;
  /** Did this place of the old head change? Without a line: the file. */
  isTouched(path: string, line: number | undefined): boolean;
}

/** As far as git shows what is around a change. */
const nearLines = 3;

/** Reads a diff between two heads. */
export function changesIn(diff: string): Changes {
  const files = parseDiff(diff);
  const byOld = new Map(files.filter(({ is }) => is !== "added").map((file) => [file.oldPath, file]));
  const byNew = new Map(files.map((file) => [file.path, file]));
  return {
    isEmpty: files.length === 0,
    paths: new Set(files.flatMap(({ path, oldPath }) => [path, oldPath])),
    pathNow: (path) => {
      const file = byOld.get(path);
      return file === undefined ? path : file.is === "deleted" ? undefined : file.path;
    },
    lineNow: (path, line) => {
      const file = byOld.get(path);
      return file === undefined ? line : file.is === "deleted" ? undefined : atNow(file, line);
    },
    isFresh: (path, line) => {
      const file = byNew.get(path);
      if (file === undefined || isOnlyMoved(file)) return false;
      if (line === undefined || file.is === "added" || file.isBinary) return true;
      const cuts = file.removed.map((one) => atNow(file, one.line));
      return [...file.added.map((one) => one.line), ...cuts].some((at) => Math.abs(at - line) <= nearLines);
    },
    isTouched: (path, line) => {
      const file = byOld.get(path);
      if (file === undefined || isOnlyMoved(file)) return false;
      if (line === undefined || file.is === "deleted" || file.isBinary) return true;
      if (file.removed.some((one) => Math.abs(one.line - line) <= nearLines)) return true;
      const now = atNow(file, line);
      return file.added.some((one) => Math.abs(one.line - now) <= nearLines);
    },
  };
}

const isOnlyMoved = ({ is, added, removed, isBinary }: DiffFile): boolean =>
  is === "renamed" && added.length === 0 && removed.length === 0 && !isBinary;

/** The new number of an old line, or of where it was. */
function atNow({ added, removed }: DiffFile, line: number): number {
  const isGone = removed.some((one) => one.line === line);
  let now = line - removed.filter((one) => one.line < line).length;
  for (const one of added) if (isGone ? one.line < now : one.line <= now) now += 1;
  return Math.max(1, now);
}

/** The new side of a diff, as far as it is shown: text by line, by path. */
export type Shown = ReadonlyMap<string, ReadonlyMap<number, string>>;

export function shownIn(diff: string): Shown {
  const shown = new Map<string, Map<number, string>>();
  for (const part of diff.split(/(?<=\n)(?=diff --git )/u)) {
    const [file] = parseDiff(part);
    if (file === undefined) continue;
    const lines = new Map<number, string>();
    let next = 0;
    let isInHunk = false;
    for (const text of part.split("\n")) {
      const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)/u.exec(text);
      if (hunk !== null) {
        next = Number(hunk[1]);
        isInHunk = true;
      } else if (isInHunk && /^[+ ]/u.test(text)) lines.set(next++, text.slice(1));
    }
    shown.set(file.path, lines);
  }
  return shown;
}

/**
 * Names a place by what stands there, so that it is known again when lines above it come and go. Undefined where the
 * diff does not show it, and where what stands there stands in many places.
 */
export function contextAt(
  shown: Shown,
  path: string | undefined,
  line: number | undefined,
): string | undefined {
  if (path === undefined || line === undefined) return undefined;
  const lines = shown.get(path);
  const text = lines?.get(line)?.replace(/\s+/gu, " ").trim();
  if (text === undefined || text.replace(/[^\p{L}\p{N}]/gu, "").length < 4) return undefined;
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
