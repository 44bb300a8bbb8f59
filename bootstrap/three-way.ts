/** Merges what a person and a new template each made of the same text, by lines. Pure. */
import { diffArrays } from "diff";

/** `text` has the line ends of `ours`; a conflict is never marked in a file, it is told. */
export type MergedText = { readonly is: "merged"; readonly text: string } | { readonly is: "conflict" };

/** A stretch of the base, and what stands in its place. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly lines: readonly string[];
}

/** What `theirs` changed in `base` is done to `ours`, unless both changed the same place in different ways. */
export function mergeTexts(base: string, ours: string, theirs: string): MergedText {
  const [old, mine, news] = [linesOf(base), linesOf(ours), linesOf(theirs)];
  const changes = [
    ...changesOf(old, mine).map((change) => ({ ...change, by: "ours" as const })),
    ...changesOf(old, news).map((change) => ({ ...change, by: "theirs" as const })),
  ].toSorted((one, other) => one.from - other.from || one.to - other.to);
  const out: string[] = [];
  let at = 0;
  for (let index = 0; index < changes.length;) {
    const group = [changes[index++]].filter((one) => one !== undefined);
    let to = group[0]?.to ?? 0;
    const from = group[0]?.from ?? 0;
    // Touching is as good as overlapping: nobody can say which of two neighbours comes first.
    for (let next = changes[index]; next !== undefined && next.from <= to; next = changes[index]) {
      group.push(next);
      to = Math.max(to, next.to);
      index += 1;
    }
    const sides = {
      ours: group.filter(({ by }) => by === "ours"),
      theirs: group.filter(({ by }) => by === "theirs"),
    };
    const [one, other] = [within(old, from, to, sides.ours), within(old, from, to, sides.theirs)];
    if (sides.ours.length > 0 && sides.theirs.length > 0 && !isSame(one, other)) return { is: "conflict" };
    out.push(...old.slice(at, from), ...(sides.ours.length > 0 ? one : other));
    at = to;
  }
  out.push(...old.slice(at));
  return { is: "merged", text: withLineEnds(out.join("\n"), lineEndOf(ours)) };
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((line, index) => line === other[index]);
const linesOf = (text: string): string[] => normal(text).split("\n");

function changesOf(base: readonly string[], other: readonly string[]): readonly Change[] {
  const changes: Change[] = [];
  let at = 0;
  let from: number | undefined;
  let lines: string[] = [];
  const end = (): void => {
    if (from !== undefined) changes.push({ from, to: at, lines });
    from = undefined;
    lines = [];
  };
  for (const part of diffArrays([...base], [...other])) {
    if (!part.added && !part.removed) {
      end();
      at += part.value.length;
      continue;
    }
    from ??= at;
    if (part.added) lines.push(...part.value);
    else at += part.value.length;
  }
  end();
  return changes;
}

/** A stretch of the base as one side has it. */
function within(
  base: readonly string[],
  from: number,
  to: number,
  changes: readonly Change[],
): readonly string[] {
  const out: string[] = [];
  let at = from;
  for (const change of changes) {
    out.push(...base.slice(at, change.from), ...change.lines);
    at = change.to;
  }
  return [...out, ...base.slice(at, to)];
}

/** The same text with the line ends of Unix, by which texts are compared. */
export const normal = (text: string): string => text.replaceAll("\r\n", "\n");
/** The line end that most lines of a text have. */
export function lineEndOf(text: string): "\n" | "\r\n" {
  const windows = text.split("\r\n").length - 1;
  const all = text.split("\n").length - 1;
  return windows * 2 > all ? "\r\n" : "\n";
}
export const withLineEnds = (text: string, end: "\n" | "\r\n"): string =>
  end === "\n" ? text : normal(text).replaceAll("\n", end);
