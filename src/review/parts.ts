/** A change that is too much for one reading, in parts that are not. */

/** Of a diff a reviewer reads this much at once. */
export const maxPartChars = 50_000;
/** More parts than these are no review any more. */
export const maxParts = 12;

/** One part of a change. */
export interface Part {
  readonly diff: string;
  /** The files in it, or pieces of which are in it, as git names them. */
  readonly files: number;
}

/** Splits a diff between its files, in order; a file too long for one part is split between its hunks, then its lines. */
export function partsOf(diff: string, maxChars: number = maxPartChars): readonly Part[] {
  const pieces = diff
    .split(/(?<=\n)(?=diff --git )/u)
    .filter((piece) => piece.trim() !== "")
    .flatMap((piece) => piecesOf(piece, maxChars));
  const parts: { diff: string; files: number }[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if (last === undefined || last.diff.length + piece.length > maxChars)
      parts.push({ diff: piece, files: 1 });
    else {
      last.diff += piece;
      last.files += 1;
    }
  }
  return parts;
}

/** A whole file where it fits, else pieces of it, each under the file's own header. */
function piecesOf(file: string, maxChars: number): readonly string[] {
  if (file.length <= maxChars) return [file];
  const [head = "", ...hunks] = file.split(/(?<=\n)(?=@@ )/u);
  const header = cut(head, Math.floor(maxChars / 4));
  const room = maxChars - header.length;
  const pieces: string[] = [];
  for (const piece of hunks.flatMap((hunk) => linesOf(hunk, room))) {
    const last = pieces.at(-1);
    if (last === undefined || last.length + piece.length > room) pieces.push(piece);
    else pieces[pieces.length - 1] = last + piece;
  }
  return pieces.length === 0 ? [header] : pieces.map((piece) => header + piece);
}

/** A hunk in pieces, each with a header that says where its lines are. */
function linesOf(hunk: string, maxChars: number): readonly string[] {
  if (hunk.length <= maxChars) return [hunk];
  const at = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/u.exec(hunk);
  let [before, after] = [Number(at?.[1] ?? 1), Number(at?.[2] ?? 1)];
  const pieces: string[] = [];
  let lines: string[] = [];
  let size = 0;
  let start = [before, after] as const;
  // Room for a header of its own.
  const room = Math.max(1, maxChars - 60);
  const longest = Math.min(room, Math.floor(maxPartChars / 2));
  const close = (): void => {
    if (lines.length === 0) return;
    const old = lines.filter((line) => !line.startsWith("+")).length;
    const fresh = lines.filter((line) => !line.startsWith("-")).length;
    pieces.push(`@@ -${start[0]},${old} +${start[1]},${fresh} @@\n${lines.join("\n")}\n`);
    lines = [];
    size = 0;
    start = [before, after];
  };
  for (const line of hunk.replace(/\n$/u, "").split("\n").slice(1)) {
    const text = cut(line, longest);
    if (size + text.length + 1 > room) close();
    lines.push(text);
    size += text.length + 1;
    if (!line.startsWith("+")) before += 1;
    if (!line.startsWith("-")) after += 1;
  }
  close();
  return pieces;
}

/** A line longer than a whole reading is made by no person: its beginning has to do, and it says so. */
const cut = (line: string, maxChars: number): string =>
  line.length <= maxChars
    ? line
    : `${line.slice(0, Math.max(0, maxChars - 40))} [cut: ${line.length} characters in all]`;
