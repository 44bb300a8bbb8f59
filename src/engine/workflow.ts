import type { ZodType } from "zod";
import type { Node } from "./node.ts";

/** What a render may read: the input, and what has happened so far. */
export interface Context<Input> {
  readonly run: string;
  readonly input: Input;
  /** The newest output of this leaf, if it ever finished. */
  latest<Output>(id: string, schema: ZodType<Output>): Output | undefined;
  /** Every output of this leaf, oldest iteration first. */
  history<Output>(id: string, schema: ZodType<Output>): readonly Output[];
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
