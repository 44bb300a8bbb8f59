/** A run's tree and its attempts as pages draw them. Pure. */
import { placeOf, type Frame, type TreeNode } from "../../engine/index.ts";
import type { LeafStatus, RunBar, RunNode } from "../../ports-dashboard-runs.ts";

export const statusOf = ({ status, dueAt }: Pick<Frame, "status" | "dueAt">): LeafStatus =>
  status === "failed" && dueAt !== undefined ? "again" : status;

/** Frames by leaf, and which iterations of a loop they tell of. */
interface Known {
  readonly byLeaf: ReadonlyMap<string, readonly Frame[]>;
}
const knownIn = (frames: readonly Frame[]): Known => ({
  byLeaf: Map.groupBy(frames, ({ leaf }) => leaf),
});

const inside = (iteration: string, round: number): string =>
  iteration === "" ? String(round) : `${iteration}.${round}`;
const isWithin = (one: string, iteration: string): boolean =>
  iteration === "" || one === iteration || one.startsWith(`${iteration}.`);

const leavesOf = (node: TreeNode): readonly string[] =>
  node.children.length === 0 && node.kind !== "loop"
    ? node.id === undefined
      ? []
      : [node.id]
    : node.children.flatMap(leavesOf);

const framesIn = ({ byLeaf }: Known, node: TreeNode, iteration: string): readonly Frame[] =>
  leavesOf(node).flatMap((leaf) =>
    (byLeaf.get(leaf) ?? []).filter((frame) => isWithin(frame.iteration, iteration)),
  );

/** The iterations that a loop has been in, inside those around it. */
function roundsOf(known: Known, loop: TreeNode, iteration: string): readonly number[] {
  const at = iteration === "" ? 0 : iteration.split(".").length;
  const rounds = framesIn(known, loop, iteration).map((frame) => Number(frame.iteration.split(".")[at]));
  return [...new Set(rounds)].filter(Number.isInteger).toSorted((one, other) => one - other);
}

/** The tree with how far each leaf is; loops show one iteration: the chosen one, else the newest. */
export function drawn(
  tree: TreeNode,
  frames: readonly Frame[],
  chosen: ReadonlyMap<string, number>,
): RunNode {
  const known = knownIn(frames);
  const draw = (node: TreeNode, iteration: string): RunNode => {
    const { kind, id, max } = node;
    const plain = {
      kind,
      id,
      max,
      status: undefined,
      task: undefined,
      tries: 0,
      round: undefined,
      rounds: 0,
    };
    if (kind === "loop") {
      const rounds = roundsOf(known, node, iteration);
      const wanted = (chosen.get(id ?? "") ?? 0) - 1;
      const round = rounds.includes(wanted) ? wanted : (rounds.at(-1) ?? 0);
      const children = node.children.map((child) => draw(child, inside(iteration, round)));
      return { ...plain, round: round + 1, rounds: rounds.length, children };
    }
    if (id === undefined || kind === "saga")
      return { ...plain, children: node.children.map((child) => draw(child, iteration)) };
    const own = (known.byLeaf.get(id) ?? []).filter((frame) => frame.iteration === iteration);
    const newest = own.at(-1);
    return {
      ...plain,
      status: newest === undefined ? "none" : statusOf(newest),
      task: placeOf({ leaf: id, iteration }),
      tries: own.length,
      children: [],
    };
  };
  return draw(tree, "");
}

/** What has begun, one after the other, where no tree can be rendered. */
export function listed(frames: readonly Frame[]): RunNode {
  const newest = new Map(frames.map((frame) => [placeOf(frame), frame]));
  const none = { max: undefined, round: undefined, rounds: 0, children: [] };
  return {
    ...none,
    kind: "sequence",
    id: undefined,
    status: undefined,
    task: undefined,
    tries: 0,
    children: [...newest].map(([task, frame]) => ({
      ...none,
      kind: frame.isAsked === true ? "question" : "task",
      id: task,
      status: statusOf(frame),
      task,
      tries: frames.filter((one) => placeOf(one) === task).length,
    })),
  };
}

/** More frames than these are not walked for when each could have begun. */
const mostWalked = 1_000;
/** Where no tree tells, so many attempts before one are asked when they ended. */
const nearby = 50;

/**
 * The attempts as bars: each could have begun when what stands before it in the tree had ended, a further try when the
 * try before it had; from then on it was in the queue.
 */
export function barsOf(
  frames: readonly Frame[],
  tree: TreeNode | undefined,
  createdAt: number,
): readonly RunBar[] {
  const ready =
    tree === undefined || frames.length > mostWalked ? undefined : readyTimes(tree, frames, createdAt);
  const ended = new Map<string, number | undefined>();
  /** The last end before it began, among those just before it. */
  const endBefore = ({ number, startedAt }: Frame): number =>
    frames
      .slice(Math.max(0, number - 1 - nearby), number - 1)
      .reduce((at, { endedAt = 0 }) => (endedAt <= startedAt ? Math.max(at, endedAt) : at), createdAt);
  return frames.map((frame) => {
    const task = placeOf(frame);
    const before = ended.get(task);
    const readyAt = before ?? ready?.get(task) ?? endBefore(frame);
    ended.set(task, frame.endedAt);
    return {
      frame: frame.number,
      task,
      attempt: frame.attempt,
      status: statusOf(frame),
      readyAt: Math.min(readyAt, frame.startedAt),
      startedAt: frame.startedAt,
      endedAt: frame.endedAt,
    };
  });
}

function readyTimes(
  tree: TreeNode,
  frames: readonly Frame[],
  createdAt: number,
): ReadonlyMap<string, number> {
  const known = knownIn(frames);
  const times = new Map<string, number>();
  const endOf = (node: TreeNode, iteration: string, from: number): number =>
    framesIn(known, node, iteration).reduce((latest, { endedAt = 0 }) => Math.max(latest, endedAt), from);
  const inOrder = (children: readonly TreeNode[], iteration: string, from: number): number =>
    children.reduce((at, child) => visit(child, iteration, at), from);
  /** Answers when all of it had ended. */
  const visit = (node: TreeNode, iteration: string, from: number): number => {
    if (node.kind === "loop")
      return roundsOf(known, node, iteration).reduce(
        (at, round) => inOrder(node.children, inside(iteration, round), at),
        from,
      );
    if (node.kind === "parallel") {
      for (const child of node.children) visit(child, iteration, from);
      return endOf(node, iteration, from);
    }
    if (node.children.length > 0) return inOrder(node.children, iteration, from);
    if (node.id !== undefined) times.set(placeOf({ leaf: node.id, iteration }), from);
    return endOf(node, iteration, from);
  };
  visit(tree, "", createdAt);
  return times;
}
