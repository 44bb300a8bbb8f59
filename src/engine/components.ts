import { z, type ZodType } from "zod";
import { finiteMs, sideBySide } from "./bounds.ts";
import {
  nodesIn,
  type Ask,
  type Child,
  type Json,
  type Node,
  type SagaNode,
  type SequenceNode,
} from "./node.ts";

const sequenceOf = (children: Child): SequenceNode => ({ kind: "sequence", children: nodesIn(children) });

/** One child after the other. */
export function Sequence(props: { readonly children?: Child }): SequenceNode {
  return sequenceOf(props.children);
}

/** Children side by side, at most `max` leaves at once. */
export function Parallel(props: { readonly max?: number; readonly children?: Child }): Node {
  const max = sideBySide("Parallel", props.max ?? Infinity);
  return { kind: "parallel", max, children: nodesIn(props.children) };
}

/** One subtree for each item, side by side or, with `max={1}`, one after the other. Ids inside must tell the items apart. */
export function ForEach<Item>(props: {
  readonly items: readonly Item[];
  readonly max?: number;
  readonly children: (item: Item, index: number) => Child;
}): Node {
  const { items, max = Infinity, children } = props;
  return {
    kind: "each",
    max: sideBySide("ForEach", max),
    items,
    // It is called with nothing but these items.
    render: (item, index) => sequenceOf(children(item as Item, index)),
  };
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
  return { kind: "loop", id, max, until, onExhausted, body: sequenceOf(children) };
}

/** Renders one of two subtrees. */
export function Branch(props: {
  readonly if: boolean;
  readonly then: Child;
  readonly else?: Child;
}): SequenceNode {
  return sequenceOf(props.if ? props.then : props.else);
}

/** Does its children; when they fail for good, does `catch` in their place, and `finally` after either. */
export function Try(props: {
  readonly catch?: Child;
  readonly finally?: Child;
  readonly children?: Child;
}): Node {
  return {
    kind: "try",
    body: sequenceOf(props.children),
    rescue: props.catch === undefined ? undefined : sequenceOf(props.catch),
    ensure: props.finally === undefined ? undefined : sequenceOf(props.finally),
  };
}

/** Steps in order. When one fails for good, those before it are undone, newest first, and the saga has failed. */
export function Saga(props: {
  readonly id: string;
  readonly steps: readonly { readonly act: Child; readonly undo?: Child }[];
}): SagaNode {
  return {
    kind: "saga",
    id: props.id,
    steps: props.steps.map(({ act, undo }) => ({
      act: sequenceOf(act),
      undo: undo === undefined ? undefined : sequenceOf(undo),
    })),
  };
}

/** What a person's answer to an approval looks like. */
export const ApprovalAnswer = z.object({
  decision: z.enum(["approved", "denied"]),
  by: z.string(),
  note: z.string(),
});

interface Asked {
  readonly id: string;
  readonly ask: string;
  /** Who may answer; anybody at this host or with permission when nobody is named. */
  readonly who?: readonly string[];
  /** A digest of what is judged (`ctx.digest(…)`): when it changes, the answer is void and it is asked again. */
  readonly about?: string;
}
const wait = (
  { id, ask: text, who, about }: Asked,
  ask: { readonly is: "approve" } | { readonly is: "choose" | "rank"; readonly options: readonly string[] },
  output: ZodType,
  auto: { readonly afterMs: number; readonly answer: unknown } | undefined,
): Node => {
  if ("options" in ask && ask.options.length === 0)
    throw new RangeError(`"${id}" has no options, so nobody could answer it`);
  if (auto !== undefined) finiteMs(`"${id}"`, "autoAfterMs", auto.afterMs);
  return { kind: "wait", id, output, ask: { text, who, about, ...ask }, auto };
};

/** A leaf that waits for a person; its output is `{ decision, by, note }`. `autoAfterMs` approves when nobody answers. */
export function Approval(props: Asked & { readonly autoAfterMs?: number }): Node {
  const { autoAfterMs } = props;
  const answer = { decision: "approved", by: "time", note: "nobody answered in time" };
  return wait(
    props,
    { is: "approve" },
    ApprovalAnswer,
    autoAfterMs === undefined ? undefined : { afterMs: autoAfterMs, answer },
  );
}

/** What a person chose. */
export const ChoiceAnswer = z.object({ choice: z.string(), by: z.string(), note: z.string() });
/** A leaf that waits for a person to choose one of the options; its output is `{ choice, by, note }`. */
export function Choose(
  props: Asked & {
    readonly options: readonly string[];
    readonly auto?: { readonly afterMs: number; readonly choice: string };
  },
): Node {
  const { id, options, auto } = props;
  if (auto !== undefined && !options.includes(auto.choice))
    throw new RangeError(`"${id}" would choose "${auto.choice}" by itself, which is none of its options`);
  const answer = { choice: auto?.choice, by: "time", note: "nobody answered in time" };
  return wait(
    props,
    { is: "choose", options },
    ChoiceAnswer.extend({ choice: z.enum(options) }),
    auto === undefined ? undefined : { afterMs: auto.afterMs, answer },
  );
}

/** How a person ranked the options, best first. */
export const RankAnswer = z.object({ order: z.array(z.string()), by: z.string(), note: z.string() });
/** A leaf that waits for a person to put the options in order, best first; its output is `{ order, by, note }`. */
export function Rank(props: Asked & { readonly options: readonly string[] }): Node {
  return wait(props, { is: "rank", options: props.options }, RankAnswer, undefined);
}

/** A leaf that waits for a person's answer of this shape. */
export function Question<Output>(props: Asked & { readonly output: ZodType<Output> }): Node {
  const { id, ask: text, who, about, output } = props;
  return {
    kind: "wait",
    id,
    output,
    ask: { is: "question", text, who, about, schema: schemaOf(id, output) },
    auto: undefined,
  };
}

/** A leaf that waits for a program to tell something of this shape. */
export function Signal<Output>(props: { readonly id: string; readonly output: ZodType<Output> }): Node {
  const { id, output } = props;
  const ask: Ask = { is: "signal", text: id, schema: schemaOf(id, output) };
  return { kind: "wait", id, output, ask, auto: undefined };
}

/** The shape as people and other programs can read it. */
function schemaOf(id: string, output: ZodType): Json {
  try {
    return z.toJSONSchema(output, { io: "input" }) as Json;
  } catch (error) {
    throw new TypeError(
      `the output of "${id}" cannot be asked for: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** A leaf that waits for time to pass. */
export function Timer(props: { readonly id: string; readonly afterMs: number }): Node {
  const { id, afterMs } = props;
  return { kind: "timer", id, afterMs: finiteMs(`<Timer id="${id}">`, "afterMs", afterMs) };
}
