import type { ZodType } from "zod";
import { childrenOf, isLeaf, type Node } from "./node.ts";

export type AttemptStatus = "running" | "finished" | "failed" | "lost" | "waiting";

/** One try at a leaf, as its row says. */
export interface Attempt {
  readonly seq: number;
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly output: unknown;
  readonly error: string | undefined;
  readonly memory: unknown;
  /** When a failed attempt may be followed by the next, or a timer ends; undefined means not by itself. */
  readonly dueAt: number | undefined;
  /** The attempt was put off by somebody else's limit and does not count as failed. */
  readonly paused: boolean;
  /** What an answer was asked for was about. */
  readonly about: string | undefined;
  /** Somebody was asked: the output is an answer. */
  readonly isAsked?: boolean;
  /** The commit its files were kept as. */
  readonly snapshot: string | undefined;
}
export interface LeafState {
  readonly status: AttemptStatus;
  readonly error: string | undefined;
  readonly dueAt: number | undefined;
  readonly about: string | undefined;
  /** Attempts that failed, pauses and losses aside. */
  readonly attempts: number;
}

/** The name of an iteration within those around it. */
export const insideOf = (iteration: string, round: number): string =>
  iteration === "" ? String(round) : `${iteration}.${round}`;

/** Everything that ever happened in one run, indexed so that asking costs the same however much it is. */
export interface Rows {
  /** Takes a new row, or a row's newer form. */
  take(attempt: Attempt): void;
  stateOf(leaf: string, iteration: string): LeafState | undefined;
  bySeq(seq: number): Attempt | undefined;
  newest(leaf: string, iteration: string): Attempt | undefined;
  at(leaf: string, iteration: string, attempt: number): Attempt | undefined;
  /** What the newest attempt that remembered anything remembered. */
  memoryOf(leaf: string, iteration: string): unknown;
  nextAttempt(leaf: string, iteration: string): number;
  pausesOf(leaf: string, iteration: string): number;
  /** What its failed attempts said, oldest first; pauses aside. */
  failuresOf(leaf: string, iteration: string): readonly string[];
  /** Has anything in this subtree begun in this iteration? */
  hasBegun(node: Node, iteration: string): boolean;
  hasOutput(leaf: string): boolean;
  /** Tells of every leaf whose outputs change from now on. */
  onOutput(listen: (leaf: string) => void): void;
  /** The newest attempt that finished. */
  latestOf(leaf: string): Attempt | undefined;
  latest<Output>(leaf: string, schema: ZodType<Output>): Output | undefined;
  history<Output>(leaf: string, schema: ZodType<Output>): readonly Output[];
  /** Throws `Unfit` when the newest answer to this leaf does not fit. */
  checkAnswer(leaf: string, iteration: string, schema: ZodType): void;
}

/** An answer that was taken by its JSON schema and does not fit the whole of what was asked for. */
export class Unfit extends Error {
  readonly attempt: Attempt;
  constructor(attempt: Attempt, why: string) {
    super(`the answer that was given does not fit: ${why}`);
    this.name = "Unfit";
    this.attempt = attempt;
  }
}

