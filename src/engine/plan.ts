import type { Leaf, LoopNode, Node, ParallelNode, SagaNode, SequenceNode, TryNode } from "./node.ts";
import { newProgress, type Place, type Progress } from "./progress.ts";
import { insideOf, type Rows } from "./rows.ts";

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
  /** What waits in a part that has failed: nobody is asked for it any more. */
  readonly dropped: readonly Waiting[];
  /** `open` while something is due, at work or waiting. */
  readonly is: "open" | "done" | "failed";
  readonly why: string | undefined;
  /** What came of it, apart from whether it still runs. */
  readonly outcome: Outcome | undefined;
}
/**
 * Whether what was wanted was reached: `not met` by a loop that was exhausted, `compensated` after a saga took itself
 * back, `unknown` when it could not. A plain failure has none: it never got that far.
 */
export type Outcome = "met" | "not met" | "compensated" | "unknown";
type Verdict = "open" | "done" | "failed";

interface Walk {
  readonly rows: Rows;
  readonly now: number;
  readonly progress: Progress;
  readonly due: Due[];
  readonly waiting: Waiting[];
  readonly dropped: Waiting[];
  working: number;
  why: string | undefined;
  outcome: Outcome;
}

/** What the tree says is due, given everything that happened. Pure but for the progress it is handed. */
export function plan(tree: Node, rows: Rows, now: number, progress: Progress = newProgress()): Plan {
  const walk = walkOf(rows, now, progress);
  const is = visit(walk, tree, "");
  const { due, waiting, dropped } = walk;
  if (is === "open") return { due, waiting, dropped, is, why: undefined, outcome: undefined };
  // What came of it may lie in a part that was passed long ago.
  const whole = walkOf(rows, now, newProgress());
  visit(whole, tree, "");
  const outcome = is === "failed" && whole.outcome === "met" ? undefined : whole.outcome;
  // After a failure nothing new begins; what is at work may end.
  return { due: is === "failed" ? [] : due, waiting, dropped, is, why: whole.why, outcome };
}
const walkOf = (rows: Rows, now: number, progress: Progress): Walk => ({
  rows,
  now,
  progress,
  due: [],
  waiting: [],
  dropped: [],
  working: 0,
  why: undefined,
  outcome: "met",
});

function visit(walk: Walk, node: Node, iteration: string): Verdict {
  switch (node.kind) {
    case "sequence":
      return visitSequence(walk, node, iteration);
    case "parallel":
      return visitParallel(walk, node, iteration);
    case "loop":
      return visitLoop(walk, node, iteration);
    case "try":
      return visitTry(walk, node, iteration);
    case "saga":
      return visitSaga(walk, node, iteration);
    case "call":
    case "each":
      throw new Error(`a ${node.kind} was not rendered`);
    case "task":
    case "wait":
    case "timer":
    case "result":
      return visitLeaf(walk, node, iteration);
  }
}

function visitSequence(walk: Walk, node: SequenceNode, iteration: string): Verdict {
  const { children } = node;
  const place = placeIn(walk, node, iteration);
  for (; place.cursor < children.length; place.cursor += 1) {
    const child = children[place.cursor];
    const verdict = child === undefined ? "done" : visit(walk, child, iteration);
    if (verdict !== "done") return verdict;
  }
  return "done";
}

/** Where this node is; in another iteration it begins from its start. */
function placeIn({ progress }: Walk, node: SequenceNode | ParallelNode, iteration: string): Place {
  const known = progress.places.get(node);
  if (known?.iteration === iteration) return known;
  const fresh = { iteration, cursor: 0, open: [], held: [] };
  progress.places.set(node, fresh);
  return fresh;
}

/**
 * Children that are done are not looked at again, nor are those that only wait for room: a step costs as much as is at
 * work, however many are before and behind it.
 */
