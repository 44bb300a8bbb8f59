import type { ZodType } from "zod";
import type { CacheRule, Host, Made, Said } from "./host.ts";
import type { Json } from "./json.ts";

export type { Json } from "./json.ts";

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
  /** What another leaf remembered last: in this iteration, in one around it, or in whichever it last finished. */
  memoryOf(leaf: string): unknown;
  /** Where its files are: the worktree around it, or the folder the run was started in. */
  readonly folder: string;
  /** The machine. Throws where the engine was opened without one. */
  readonly host: Host;
  /** Keeps a line of the attempt's transcript. */
  say(said: Said): void;
}

export interface TaskNode {
  readonly kind: "task";
  readonly id: string;
  readonly output: ZodType;
  readonly perform: (step: Step) => unknown;
  /** Failed attempts that are tried again; a lost attempt is nobody's failure and never counts. */
  readonly retries: number;
  readonly timeoutMs: number | undefined;
  readonly made: Made;
  /** The leaf that opened the worktree its files are in; undefined: the run's own folder. */
  readonly worktree: string | undefined;
  /** What it does to the world that travelling in time does not take back, in a few words. */
  readonly effect: string | undefined;
  readonly cache: CacheRule | undefined;
  /** It may change the files it works among. */
  readonly writes: boolean;
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
/** What a leaf waits for, as its row keeps it for people and commands that never render the workflow. */
export type Ask = {
  readonly text: string;
  readonly who?: readonly string[] | undefined;
  /** A digest of what is judged: an answer given about something else is void, and it is asked again. */
  readonly about?: string | undefined;
  /** Why it is asked again. */
  readonly again?: string | undefined;
} & (
  | { readonly is: "approve" }
  /** One of the options, or all of them in order of preference. */
  | { readonly is: "choose" | "rank"; readonly options: readonly string[] }
  /** An answer that fits this JSON schema. */
  | { readonly is: "question" | "signal"; readonly schema: Json }
);
export interface WaitNode {
  readonly kind: "wait";
  readonly id: string;
  readonly output: ZodType;
  readonly ask: Ask;
  /** Answers by itself when nobody does. */
  readonly auto: { readonly afterMs: number; readonly answer: unknown } | undefined;
}
export interface TimerNode {
  readonly kind: "timer";
  readonly id: string;
  readonly afterMs: number;
}
/** A value computed from the rows as soon as it is reached, and kept like any output. */
export interface ResultNode {
  readonly kind: "result";
  readonly id: string;
  readonly output: ZodType;
  readonly compute: () => unknown;
}
/** A part that may fail: then `rescue` runs in its place; `ensure` runs after either. */
export interface TryNode {
  readonly kind: "try";
  readonly body: SequenceNode;
  readonly rescue: SequenceNode | undefined;
  readonly ensure: SequenceNode | undefined;
}
/** Steps that are taken back in reverse when a later one fails. */
export interface SagaNode {
  readonly kind: "saga";
  readonly id: string;
  readonly steps: readonly { readonly act: Node; readonly undo: Node | undefined }[];
}
/** Another workflow in this place; it is rendered before anything is planned. */
export interface CallNode {
  readonly kind: "call";
  readonly id: string;
  readonly of: Callable;
  readonly input: unknown;
  /** What the nodes around it make of each task inside. */
  readonly adapt: ((task: TaskNode, loops: number) => TaskNode) | undefined;
}
/** One subtree for each item; each is rendered by itself, so that only those are rendered again whose reads changed. */
export interface EachNode {
  readonly kind: "each";
  /** Leaves at work at once; with 1, one item after the other. */
  readonly max: number;
  readonly items: readonly unknown[];
  render(item: unknown, index: number): SequenceNode;
}
/** What a call needs of a workflow. */
export interface Callable {
  readonly name: string;
  /** A part of the workflow around it, made at each render: it cannot be in itself. */
  readonly isPart?: true;
  readonly input: ZodType;
  readonly output: ZodType;
  render(context: never): Node;
  result(context: never): unknown;
}
export type Leaf = TaskNode | WaitNode | TimerNode | ResultNode;
export type Node = Leaf | SequenceNode | ParallelNode | LoopNode | TryNode | SagaNode | CallNode | EachNode;

export const isLeaf = (node: Node): node is Leaf =>
  node.kind === "task" || node.kind === "wait" || node.kind === "timer" || node.kind === "result";

/** The nodes directly inside a node, in order; a loop's body counts once, whatever its iteration. */
export function childrenOf(node: Exclude<Node, Leaf>): readonly Node[] {
  switch (node.kind) {
    case "sequence":
    case "parallel":
      return node.children;
    case "loop":
      return [node.body];
    case "try":
      return [node.body, node.rescue, node.ensure].filter((part) => part !== undefined);
    case "saga":
      return node.steps.flatMap(({ act, undo }) => (undo === undefined ? [act] : [act, undo]));
    case "each":
      return node.items.map((item, index) => node.render(item, index));
    case "call":
      return [];
  }
}

/** The same tree with each of its tasks changed, those of workflows it calls too; told in how many loops of this tree it is. */
export function mapTasks(
  node: Node,
  change: (task: TaskNode, loops: number) => TaskNode,
  loops: number = 0,
): Node {
  const inside = (child: Node): Node => mapTasks(child, change, loops);
  const sequence = (part: SequenceNode): SequenceNode => ({ ...part, children: part.children.map(inside) });
  switch (node.kind) {
    case "task":
      return change(node, loops);
    case "wait":
    case "timer":
    case "result":
      return node;
    case "sequence":
      return sequence(node);
    case "parallel":
      return { ...node, children: node.children.map(inside) };
    case "loop":
      return {
        ...node,
        body: {
          ...node.body,
          children: node.body.children.map((child) => mapTasks(child, change, loops + 1)),
        },
      };
    case "try":
      return {
        ...node,
        body: sequence(node.body),
        rescue: node.rescue && sequence(node.rescue),
        ensure: node.ensure && sequence(node.ensure),
      };
    case "saga":
      return {
        ...node,
        steps: node.steps.map(({ act, undo }) => ({ act: inside(act), undo: undo && inside(undo) })),
      };
    case "each":
      return { ...node, render: (item, index) => sequence(node.render(item, index)) };
    case "call": {
      const { adapt = (task: TaskNode) => task } = node;
      return { ...node, adapt: (task, deeper) => change(adapt(task, deeper), loops + deeper) };
    }
  }
}

/** What may stand between two tags; nothing renders nothing. */
export type Child = Node | null | undefined | false | readonly Child[];

/** Children as a flat list. */
export function nodesIn(children: Child): readonly Node[] {
  if (children === null || children === undefined || children === false) return [];
  return isList(children) ? children.flatMap(nodesIn) : [children];
}
const isList = (child: Node | readonly Child[]): child is readonly Child[] => Array.isArray(child);
