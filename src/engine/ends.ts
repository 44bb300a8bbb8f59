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

/** The row of an attempt that begins: a task works, an approval and a timer wait. */
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

/** The attempt as the rows in memory keep it once it has ended; what it remembered stays. */
export function attemptFrom({ due, seq, attempt }: Ended, end: End, rows: Rows): Attempt {
  const { leaf, iteration } = due;
  return {
    seq,
    leaf: leaf.id,
    iteration,
    attempt,
    status: end.status,
    output: end.output,
    error: end.error,
    memory: rows.at(leaf.id, iteration, attempt)?.memory,
    dueAt: end.dueAt,
    paused: end.paused,
  };
}

/** Timers whose time has come: they are over, and nobody has to perform them. */
export function rungIn(due: readonly Due[], rows: Rows): readonly Ended[] {
  return due.flatMap((one) => {
    const row = rows.newest(one.leaf.id, one.iteration);
    return one.leaf.kind === "timer" && row?.status === "waiting"
      ? [{ due: one, seq: row.seq, attempt: row.attempt, result: { output: null } }]
      : [];
  });
}

/**
 * The output as its row will keep it. It is read back through its schema on every render, in this process and in later
 * ones, so it must survive the trip through JSON and fit the schema it came from.
 */
export function outputFor(leaf: string, schema: ZodType, output: unknown): unknown {
  const parsed = schema.safeParse(output);
  if (!parsed.success)
    throw new Error(`the output of "${leaf}" does not fit its schema: ${wordsOf(parsed.error)}`);
  const text = JSON.stringify(parsed.data) as string | undefined;
  const kept: unknown = text === undefined ? undefined : JSON.parse(text);
  const again = schema.safeParse(kept);
  if (again.success) return kept;
  throw Object.assign(
    new Error(
      `the schema of "${leaf}" cannot read back what it wrote as JSON (${wordsOf(again.error)}); transform the value in the task instead`,
    ),
    { permanent: true },
  );
}

/** The first thing wrong, with its place. */
export function wordsOf({ issues }: ZodError): string {
  const [issue] = issues;
  return `${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim();
}
