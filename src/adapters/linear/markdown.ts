/** Our Markdown as Linear reads it: it knows no HTML, and has signs of its own that nobody's words may set. */
import type { Markdown } from "../../ports.ts";

/** A profile's address calls its owner as an `@` does on the forge. */
const callingAddress = /(?<=\blinear\.app\/[\w.%-]{1,100}\/)(?=profiles\/)/giu;
/** Opens or ends a section that is folded away. */
const fold = /^((?:[ \t]|>|[-*+][ \t]|\d{1,9}[.)][ \t])*)(?=\+\+\+)/u;
const codeSpan = /(`+)[^`]+\1(?!`)/gu;
const entity = /&(amp|lt);/gu;

const signs: Readonly<Record<string, string>> = { amp: "&", lt: "<" };
const signOf = (name: string): string => signs[name] ?? "";

/** Tags and entities become what they stand for; what would fold text away or call somebody stays text. */
export function linearMarkdown(text: Markdown): Markdown {
  let fence: Fence | undefined;
  return text
    .split("\n")
    .map((line) => {
      fence = fenceAfter(fence, line);
      return fence === undefined ? spoken(line).replace(fold, "$1\\") : decoded(line);
    })
    .join("\n");
}

/** A block of code that is open, and how deep in quotations. */
interface Fence {
  readonly sign: string;
  readonly depth: number;
}

function fenceAfter(open: Fence | undefined, line: string): Fence | undefined {
  const [quotation = ""] = /^(?: {0,3}>)*/u.exec(line) ?? [];
  const depth = quotation.split(">").length - 1;
  // A quotation that ends ends what is open in it.
  const now = open !== undefined && depth < open.depth ? undefined : open;
  const [, sign, rest = ""] = /^ {0,4}(`{3,}|~{3,})(.*)$/u.exec(line.slice(quotation.length)) ?? [];
  if (sign === undefined) return now;
  if (now !== undefined) return sign.startsWith(now.sign) && rest.trim() === "" ? undefined : now;
  return sign.startsWith("`") && rest.includes("`") ? undefined : { sign, depth };
}

const decoded = (code: string): string => code.replace(entity, (_whole, name: string) => signOf(name));

/** Outside code a sign that means something gets a backslash, which every reader of Markdown takes off again. */
function spoken(line: string): string {
  const prose = (part: string): string =>
    part
      .replace(/<\/?sub>/gu, "")
      .replace(entity, (_whole, name: string) => `\\${signOf(name)}`)
      .replace(callingAddress, "\u200b");
  let after = 0;
  let out = "";
  for (const span of line.matchAll(codeSpan)) {
    out += prose(line.slice(after, span.index)) + decoded(span[0]);
    after = span.index + span[0].length;
  }
  return out + prose(line.slice(after));
}
