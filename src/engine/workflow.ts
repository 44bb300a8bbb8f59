import type { ZodType } from "zod";
import type { CallNode, Node } from "./node.ts";

/** A leaf's name and the shape of its output: what a task is made of and what a render reads. */
export interface Leaf<Output> {
  readonly id: string;
  readonly output: ZodType<Output>;
}
/** Names a leaf once, for its task and for everybody who reads its output. */
export const leaf = <Output>(id: string, output: ZodType<Output>): Leaf<Output> => ({ id, output });

/** What a render may read: the input, and what has happened so far. */
export interface Context<Input> {
  readonly run: string;
  readonly input: Input;
  /** The newest output of this leaf, if it ever finished. */
  latest<Output>(leaf: Leaf<Output>): Output | undefined;
  latest<Output>(id: string, schema: ZodType<Output>): Output | undefined;
  /** The newest output of a leaf that has certainly finished; throws when it has not. */
  output<Output>(leaf: Leaf<Output>): Output;
  /** Every output of this leaf, oldest iteration first. */
  history<Output>(leaf: Leaf<Output>): readonly Output[];
  history<Output>(id: string, schema: ZodType<Output>): readonly Output[];
  /** Names what these leaves gave last, outputs and files: for `about` of an approval, void when any of it changes. */
  digest(...leaves: readonly Leaf<unknown>[]): string;
  /** Which iteration of this loop is under way, from 0. */
  iteration(loop: string): number;
}

/** A pure function from rows to a tree. */
export interface Workflow<Input = unknown, Output = unknown> {
  readonly name: string;
  readonly input: ZodType<Input>;
  readonly output: ZodType<Output>;
  render(context: Context<Input>): Node;
  /** The run's output, asked once when everything is done. */
  result(context: Context<Input>): Output;
}

/** Another workflow in this place, its ids under this one's; its result is this leaf's output. */
export function Workflow<Input, Output>(props: {
  readonly id: string;
  readonly of: Workflow<Input, Output>;
  readonly input: Input;
}): CallNode {
  return { kind: "call", ...props, adapt: undefined };
}

/** A workflow of any types, as the engine keeps them: it parses the input before it renders. */
export interface AnyWorkflow {
  readonly name: string;
  readonly input: ZodType;
  readonly output: ZodType;
  render(context: Context<never>): Node;
  result(context: Context<never>): unknown;
}

/** Names and types a workflow. */
export const workflow = <Input, Output>(definition: Workflow<Input, Output>): Workflow<Input, Output> =>
  definition;
