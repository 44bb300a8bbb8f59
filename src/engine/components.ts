import type { ZodType } from "zod";
import { nodesIn, type Child, type Node, type SequenceNode, type Step } from "./node.ts";

/** Retries when a task names none: finite, because a task that always fails must end. */
const defaultRetries = 2;

/** A leaf that works: `perform` runs until it succeeds once, its output checked by zod and kept for ever. */
export function Task<Output>(props: {
  readonly id: string;
  readonly output: ZodType<Output>;
  readonly perform: (step: Step) => Output | Promise<Output>;
  readonly retries?: number;
  readonly timeoutMs?: number;
}): Node {
  const { id, output, perform, retries = defaultRetries, timeoutMs } = props;
  return { kind: "task", id, output, perform, retries, timeoutMs };
}

/** One child after the other. */
export function Sequence(props: { readonly children?: Child }): SequenceNode {
  return { kind: "sequence", children: nodesIn(props.children) };
}

/** Children side by side, at most `max` leaves at once. */
export function Parallel(props: { readonly max?: number; readonly children?: Child }): Node {
  return { kind: "parallel", max: props.max ?? Infinity, children: nodesIn(props.children) };
}

/** Repeats its body until the condition holds after a whole iteration; an exhausted loop fails unless it may be accepted. */
export function Loop(props: {
  readonly id: string;
  readonly max: number;
  readonly until: boolean;
  readonly onExhausted?: "fail" | "accept";
  readonly children?: Child;
}): Node {
  const { id, max, until, onExhausted = "fail", children } = props;
  if (!Number.isInteger(max) || max < 1)
    throw new RangeError(`<Loop id="${id}"> needs a max of at least 1, not ${max}`);
  return {
    kind: "loop",
    id,
    max,
    until,
    onExhausted,
    body: { kind: "sequence", children: nodesIn(children) },
  };
}

/** Renders one of two subtrees. */
export function Branch(props: {
  readonly if: boolean;
  readonly then: Child;
  readonly else?: Child;
}): SequenceNode {
  return { kind: "sequence", children: nodesIn(props.if ? props.then : props.else) };
}

/** A leaf that waits for a person; its output is `{ decision, by, note }`. */
export function Approval(props: { readonly id: string; readonly ask: string }): Node {
  return { kind: "approval", id: props.id, ask: props.ask };
}

/** A leaf that waits for time to pass. */
export function Timer(props: { readonly id: string; readonly afterMs: number }): Node {
  return { kind: "timer", id: props.id, afterMs: props.afterMs };
}