function visitParallel(walk: Walk, node: ParallelNode, iteration: string): Verdict {
  const { children, max } = node;
  const place = placeIn(walk, node, iteration);
  for (; place.cursor < children.length; place.cursor += 1) place.open.push(place.cursor);
  const { working } = walk;
  const mark = walk.due.length;
  let verdict: Verdict = place.held.length > 0 ? "open" : "done";
  const seen: Seen[] = [];
  for (const index of place.open) {
    const one = lookAt(walk, children[index], index, iteration);
    if (one.verdict === "failed") verdict = "failed";
    else if (one.verdict === "open" && verdict === "done") verdict = "open";
    if (one.verdict !== "done") seen.push(one);
  }
  // Only now is it known how many are at work. What waits for a person or for time takes nobody's place.
  const room = max - (walk.working - working);
  walk.due.splice(mark);
  shareRoom(walk, place, { room, seen, look: (index) => lookAt(walk, children[index], index, iteration) });
  return verdict;
}

/** What looking at one child of a parallel found. */
interface Seen {
  readonly index: number;
  readonly verdict: Verdict;
  readonly due: readonly Due[];
  /** Nothing of it is at work or waits. */
  readonly isIdle: boolean;
}
function lookAt(walk: Walk, child: Node | undefined, index: number, iteration: string): Seen {
  const before = marksOf(walk);
  const verdict = child === undefined ? "done" : visit(walk, child, iteration);
  const isIdle = walk.working === before.working && walk.waiting.length === before.waiting;
  return { index, verdict, due: walk.due.slice(before.due), isIdle };
}

/** Lets begin what there is room for, the first children first, and holds back those that have nothing else. */
function shareRoom(
  walk: Walk,
  place: Place,
  { room, seen, look }: { readonly room: number; readonly seen: readonly Seen[]; look(index: number): Seen },
): void {
  const { held } = place;
  const newlyHeld: number[] = [];
  let left = room;
  place.open = [];
  const share = ({ index, due, isIdle, verdict }: Seen): void => {
    const kept = due.filter(({ leaf }) => leaf.kind !== "task" || (left -= 1) >= 0);
    walk.due.push(...kept);
    const mayHold = isIdle && verdict === "open" && due.length > 0 && kept.length === 0;
    (mayHold ? newlyHeld : place.open).push(index);
  };
  const shareHeldBefore = (index: number): void => {
    for (let next = held.at(-1); left > 0 && next !== undefined && next < index; next = held.at(-1)) {
      held.pop();
      const mark = walk.due.length;
      const one = look(next);
      walk.due.splice(mark);
      share(one);
    }
  };
  for (const one of seen) {
    shareHeldBefore(one.index);
    share(one);
  }
  shareHeldBefore(Infinity);
  if (newlyHeld.length > 0) place.held = [...held, ...newlyHeld].toSorted((one, other) => other - one);
}

function visitLoop(walk: Walk, loop: LoopNode, iteration: string): Verdict {
  const { rows, progress } = walk;
  const key = `${loop.id}@${iteration}`;
  let round = progress.rounds.get(key) ?? 0;
  if (!progress.rounds.has(key)) progress.opened.set(loop.id, key);
  // An iteration that was followed by another is over, whatever the body would render for it now.
  if (progress.lookedAhead.get(loop) !== iteration)
    while (rows.hasBegun(loop.body, insideOf(iteration, round + 1))) round += 1;
  progress.lookedAhead.set(loop, iteration);
  for (; ; round += 1) {
    progress.rounds.set(key, round);
    const inside = insideOf(iteration, round);
    const isBegun = hasBegun(walk, loop, inside);
    if (!isBegun && round > 0 && loop.until) return "done";
    if (!isBegun && round >= loop.max) {
      walk.outcome = "not met";
      if (loop.onExhausted === "accept") return "done";
      walk.why ??= `loop "${loop.id}" did not meet its condition in ${loop.max} iterations`;
      return "failed";
    }
    const verdict = visit(walk, loop.body, inside);
    if (verdict !== "done") return verdict;
    if (loop.body.children.length === 0) return "done";
  }
}

