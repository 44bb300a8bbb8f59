import type { ZodError, ZodType } from "zod";
import type { Ask, Leaf } from "./node.ts";
import type { Due } from "./plan.ts";
import { Unfit, type Attempt, type Rows } from "./rows.ts";
import type { Begin, End, Keep } from "./attempts.ts";
import type { Given } from "./given.ts";

/** Pauses asked for by somebody else's limit, such as a rate limit, before they count as a failure after all. */
const maxPauses = 50;
/** min(10 s · 2^(n-1), 300 s), less up to a fifth. */
const backoffMs = (attempts: number, random: () => number): number =>
  Math.round(Math.min(10_000 * 2 ** Math.max(0, attempts - 1), 300_000) * (1 - random() / 5));

/** The same failure so often means that trying again changes nothing. */
const sameBeforeStuck = 3;
/** A failure without what differs from one time to the next: numbers, hashes, places. */
const signatureOf = (error: string): string =>
  error.replace(/0x[0-9a-f]+|[0-9a-f]{7,}|\d+/giu, "#").slice(0, 500);
const isSameAgain = (error: string, before: readonly string[]): boolean => {
  const last = [...before, error].slice(-sameBeforeStuck);
  return last.length === sameBeforeStuck && new Set(last.map(signatureOf)).size === 1;
};

const isVoid = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "is" in error && error.is === "void";
const nothingKept = { snapshot: undefined, folder: undefined, keep: undefined };

/** An attempt that is over, before it is written. */
export interface Ended {
  readonly due: Due;
  readonly seq: number;
  readonly attempt: number;
  readonly result:
    | {
        readonly output: unknown;
        readonly snapshot?: string | undefined;
        readonly folder?: string | undefined;
        readonly keep?: Keep | undefined;
      }
    | { readonly error: unknown };
}

/**
 * Success, or failure and when to try again: never for a permanent one, later for one that names a time or that the
 * machine or somebody else's service is to blame for (`infrastructure`), which costs the task none of its attempts.
 */
export function endOf({ due, seq, result }: Ended, rows: Rows, now: number, random: () => number): End {
  if ("output" in result)
    return {
      seq,
      status: "finished",
      output: result.output,
      error: undefined,
      dueAt: undefined,
      paused: false,
      snapshot: result.snapshot,
      folder: result.folder,
      keep: result.keep,
    };
  const { leaf, iteration } = due;
  const { error } = result;
  if (isVoid(error))
    return {
      seq,
      status: "failed",
      output: undefined,
      error: changed,
      dueAt: now,
      paused: true,
      ...nothingKept,
    };
  const told = error as {
    readonly permanent?: unknown;
    readonly retryAt?: unknown;
    readonly infrastructure?: unknown;
  } | null;
  const text = error instanceof Error ? error.message : String(error);
  const failures = (rows.stateOf(leaf.id, iteration)?.attempts ?? 0) + 1;
  const retries = leaf.kind === "task" ? leaf.retries : 0;
  const retryAt =
    typeof told?.retryAt === "number"
      ? told.retryAt
      : told?.infrastructure === true
        ? now + backoffMs(rows.pausesOf(leaf.id, iteration) + 1, random)
        : undefined;
  const isPause = retryAt !== undefined && rows.pausesOf(leaf.id, iteration) < maxPauses;
  const isStuck =
    !isPause && retries >= sameBeforeStuck && isSameAgain(text, rows.failuresOf(leaf.id, iteration));
  const isOver = told?.permanent === true || (!isPause && failures > retries) || isStuck;
  const dueAt = isOver ? undefined : (retryAt ?? now + backoffMs(failures, random));
  const said = isStuck ? `stuck, it fails the same way again and again: ${text}` : text;
  const paused = isPause && !isOver;
  return { seq, status: "failed", output: undefined, error: said, dueAt, paused, ...nothingKept };
}

/** The row of an attempt that begins: a task works, an approval and a timer wait. */
export function beginOf({ leaf, iteration }: Due, rows: Rows, now: number, given?: Given): Begin {
  const isGiven = given?.to(leaf, iteration) !== undefined;
  const attempt = rows.nextAttempt(leaf.id, iteration);
  return {
    leaf: leaf.id,
    iteration,
    attempt,
    status: leaf.kind === "task" ? "running" : "waiting",
    dueAt: isGiven && leaf.kind !== "task" ? now : dueOf(leaf, now),
    // What is given is not done.
    effect: leaf.kind === "task" && !isGiven ? leaf.effect : undefined,
    ask: leaf.kind === "wait" ? askedAgain(leaf.ask, rows.newest(leaf.id, iteration)) : undefined,
  };
}

/** An ask says so when an answer was given that is void now. */
function askedAgain(ask: Ask, before: Attempt | undefined): Ask {
  if (before?.status === "failed") return { ...ask, again: before.error };
  if (before === undefined || before.about === ask.about) return ask;
  return { ...ask, again: before.status === "finished" ? "what was answered has changed since" : changed };
}
const changed = "what is asked about has changed";

function dueOf(leaf: Leaf, now: number): number | undefined {
  if (leaf.kind === "timer") return now + leaf.afterMs;
  if (leaf.kind === "result") return now;
  return leaf.kind === "wait" && leaf.auto !== undefined ? now + leaf.auto.afterMs : undefined;
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
    about: rows.at(leaf.id, iteration, attempt)?.about,
    isAsked: rows.at(leaf.id, iteration, attempt)?.isAsked === true,
    snapshot: end.snapshot,
  };
}

/** An answer that does not count, and the row without it: it is asked again at once. */
export function refusalOf(
  { attempt, message }: Unfit,
  now: number,
): { readonly end: End; readonly row: Attempt } {
  const failed = { status: "failed", output: undefined, error: message, dueAt: now, paused: true } as const;
  return {
    end: { seq: attempt.seq, ...failed, ...nothingKept, isRefused: true },
    row: { ...attempt, ...failed },
  };
}

/** What waited for a time that has come: it is over, and nobody has to perform it. */
export function rungIn(due: readonly Due[], rows: Rows, given?: Given): readonly Ended[] {
  return due.flatMap((one) => {
    const row = rows.newest(one.leaf.id, one.iteration);
    if (row?.status !== "waiting") return [];
    const result = given?.to(one.leaf, one.iteration) ?? ringing(one.leaf, row.about);
    return [{ due: one, seq: row.seq, attempt: row.attempt, result }];
  });
}

function ringing(leaf: Leaf, about: string | undefined): Ended["result"] {
  if (leaf.kind === "wait" && leaf.ask.about !== about) return { error: { is: "void" } };
  try {
    if (leaf.kind === "result") return { output: outputFor(leaf.id, leaf.output, leaf.compute()) };
    if (leaf.kind === "wait") return { output: outputFor(leaf.id, leaf.output, leaf.auto?.answer) };
    return { output: null };
  } catch (error) {
    if (error instanceof Unfit) throw error;
    return { error };
  }
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
