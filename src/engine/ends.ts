import type { ZodError, ZodType } from "zod";
import type { Due } from "./plan.ts";
import type { Attempt, Rows } from "./rows.ts";
import type { Begin, End } from "./store.ts";

/** Pauses asked for by somebody else's limit, such as a rate limit, before they count as a failure after all. */
const maxPauses = 50;
/** min(10 s · 2^(n-1), 300 s), less up to a fifth. */
const backoffMs = (attempts: number, random: () => number): number =>
  Math.round(Math.min(10_000 * 2 ** Math.max(0, attempts - 1), 300_000) * (1 - random() / 5));

/** An attempt that is over, before it is written. */
export interface Ended {
  readonly due: Due;
  readonly seq: number;
  readonly attempt: number;
  readonly result: { readonly output: unknown } | { readonly error: unknown };
}

/** Success, or failure and when to try again: never for a permanent one, later for one that names a time. */
export function endOf({ due, seq, result }: Ended, rows: Rows, now: number, random: () => number): End {
  if ("output" in result)
    return {
      seq,
      status: "finished",
      output: result.output,
      error: undefined,
      dueAt: undefined,
      paused: false,
    };
  const { leaf, iteration } = due;
  const { error } = result;
  const told = error as { readonly permanent?: unknown; readonly retryAt?: unknown } | null;
  const text = error instanceof Error ? error.message : String(error);
  const failures = (rows.stateOf(leaf.id, iteration)?.attempts ?? 0) + 1;
  const retries = leaf.kind === "task" ? leaf.retries : 0;
  const retryAt = typeof told?.retryAt === "number" ? told.retryAt : undefined;
  const isPause = retryAt !== undefined && rows.pausesOf(leaf.id, iteration) < maxPauses;
  const isOver = told?.permanent === true || (!isPause && failures > retries);
  const dueAt = isOver ? undefined : (retryAt ?? now + backoffMs(failures, random));
  return { seq, status: "failed", output: undefined, error: text, dueAt, paused: isPause && !isOver };
}

export function beginOf({ leaf, iteration }: Due, rows: Rows, now: number): Begin {
  const attempt = rows.nextAttempt(leaf.id, iteration);
  const waits = leaf.kind === "timer" ? now + leaf.afterMs : undefined;
  return {
    leaf: leaf.id,
    iteration,
    attempt,
    status: leaf.kind === "task" ? "running" : "waiting",
    dueAt: waits,
  };
}

const attemptFrom = (ended: Ended, end: End): Attempt => ({
  seq: ended.seq,
  leaf: ended.due.leaf.id,
  iteration: ended.due.iteration,
  attempt: ended.attempt,
  status: end.status,
  output: end.output,
  error: end.error,
  memory: undefined,
  dueAt: end.dueAt,
  paused: end.paused,
});
