/** How frames look, and how two of them, or two runs, differ. Pure. */
import { filesAt, placeOf, type Frame } from "./frames.ts";
import type { Leaf } from "./node.ts";
import { openRows, type AttemptStatus } from "./rows.ts";
import type { RunRow } from "./store.ts";
import { linesOf } from "./tree.ts";
import { openView } from "./view.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** The tree as it was rendered from these frames, with how far each leaf was. Throws what the render throws. */
export function frameTree(
  workflow: AnyWorkflow,
  row: Pick<RunRow, "id" | "input">,
  frames: readonly Frame[],
): readonly string[] {
  return treeWith(workflow, row, frames, (leaf) => {
    const attempts = frames.filter((frame) => frame.leaf === leaf.id);
    const last = attempts.at(-1);
    if (last === undefined) return "";
    const iterations = new Set(attempts.map(({ iteration }) => iteration)).size;
    const times = iterations > 1 ? `, iteration ${last.iteration}` : "";
    return `  ${marks[last.status]} ${last.status}${times}`;
  });
}
const marks: Readonly<Record<AttemptStatus, string>> = {
  running: "▸",
  finished: "✓",
  failed: "✗",
  lost: "…",
  waiting: "⏸",
};

function treeWith(
  workflow: AnyWorkflow,
  row: Pick<RunRow, "id" | "input">,
  frames: readonly Frame[],
  mark: (leaf: Leaf) => string,
): readonly string[] {
  const view = openView(workflow, row, openRows(frames), false);
  // Planning finds which iteration each loop is in, which the render may ask.
  view.plan(frames.at(-1)?.endedAt ?? 0);
  return linesOf(view.tree(), 0, mark);
}

/** A place in the tree whose output is another, or that only one side has. */
export interface OutputDifference {
  readonly place: string;
  readonly is: "only in the first" | "only in the second" | "differs";
  readonly first: unknown;
  readonly second: unknown;
}
export function outputsThatDiffer(
  first: readonly Frame[],
  second: readonly Frame[],
): readonly OutputDifference[] {
  const [one, two] = [outputsOf(first), outputsOf(second)];
  return [...new Set([...one.keys(), ...two.keys()])].flatMap((place): OutputDifference[] => {
    const both = { place, first: one.get(place), second: two.get(place) };
    if (!two.has(place)) return [{ ...both, is: "only in the first" }];
    if (!one.has(place)) return [{ ...both, is: "only in the second" }];
    return isSame(both.first, both.second) ? [] : [{ ...both, is: "differs" }];
  });
}
const outputsOf = (frames: readonly Frame[]): ReadonlyMap<string, unknown> =>
  new Map(
    frames.flatMap((frame) => (frame.status === "finished" ? [[placeOf(frame), frame.output] as const] : [])),
  );
const isSame = (one: unknown, two: unknown): boolean => JSON.stringify(one) === JSON.stringify(two);

/** Lines of the tree that only one of two frames has. */
export function treesThatDiffer(
  workflow: AnyWorkflow,
  row: Pick<RunRow, "id" | "input">,
  first: readonly Frame[],
  second: readonly Frame[],
): { readonly onlyFirst: readonly string[]; readonly onlySecond: readonly string[] } {
  const [one, two] = [first, second].map((frames) => treeWith(workflow, row, frames, () => ""));
  return { onlyFirst: without(one ?? [], two ?? []), onlySecond: without(two ?? [], one ?? []) };
}
const without = (lines: readonly string[], others: readonly string[]): readonly string[] => {
  const there = new Set(others.map((line) => line.trim()));
  return lines.map((line) => line.trim()).filter((line) => !there.has(line));
};

/** The commits to compare where a folder's files may differ between two frames. */
export function filesThatMayDiffer(
  frames: readonly Frame[],
  { from, to }: { readonly from: number; readonly to: number },
): readonly { readonly folder: string; readonly from: string; readonly to: string }[] {
  const [one, two] = [filesAt(frames, from), filesAt(frames, to)];
  return [...one].flatMap(([folder, before]) => {
    const after = two.get(folder);
    return before === undefined || after === undefined || before === after
      ? []
      : [{ folder, from: before, to: after }];
  });
}
