import type { Evidence } from "./detected.ts";

/** A file as lines, without byte order mark, whatever its line ends. */
export interface Text {
  readonly path: string;
  readonly lines: readonly string[];
  readonly all: string;
}

/** Longest text that is looked at; a manifest is far below. */
const maxLength = 512 * 1024;
const maxShown = 200;

// eslint-disable-next-line no-control-regex
const unshowable = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F\p{Cf}\p{Zl}\p{Zp}]|[\uD800-\uDFFF]/u;

export function textOf(path: string, raw: string): Text | undefined {
  if (raw.length > maxLength || raw.includes("\0")) return undefined;
  const lines = raw.replace(/^\uFEFF/u, "").split(/\r\n|\n|\r/u);
  return { path, lines, all: lines.join("\n") };
}

/** The line as it stands there, up to what a reader could not see. */
export function evidenceAt(text: Text, line: number): Evidence {
  const whole = (text.lines[line - 1] ?? "").trim();
  const hidden = whole.search(unshowable);
  return {
    path: text.path,
    line: Math.min(Math.max(line, 1), text.lines.length),
    text: whole.slice(0, hidden < 0 ? maxShown : Math.min(hidden, maxShown)).trim(),
  };
}

/** The file's being there says it all. */
export const evidenceOf = (path: string): Evidence => ({ path, line: 1, text: "" });

/** The first line from `from` on that matches, from 1; undefined where none does. */
export function lineMatching(text: Text, pattern: RegExp, from = 1): number | undefined {
  for (let line = from; line <= text.lines.length; line += 1) {
    // A line of a generated file may be endless, and none of ours is.
    if (pattern.test((text.lines[line - 1] ?? "").slice(0, 2_000))) return line;
  }
  return undefined;
}

/** The first line from `from` on that holds the piece, from 1. */
export function lineHolding(text: Text, piece: string, from = 1): number | undefined {
  const at = text.lines.findIndex((line, index) => index >= from - 1 && line.includes(piece));
  return at < 0 ? undefined : at + 1;
}

/** Evidence of the first line that matches, else of the file. */
export function evidenceMatching(text: Text, pattern: RegExp): Evidence {
  const line = lineMatching(text, pattern);
  return line === undefined ? evidenceOf(text.path) : evidenceAt(text, line);
}
