/** One block of ours in a file that belongs to people; what stands outside it is never changed. Pure. */
import { lineEndOf, normal, withLineEnds } from "./three-way.ts";

const begin = "<!-- forgehand:begin (kept by `forgehand bootstrap`; what is outside stays as it is) -->";
const end = "<!-- forgehand:end -->";
const beginLine = /^<!-- forgehand:begin\b[^\r\n]*-->[ \t]*\r?$/mu;
const endLine = /^<!-- forgehand:end -->[ \t]*\r?$/mu;

export type BlockFound =
  | { readonly is: "none" }
  /** One marker alone, or several of them: where ours ends cannot be told. */
  | { readonly is: "torn" }
  | {
      readonly is: "found";
      readonly inner: string;
      readonly from: number;
      readonly to: number;
      readonly eol: "\n" | "\r\n";
    };

/** Finds the block; `inner` has the line ends of Unix and no empty line at either end. */
export function blockIn(text: string): BlockFound {
  const opening = beginLine.exec(text);
  const closing = endLine.exec(text);
  if (opening === null && closing === null) return { is: "none" };
  if (opening === null || closing === null || closing.index < opening.index) return { is: "torn" };
  const from = opening.index + opening[0].length;
  const rest = `${text.slice(0, opening.index)}\n${text.slice(closing.index + closing[0].length)}`;
  const within = text.slice(from, closing.index);
  if ([rest, within].some((part) => beginLine.test(part) || endLine.test(part))) return { is: "torn" };
  return {
    is: "found",
    inner: trimmed(normal(within)),
    from: opening.index,
    to: closing.index + closing[0].replace(/\r$/u, "").length,
    eol: opening[0].endsWith("\r") ? "\r\n" : "\n",
  };
}

/** The text with this inside the block: in its place, else at the end, apart from what stands there. */
export function withBlock(text: string, inner: string): string {
  const found = blockIn(text);
  // A block keeps its own line ends: most of the lines may be ours.
  const eol = found.is === "found" ? found.eol : lineEndOf(text);
  const block = withLineEnds(`${begin}\n${trimmed(inner)}\n${end}`, eol);
  if (found.is === "found") return `${text.slice(0, found.from)}${block}${text.slice(found.to)}`;
  const gap = text === "" ? "" : /\n\r?\n$/u.test(text) ? "" : text.endsWith("\n") ? eol : `${eol}${eol}`;
  return `${text}${gap}${block}${eol}`;
}

const trimmed = (text: string): string => text.replaceAll(/^\n+|\n+$/gu, "");