export function openRows(attempts: readonly Attempt[] = []): Rows {
  const byLeaf = new Map<string, Attempt[]>();
  const outputs = new Map<string, Outputs>();
  const read = openReader();
  const bySeq = new Map<number, Attempt>();
  const begun = new Set<string>();
  let tellOutput: (leaf: string) => void = () => undefined;
  const keyOf = (leaf: string, iteration: string): string => `${leaf}@${iteration}`;
  const listOf = (leaf: string, iteration: string): readonly Attempt[] =>
    byLeaf.get(keyOf(leaf, iteration)) ?? [];

  const take = (attempt: Attempt): void => {
    const key = keyOf(attempt.leaf, attempt.iteration);
    const list = byLeaf.get(key) ?? [];
    const at = list.findIndex((one) => one.attempt === attempt.attempt);
    if (at === -1) list.push(attempt);
    else list[at] = attempt;
    byLeaf.set(key, list);
    bySeq.set(attempt.seq, attempt);
    begun.add(key);
    const known = outputs.get(attempt.leaf) ?? { finished: [], places: new Map(), read: undefined };
    const place = known.places.get(attempt.iteration);
    // An iteration that is done again, because what it was about has changed, has no output until then.
    if (attempt.status !== "finished" && place === undefined) return;
    const index = place ?? known.finished.length;
    known.finished[index] = attempt.status === "finished" ? attempt : undefined;
    known.places.set(attempt.iteration, index);
    known.read = known.read && { ...known.read, values: known.read.values.slice(0, index) };
    outputs.set(attempt.leaf, known);
    tellOutput(attempt.leaf);
  };
  for (const attempt of attempts) take(attempt);

  const latestOf = (leaf: string): Attempt | undefined =>
    outputs.get(leaf)?.finished.findLast((one) => one !== undefined);
  const hasBegun = (node: Node, iteration: string): boolean => {
    if (isLeaf(node)) return begun.has(keyOf(node.id, iteration));
    const inside = node.kind === "loop" ? insideOf(iteration, 0) : iteration;
    return childrenOf(node).some((child) => hasBegun(child, inside));
  };
  return {
    take,
    bySeq: (seq) => bySeq.get(seq),
    newest: (leaf, iteration) => listOf(leaf, iteration).at(-1),
    at: (leaf, iteration, attempt) => listOf(leaf, iteration).find((one) => one.attempt === attempt),
    stateOf: (leaf, iteration) => {
      const list = listOf(leaf, iteration);
      const last = list.at(-1);
      if (last === undefined) return undefined;
      const attempts = list.filter((one) => one.status === "failed" && !one.paused).length;
      return { status: last.status, error: last.error, dueAt: last.dueAt, about: last.about, attempts };
    },
    memoryOf: (leaf, iteration) =>
      listOf(leaf, iteration).findLast((one) => one.memory !== undefined)?.memory,
    nextAttempt: (leaf, iteration) => (listOf(leaf, iteration).at(-1)?.attempt ?? 0) + 1,
    pausesOf: (leaf, iteration) => listOf(leaf, iteration).filter((one) => one.paused).length,
    failuresOf: (leaf, iteration) =>
      listOf(leaf, iteration).flatMap((one) =>
        one.status === "failed" && !one.paused ? [one.error ?? ""] : [],
      ),
    hasBegun,
    hasOutput: (leaf) => latestOf(leaf) !== undefined,
    onOutput: (listen) => {
      tellOutput = listen;
    },
    latestOf,
    latest: (leaf, schema) => {
      const attempt = latestOf(leaf);
      return attempt && read(attempt, schema);
    },
    history: (leaf, schema) => {
      const known = outputs.get(leaf);
      return known === undefined ? [] : historyOf(known, schema, read);
    },
    checkAnswer: (leaf, iteration, schema) => {
      const newest = listOf(leaf, iteration).at(-1);
      if (newest?.status === "finished") read(newest, schema);
    },
  };
}

/** The attempts that gave the outputs of one leaf, one for each iteration in order. */
interface Outputs {
  readonly finished: (Attempt | undefined)[];
  readonly places: Map<string, number>;
  /** As far as it was read through this schema. */
  read: { readonly schema: ZodType; readonly values: readonly unknown[] } | undefined;
}

/** Reads on from where the last reading with the same schema ended. */
function historyOf<Output>(known: Outputs, schema: ZodType<Output>, read: Reader): readonly Output[] {
  const before = known.read?.schema === schema ? known.read.values : [];
  const more = known.finished
    .slice(before.length)
    .map((one) => (one === undefined ? gap : read(one, schema)));
  const values = more.length === 0 ? before : [...before, ...more];
  known.read = { schema, values };
  // What was read with this schema has its type.
  return (values.includes(gap) ? values.filter((value) => value !== gap) : values) as readonly Output[];
}
const gap = Symbol("an iteration that is done again");

type Reader = <Output>(attempt: Attempt, schema: ZodType<Output>) => Output;

/** Reads an output through its schema, once for as long as render after render asks with the same one. */
function openReader(): Reader {
  const known = new WeakMap<Attempt, { readonly schema: ZodType; readonly value: unknown }>();
  return <Output>(attempt: Attempt, schema: ZodType<Output>): Output => {
    const before = known.get(attempt);
    if (before?.schema === schema) return before.value as Output;
    const parsed = schema.safeParse(attempt.output);
    if (!parsed.success && attempt.isAsked === true)
      throw new Unfit(attempt, parsed.error.issues.map(({ message }) => message).join("; "));
    const value = parsed.success ? parsed.data : schema.parse(attempt.output);
    known.set(attempt, { schema, value });
    return value;
  };
}

/** Every leaf and loop id, which must be unique: rows are found by them. */
export function idsIn(node: Node): readonly string[] {
  const ids: string[] = [];
  const visit = (one: Node): void => {
    if ("id" in one) ids.push(one.id);
    if (!isLeaf(one)) for (const child of childrenOf(one)) visit(child);
  };
  visit(node);
  return ids;
}
