import type { Leaf, LoopNode, Node, ParallelNode, SequenceNode } from "./node.ts";
import type { Rows } from "./rows.ts";

/** A leaf whose next attempt may begin now. */
export interface Due {
  readonly leaf: Leaf;
  readonly iteration: string;
}
/** A leaf that waits: for a person, or until an instant. */
export interface Waiting {
  readonly leaf: Leaf;
  readonly iteration: string;
  readonly until: number | undefined;
}
export interface Plan {
  readonly due: readonly Due[];
  readonly waiting: readonly Waiting[];
  /** `open` while something is due, at work or waiting. */
  readonly is: "open" | "done" | "failed";
  readonly why: string | undefined;
}
type Verdict = "open" | "done" | "failed";

/**
 * Remembers, for one rendered tree, how far each sequence is finished: what is done stays done, so a step costs the
 * same however many came before it.
 */
export interface Progress {
  readonly cursors: Map<string, number>;
  readonly iterations: Map<string, number>;
}
export const newProgress = (): Progress => ({ cursors: new Map(), iterations: new Map() });

interface Walk {
  readonly rows: Rows;
  readonly now: number;
  readonly progress: Progress;
  readonly due: Due[];
  readonly waiting: Waiting[];
  working: number;
  why: string | undefined;
}

/** What the tree says is due, given everything that happened. Pure but for the progress it is handed. */
export function plan(tree: Node, rows: Rows, now: number, progress: Progress = newProgress()): Plan {
  const walk: Walk = { rows, now, progress, due: [], waiting: [], working: 0, why: undefined };
  const is = visit(walk, tree, "", "");
  // After a failure nothing new begins; what is at work may end.
  return { due: is === "failed" ? [] : walk.due, waiting: walk.waiting, is, why: walk.why };
}

function visit(walk: Walk, node: Node, iteration: string, path: string): Verdict {
  switch (node.kind) {
    case "sequence":
      return visitSequence(walk, node, iteration, path);
    case "parallel":
      return visitParallel(walk, node, iteration, path);
    case "loop":
      return visitLoop(walk, node, iteration, path);
    case "task":
    case "approval":
    case "timer":
      return visitLeaf(walk, node, iteration);
  }
}

function visitSequence(walk: Walk, { children }: SequenceNode, iteration: string, path: string): Verdict {
  const key = `${path}@${iteration}`;
  let cursor = walk.progress.cursors.get(key) ?? 0;
  for (; cursor < children.length; cursor += 1) {
    const child = children[cursor];
    const verdict = child === undefined ? "done" : visit(walk, child, iteration, `${path}/${cursor}`);
    if (verdict !== "done") {
      walk.progress.cursors.set(key, cursor);
      return verdict;
    }
  }
  walk.progress.cursors.set(key, cursor);
  return "done";
}

function visitParallel(
  walk: Walk,
  { children, max }: ParallelNode,
  iteration: string,
  path: string,
): Verdict {
  let verdict: Verdict = "done";
  const { working } = walk;
  const mark = walk.due.length;
  for (const [index, child] of children.entries()) {
    const one = visit(walk, child, iteration, `${path}/${index}`);
    if (one === "failed") verdict = "failed";
    else if (one === "open" && verdict === "done") verdict = "open";
  }
  // Only now is it known how many are at work. What waits for a person or for time takes nobody's place.
  let room = max - (walk.working - working);
  const beyond = walk.due.splice(mark);
  walk.due.push(...beyond.filter(({ leaf }) => leaf.kind !== "task" || --room >= 0));
  return verdict;
}

function visitLoop(walk: Walk, loop: LoopNode, iteration: string, path: string): Verdict {
  const { rows, progress } = walk;
  const key = `${loop.id}@${iteration}`;
  const insideOf = (round: number): string => (iteration === "" ? String(round) : `${iteration}.${round}`);
  let round = progress.iterations.get(key) ?? 0;
  // An iteration that was followed by another is over, whatever the body would render for it now.
  while (rows.hasBegun(loop.body, insideOf(round + 1))) round += 1;
  for (; ; round += 1) {
    progress.iterations.set(key, round);
    const inside = insideOf(round);
    const isBegun = rows.hasBegun(loop.body, inside);
    if (!isBegun && round > 0 && loop.until) return "done";
    if (!isBegun && round >= loop.max) {
      if (loop.onExhausted === "accept") return "done";
      walk.why ??= `loop "${loop.id}" did not meet its condition in ${loop.max} iterations`;
      return "failed";
    }
    const verdict = visit(walk, loop.body, inside, `${path}/${loop.id}`);
    if (verdict !== "done") return verdict;
    if (loop.body.children.length === 0) return "done";
  }
}

function visitLeaf(walk: Walk, leaf: Leaf, iteration: string): Verdict {
  const { rows, now } = walk;
  const state = rows.stateOf(leaf.id, iteration);
  switch (state?.status) {
    case "finished":
      return "done";
    case "running":
      walk.working += 1;
      return "open";
    case "waiting":
      if (state.dueAt !== undefined && state.dueAt <= now) walk.due.push({ leaf, iteration });
      else walk.waiting.push({ leaf, iteration, until: state.dueAt });
      return "open";
    case "failed":
      return visitFailed(walk, leaf, iteration, state);
    case "lost":
    case undefined:
      walk.due.push({ leaf, iteration });
      return "open";
  }
}

function visitFailed(
  walk: Walk,
  leaf: Leaf,
  iteration: string,
  state: {
    readonly error: string | undefined;
    readonly dueAt: number | undefined;
    readonly attempts: number;
  },
): Verdict {
  if (state.dueAt === undefined) {
    const times = state.attempts === 1 ? "" : ` after ${state.attempts} attempts`;
    walk.why ??= `task "${leaf.id}" failed${times}: ${state.error ?? "no reason given"}`;
    return "failed";
  }
  if (state.dueAt <= walk.now) walk.due.push({ leaf, iteration });
  else walk.waiting.push({ leaf, iteration, until: state.dueAt });
  return "open";
}
