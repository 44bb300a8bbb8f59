/** What a replay would do, found out without doing any of it. */
import { beginOf, endOf, attemptFrom, rungIn } from "./ends.ts";
import { placeOf } from "./frames.ts";
import { openGiven, type GivenEnd } from "./given.ts";
import { childrenOf, isLeaf, type Leaf, type Node } from "./node.ts";
import type { Due, Outcome, Plan } from "./plan.ts";
import { openRows } from "./rows.ts";
import type { RunRow } from "./store.ts";
import { openView } from "./view.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** What would become of a leaf in one iteration. */
export interface Rehearsed {
  readonly leaf: string;
  readonly iteration: string;
  /**
   * `same`: it takes what was given. `again`: something was given, and does not fit any more. `new`: nothing was given.
   * `later`: something was given, and whether it is asked for depends on what is done before. `gone`: nothing asks for it.
   */
  readonly is: "same" | "again" | "new" | "later" | "gone";
  readonly effect: string | undefined;
}
export interface Rehearsal {
  readonly leaves: readonly Rehearsed[];
  /** How it would end from what was given alone; `open` when something must be done first. */
  readonly is: Plan["is"];
  readonly outcome: Outcome | undefined;
  readonly output: unknown;
  readonly why: string | undefined;
}

/** More steps than any run takes; a workflow that needs more renders without end. */
const maxSteps = 1_000_000;

/** Walks a workflow with what a run gave. Throws what its render throws. */
export function rehearse(
  workflow: AnyWorkflow,
  row: Pick<RunRow, "id" | "input">,
  ends: readonly GivenEnd[],
  now: number,
): Rehearsal {
  const given = openGiven(ends);
  const rows = openRows();
  const view = openView(workflow, row, rows, false);
  const known = new Set(ends.map(placeOf));
  const leaves: Rehearsed[] = [];
  let seq = 0;
  const take = (due: Due): void => {
    const { leaf, iteration } = due;
    const begin = beginOf(due, rows, now, given);
    const isGiven = given.to(leaf, iteration) !== undefined;
    const attempt = { ...begin, about: begin.ask?.about, ...nothingYet, seq: (seq += 1) };
    rows.take(attempt);
    const result = leaf.kind === "task" ? given.to(leaf, iteration) : undefined;
    const over = result === undefined ? rungIn(ready(leaf.kind, isGiven, due), rows, given) : [];
    const ended = result === undefined ? over[0] : { due, seq, attempt: begin.attempt, result };
    if (ended !== undefined)
      rows.take(
        attemptFrom(
          ended,
          endOf(ended, rows, now, () => 0),
          rows,
        ),
      );
    if (leaf.kind === "result") return;
    const is = isGiven ? "same" : known.has(placeOf({ leaf: leaf.id, iteration })) ? "again" : "new";
    leaves.push({ leaf: leaf.id, iteration, is, effect: leaf.kind === "task" ? leaf.effect : undefined });
  };
  let next = view.plan(now);
  while (next.is === "open" && next.due.length > 0 && seq < maxSteps) {
    for (const due of next.due) take(due);
    next = view.plan(now);
  }
  const met = new Set(leaves.map(placeOf));
  const kinds = new Map(leavesOf(view.tree()).map(({ id, kind }) => [id, kind]));
  for (const end of ends) {
    const kind = kinds.get(end.leaf);
    if (met.has(placeOf(end)) || kind === "result") continue;
    met.add(placeOf(end));
    const is = next.is === "open" && kind !== undefined ? "later" : "gone";
    leaves.push({ leaf: end.leaf, iteration: end.iteration, is, effect: undefined });
  }
  const left = next.is === "done" ? view.result(next.outcome) : undefined;
  return {
    leaves,
    is: left?.is === "failed" ? "failed" : next.is,
    outcome: next.outcome,
    output: left?.is === "finished" ? left.output : undefined,
    why: left?.is === "failed" ? left.error : next.why,
  };
}

const nothingYet = {
  output: undefined,
  error: undefined,
  memory: undefined,
  paused: false,
  snapshot: undefined,
};

/** What is over as soon as it begins: a result, and whatever waits for something that was given. */
const ready = (kind: Due["leaf"]["kind"], isGiven: boolean, due: Due): readonly Due[] =>
  kind === "result" || (isGiven && kind !== "task") ? [due] : [];

const leavesOf = (node: Node): readonly Leaf[] =>
  isLeaf(node) ? [node] : childrenOf(node).flatMap(leavesOf);
