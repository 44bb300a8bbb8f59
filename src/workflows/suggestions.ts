/** What people suggest word for word on lines of the diff: done by the host, exactly as they wrote it. Pure. */
import type { LineSuggestion } from "../ports-threads.ts";
import type { OrderThread, Outcome } from "./work-order.ts";

/**
 * The newest suggestion in each conversation whose orders are nothing but suggestions: words beside it, in the same
 * comment or another, may want something else, so those go to the builder. Lines that were removed take none.
 */
export function suggestionsIn(order: readonly OrderThread[]): readonly LineSuggestion[] {
  return order.flatMap(({ root, upTo, path, lines, side, writtenOn, outdated, said }) => {
    const orders = said.filter(({ counts }) => counts);
    const newest = orders.at(-1);
    const block = newest === undefined ? undefined : onlyBlock(newest.text);
    if (newest === undefined || block === undefined || lines === undefined) return [];
    if (orders.some(({ text }) => onlyBlock(text) === undefined)) return [];
    if (side === "LEFT" || outdated) return [];
    const { by, byId } = newest;
    return [{ root, comment: upTo, path, ...lines, writtenOn, lines: block, by, byId }];
  });
}

/** The lines of the one suggestion that a comment is; undefined where it is none, or says more. */
function onlyBlock(text: string): readonly string[] | undefined {
  const lines = text.replaceAll(/\r\n?/gu, "\n").trim().split("\n");
  const fence = /^(`{3,}|~{3,})suggestion[ \t]*$/u.exec(lines[0] ?? "")?.[1];
  if (fence === undefined || lines.length < 2 || lines.at(-1)?.trimEnd() !== fence) return undefined;
  const inside = lines.slice(1, -1);
  return inside.some((line) => line.trimEnd() === fence) ? undefined : inside;
}

/** What became of the conversations whose suggestions are in this commit. */
export const appliedIn = (
  order: readonly OrderThread[],
  { head, applied }: { readonly head: string; readonly applied: readonly number[] },
): readonly Outcome[] =>
  order
    .filter(({ root }) => applied.includes(root))
    .map((thread) => ({
      thread,
      is: "fixed",
      text: "This suggestion is committed as it was written.",
      asked: 0,
      commit: head,
    }));
