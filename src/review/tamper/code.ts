import type { Language } from "./language.ts";

/** No line is read further: what stands behind it is told of as not readable. */
export const readable = 20_000;

/** A line without its comment, and the same with nothing left in its strings. */
export interface Code {
  readonly code: string;
  readonly bare: string;
}

const inBlock = /^\s{0,200}(?:\*(?!\w)|\/\*.{0,2000}\*\/\s{0,20}$)/u;

export function codeOf(line: string, { comment, quotes, name }: Language): Code {
  const text = line.slice(0, readable);
  if (name !== "python" && name !== "ruby" && inBlock.test(text)) return { code: "", bare: "" };
  // An attribute of Rust is no comment, nor is a build tag of Go, which must be seen.
  const marks = name === "other" && /^\s{0,200}#\[?/u.test(text) && text.includes("#[") ? ["//"] : comment;
  let bare = "";
  let start = 0;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? "";
    if (quote !== undefined) {
      if (sign === "\\") at += 1;
      else if (sign === quote) {
        quote = undefined;
        start = at;
      }
    } else if (quotes.includes(sign)) {
      bare += text.slice(start, at + 1);
      quote = sign;
    } else if (marks.some((mark) => text.startsWith(mark, at)) && !isPart(text, at, sign)) {
      return { code: text.slice(0, at).trimEnd(), bare: (bare + text.slice(start, at)).trimEnd() };
    }
  }
  return { code: text, bare: quote === undefined ? bare + text.slice(start) : bare };
}

/** `https://`, `#{x}` and a private `#name` begin no comment. */
function isPart(text: string, at: number, sign: string): boolean {
  const before = text[at - 1];
  if (sign === "/") return before === ":";
  return text[at + 1] === "{" || text[at + 1] === "[" || (before !== undefined && /[\w&]/u.test(before));
}

/** How many levels of brackets this code opens more than it closes. */
export function opened(bare: string): number {
  let depth = 0;
  for (const sign of bare) {
    if (sign === "(" || sign === "[" || sign === "{") depth += 1;
    else if (sign === ")" || sign === "]" || sign === "}") depth -= 1;
  }
  return depth;
}

/** How far a line is indented; a tab counts as four. */
export function indentOf(text: string): number {
  const white = /^[ \t]*/u.exec(text)?.[0] ?? "";
  return white.replaceAll("\t", "    ").length;
}

/** The same code whatever its layout and its quotes. */
export const normal = (code: string): string =>
  code
    .replace(/\s+/gu, "")
    .replace(/['`]/gu, '"')
    .replace(/,(?=[)\]}])/gu, "")
    .replace(/[;,]+$/u, "");

/** Literals in order: numbers and the insides of strings. */
export const literalsOf = (code: string): readonly string[] =>
  [
    ...code.matchAll(
      /"((?:[^"\\]|\\.){0,400})"|'((?:[^'\\]|\\.){0,400})'|`([^`]{0,400})`|(?<![\w.])(-?(?:0[xXoObB][\da-fA-F_]{1,40}|\d[\d_]{0,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,4})?))|\b(true|false|True|False|null|None|nil|undefined)\b/gu,
    ),
  ].map((match) => match.slice(1).find((one) => one !== undefined) ?? "");

/** The code with its literals taken out. */
export const masked = (code: string): string =>
  code
    .replace(/"(?:[^"\\]|\\.){0,400}"|'(?:[^'\\]|\\.){0,400}'|`[^`]{0,400}`/gu, "¤")
    .replace(
      /(?<![\w.])-?(?:0[xXoObB][\da-fA-F_]{1,40}|\d[\d_]{0,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,4})?)/gu,
      "¤",
    )
    .replace(/\b(?:true|false|True|False|null|None|nil|undefined)\b/gu, "¤")
    .replace(/\s+/gu, "");

const dull =
  /^(?:expect|assert\w*|to\w*|be|eq|equal|not|is|it|test|t|self|should\w*|require|verify|that|const|let|var|def|func|fn|public|void|async|await|return|if|for|in|of|got|want|new|from|import|the|a|and|or|true|false|null|none|nil|fatalf?|errorf?|unwrap|as|static|final|class|val)$/iu;

/** What the code speaks of: names and literals, without the words of the test library. */
export function tokensOf(code: string): ReadonlySet<string> {
  const words = code.match(/[A-Za-z_][\w]{0,80}|\d[\w.]{0,40}/gu) ?? [];
  return new Set(words.filter((word) => !dull.test(word)));
}

/** How much of one set lies in the other, 0 to 1. */
export function share(some: ReadonlySet<string>, all: ReadonlySet<string>): number {
  if (some.size === 0) return 0;
  let both = 0;
  for (const one of some) if (all.has(one)) both += 1;
  return both / some.size;
}
