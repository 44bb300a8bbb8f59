import type { LoopNode, ParallelNode, SequenceNode } from "./node.ts";

/** How far a node is in the iteration it is in; earlier ones are over. */
export interface Place {
  readonly iteration: string;
  /** Children before it are done, or stand in one of the lists of a parallel. */
  cursor: number;
  /** Children of a parallel that are not done, and those that wait for nothing but room, the first last. */
  open: number[];
  held: number[];
}

/**
 * Remembers, for one rendered tree, how far each of its nodes is: what is done stays done, so a step costs the same
 * however many came before it.
 */
export interface Progress {
  readonly places: WeakMap<SequenceNode | ParallelNode, Place>;
  readonly lookedAhead: WeakMap<LoopNode, string>;
  /** By loop and the iteration around it: the iteration it is in. Outlives a tree. */
  readonly rounds: Map<string, number>;
  /** By loop: the newest key among the rounds. */
  readonly opened: Map<string, string>;
  /** By loop: the newest iteration known to have begun. */
  readonly begun: Map<string, string>;
}

/** Nothing is known of this tree yet; of the loops, what was known of them in the tree before. */
export const newProgress = (before?: Progress): Progress => ({
  places: new WeakMap(),
  lookedAhead: new WeakMap(),
  rounds: before?.rounds ?? new Map(),
  opened: before?.opened ?? new Map(),
  begun: before?.begun ?? new Map(),
});

/** The iteration that a loop is in, 0 before it is reached. */
export function roundOf({ rounds, opened }: Progress, loop: string): number {
  const key = opened.get(loop);
  return (key === undefined ? undefined : rounds.get(key)) ?? 0;
}

/** A child has been rendered again: it is looked at again. False when its node had passed it, so that all must be. */
export function reopen({ places }: Progress, node: SequenceNode | ParallelNode, index: number): boolean {
  const place = places.get(node);
  if (place === undefined) return true;
  if (node.kind === "sequence") return place.cursor <= index;
  if (place.held.includes(index)) {
    place.held = place.held.filter((one) => one !== index);
    place.open = [...place.open, index].toSorted((one, other) => one - other);
  }
  return place.cursor <= index || place.open.includes(index);
}