/** What has begun stays begun. */
function hasBegun({ rows, progress }: Walk, loop: LoopNode, inside: string): boolean {
  if (progress.begun.get(loop.id) === inside) return true;
  if (!rows.hasBegun(loop.body, inside)) return false;
  progress.begun.set(loop.id, inside);
  return true;
}

/** A failed part: nothing more of it begins, and nobody waits for what it asked. */
function settleFailed(walk: Walk, before: Marks): Verdict {
  walk.due.splice(before.due);
  walk.dropped.push(...walk.waiting.splice(before.waiting));
  // What is still at work in it may end first, so that nothing that follows works beside it.
  return walk.working > before.working ? "open" : "failed";
}
interface Marks {
  readonly due: number;
  readonly waiting: number;
  readonly working: number;
  readonly why: string | undefined;
  readonly outcome: Outcome;
}
const marksOf = ({ due, waiting, working, why, outcome }: Walk): Marks => ({
  due: due.length,
  waiting: waiting.length,
  working,
  why,
  outcome,
});

function visitTry(walk: Walk, node: TryNode, iteration: string): Verdict {
  const before = marksOf(walk);
  let verdict = visit(walk, node.body, iteration);
  if (verdict === "failed") verdict = settleFailed(walk, before);
  if (verdict === "failed" && node.rescue !== undefined) {
    const { why, outcome } = walk;
    Object.assign(walk, { why: before.why, outcome: before.outcome });
    verdict = visit(walk, node.rescue, iteration);
    if (verdict === "failed") {
      verdict = settleFailed(walk, before);
      walk.why = `${walk.why ?? "it failed"} (while handling: ${why ?? "a failure"})`;
      walk.outcome = outcome;
    }
  }
  if (verdict === "open" || node.ensure === undefined) return verdict;
  const ensured = visit(walk, node.ensure, iteration);
  return ensured === "done" ? verdict : ensured;
}

function visitSaga(walk: Walk, saga: SagaNode, iteration: string): Verdict {
  const before = marksOf(walk);
  for (const [index, { act }] of saga.steps.entries()) {
    const verdict = visit(walk, act, iteration);
    if (verdict === "open") return "open";
    if (verdict === "done") continue;
    if (settleFailed(walk, before) === "open") return "open";
    return takeBack(walk, saga, index, iteration);
  }
  return "done";
}

/** Undoes the steps before the one that failed, newest first. */
function takeBack(walk: Walk, saga: SagaNode, failed: number, iteration: string): Verdict {
  const { why } = walk;
  for (let index = failed - 1; index >= 0; index -= 1) {
    const undo = saga.steps[index]?.undo;
    if (undo === undefined) continue;
    walk.why = undefined;
    const verdict = visit(walk, undo, iteration);
    if (verdict === "open") return "open";
    if (verdict === "failed") {
      walk.why = `saga "${saga.id}" could not be taken back: ${walk.why ?? "no reason given"} (it failed because ${why ?? "a step failed"})`;
      walk.outcome = "unknown";
      return "failed";
    }
  }
  walk.why = `saga "${saga.id}" was taken back: ${why ?? "a step failed"}`;
  walk.outcome = "compensated";
  return "failed";
}

function visitLeaf(walk: Walk, leaf: Leaf, iteration: string): Verdict {
  const { rows, now } = walk;
  const state = rows.stateOf(leaf.id, iteration);
  const isVoid = leaf.kind === "wait" && state?.about !== leaf.ask.about;
  switch (state?.status) {
    case "finished":
      if (isVoid) {
        walk.due.push({ leaf, iteration });
        return "open";
      }
      if (leaf.kind === "wait") rows.checkAnswer(leaf.id, iteration, leaf.output);
      return "done";
    case "running":
      walk.working += 1;
      return "open";
    case "waiting":
      if (isVoid || (state.dueAt !== undefined && state.dueAt <= now)) walk.due.push({ leaf, iteration });
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
