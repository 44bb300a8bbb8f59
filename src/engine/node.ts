import type { ZodType } from "zod";

/** JSON as rows keep it. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** What a task is given for one attempt. */
export interface Step {
  readonly run: string;
  readonly leaf: string;
  /** Which iteration of the loops around it: `""`, `"2"`, `"2.0"`. */
  readonly iteration: string;
  readonly attempt: number;
  /** The same for every attempt of this leaf and iteration: an idempotency key. */
  readonly key: string;
  readonly signal: AbortSignal;
  /** What the newest earlier attempt of this leaf and iteration remembered, over crashes and retries. */
  readonly memory: unknown;
  /** Keeps something durably for the next attempt, such as an agent's session id. */
  remember(memory: Json): Promise<void>;
}

export interface TaskNode {
  readonly kind: "task";
  readonly id: string;
  readonly output: ZodType;
  readonly perform: (step: Step) => unknown;
  /** Failed attempts that are tried again; a lost attempt is nobody's failure and never counts. */
  readonly retries: number;
  readonly timeoutMs: number | undefined;
}
export interface SequenceNode {
  readonly kind: "sequence";
  readonly children: readonly Node[];
}
export interface ParallelNode {
  readonly kind: "parallel";
  /** Leaves at work at once. */
  readonly max: number;
  readonly children: readonly Node[];
}
export interface LoopNode {
  readonly kind: "loop";
  readonly id: string;
  readonly max: number;
  /** Asked after each whole iteration. */
  readonly until: boolean;
  readonly onExhausted: "fail" | "accept";
  readonly body: SequenceNode;
}
export interface ApprovalNode {
  readonly kind: "approval";
  readonly id: string;
  /** What the person is asked. */
  readonly ask: string;
}
export interface TimerNode {
  readonly kind: "timer";
  readonly id: string;
  readonly afterMs: number;
}
export type Node = TaskNode | SequenceNode | ParallelNode | LoopNode | ApprovalNode | TimerNode;
export type Leaf = TaskNode | ApprovalNode | TimerNode;

/** What may stand between two tags; nothing renders nothing. */
export type Child = Node | null | undefined | false | readonly Child[];

/** Children as a flat list. */
export function nodesIn(children: Child): readonly Node[] {
  if (children === null || children === undefined || children === false) return [];
  return isList(children) ? children.flatMap(nodesIn) : [children];
}
const isList = (child: Node | readonly Child[]): child is readonly Child[] => Array.isArray(child);
