/** What one route of the API is: its request and its answers as schemas, from which requests are judged and the document is made. */
import type { z } from "zod";
import type { Viewer } from "../../ports-dashboard.ts";
import type { Asked } from "../answer.ts";
import type { Refusal, RefusalStatus } from "./refusals.ts";

/** As views tell it: nothing in it is for changing. */
export type Readonlies<T> = T extends readonly (infer Item)[]
  ? readonly Readonlies<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Readonlies<T[Key]> }
    : T;

export interface Answer<Body extends z.ZodType | undefined = z.ZodType | undefined> {
  readonly status: 200 | 202;
  /** What it means that this is answered. */
  readonly says: string;
  /** Undefined: a stream of `text/event-stream`. */
  readonly body: Body;
}

interface AskedOf<Params, Query, Body> {
  readonly viewer: Viewer;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** `Idempotency-Key`, where the operation takes one. */
  readonly key: string | undefined;
  readonly context: Asked;
}

/** Any operation, for whoever mounts or describes all of them. */
export interface Operation {
  readonly id: string;
  readonly method: "get" | "post";
  /** Below `/api/v1`, parameters in braces. */
  readonly path: string;
  readonly tag: string;
  /** In a few words, and in sentences. */
  readonly summary: string;
  readonly says: string;
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly body?: z.ZodType | undefined;
  /** Nothing at all may be sent in its place. */
  readonly bodyIsOptional?: boolean | undefined;
  readonly takesKey?: boolean | undefined;
  /** When all is well. */
  readonly answer: Answer;
  /** What it refuses with besides what every operation may. */
  readonly refuses: readonly RefusalStatus[];
  handle(asked: AskedOf<unknown, unknown, unknown>): Promise<object>;
}

type Schema = z.ZodType | undefined;
type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
/** The answer's body; a refusal of it; or a stream. */
type Reply<S> = (S extends z.ZodType ? Readonlies<z.input<S>> : never) | Refusal | Response;

interface Spec<P extends Schema, Q extends Schema, B extends Schema, A extends Schema> extends Omit<
  Operation,
  "params" | "query" | "body" | "answer" | "handle"
> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: Answer<A>;
  handle(asked: AskedOf<Parsed<P>, Parsed<Q>, Parsed<B>>): Promise<Reply<A>>;
}

/** An operation with its types; what it is handed has passed its schemas. */
export const operation = <
  A extends Schema,
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends Schema = undefined,
>(
  spec: Spec<P, Q, B, A>,
  // Whoever calls it has parsed what it is called with by these very schemas.
): Operation => spec as unknown as Operation;
