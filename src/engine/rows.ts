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
}
export interface LeafState {
  readonly status: AttemptStatus;
  readonly error: string | undefined;
  readonly dueAt: number | undefined;
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
  /** How many iterations of this leaf have finished; a new output changes it. */
  outputsOf(leaf: string): number;
  latest<Output>(leaf: string, schema: ZodType<Output>): Output | undefined;
  history<Output>(leaf: string, schema: ZodType<Output>): readonly Output[];
}

export function openRows(attempts: readonly Attempt[] = []): Rows {
  const byLeaf = new Map<string, Attempt[]>();
  const outputs = new Map<string, { readonly values: unknown[]; readonly places: Map<string, number> }>();
  const bySeq = new Map<number, Attempt>();
  const begun = new Set<string>();
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
    if (attempt.status !== "finished") return;
    const known = outputs.get(attempt.leaf) ?? { values: [], places: new Map<string, number>() };
    const place = known.places.get(attempt.iteration) ?? known.values.length;
    known.values[place] = attempt.output;
    known.places.set(attempt.iteration, place);
    outputs.set(attempt.leaf, known);
  };
  for (const attempt of attempts) take(attempt);

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
      return { status: last.status, error: last.error, dueAt: last.dueAt, attempts };
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
    outputsOf: (leaf) => outputs.get(leaf)?.values.length ?? 0,
    latest: (leaf, schema) => {
      const known = outputs.get(leaf);
      return known === undefined ? undefined : schema.parse(known.values.at(-1));
    },
    history: (leaf, schema) => (outputs.get(leaf)?.values ?? []).map((value) => schema.parse(value)),
  };
}

/** Every leaf and loop id, which must be unique: rows are found by them. */
export function idsIn(node: Node): readonly string[] {
  if (isLeaf(node)) return [node.id];
  const own = "id" in node ? [node.id] : [];
  return [...own, ...childrenOf(node).flatMap(idsIn)];
}
