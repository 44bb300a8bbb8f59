import { z } from "zod";
import type { Sql } from "../sql.ts";
import type { Json, Leaf, Node, Step } from "./node.ts";
import { newProgress, plan, type Due, type Plan } from "./plan.ts";
import { idsIn, openRows, type Attempt, type Rows } from "./rows.ts";
import { Fenced, keepMemory, turn, type Begin, type End, type Leave, type RunRow } from "./store.ts";
import type { AnyWorkflow, Context } from "./workflow.ts";

export interface LiveOptions {
  readonly sql: Sql;
  readonly now: () => number;
  readonly random: () => number;
  /** Renders twice and compares, outside production. */
  readonly checkDeterminism: boolean;
  /** Told of each attempt that failed, and when the next one is due. */
  readonly onFailed: (failed: { readonly run: string; readonly leaf: string; readonly attempt: number; readonly error: string; readonly dueAt: number | undefined }) => void;
}
export interface Live {
  readonly run: string;
  /** Settles when the run has left this process; never rejects but for bugs. */
  readonly ended: Promise<"left" | "fenced" | "aborted">;
  abort(reason: "cancelled" | "shutdown"): void;
}

/** Pauses asked for by somebody else's limit, such as a rate limit, before they count as a failure after all. */
const maxPauses = 50;
/** min(10 s · 2^(n-1), 300 s), less up to a fifth. */
const backoffMs = (attempts: number, random: () => number): number =>
  Math.round(Math.min(10_000 * 2 ** Math.max(0, attempts - 1), 300_000) * (1 - random() / 5));

/** What a person's answer to an approval looks like. */
export const ApprovalAnswer = z.object({
  decision: z.enum(["approved", "denied"]),
  by: z.string(),
  note: z.string(),
});

interface Ended {
  readonly due: Due;
  readonly seq: number;
  readonly attempt: number;
  readonly result: { readonly output: unknown } | { readonly error: unknown };
}

/** Carries one claimed run on until nothing is due: one commit a turn, whatever ended and begins in it. */
export function goLive(
  workflow: AnyWorkflow,
  row: RunRow,
  fence: number,
  attempts: readonly Attempt[],
  options: LiveOptions,
): Live {
  const { sql, now, random } = options;
  const rows = openRows(attempts);
  const inbox: Ended[] = [];
  const atWork = new Map<number, AbortController>();
  let knock: () => void = () => undefined;
  let aborted: "cancelled" | "shutdown" | undefined;
  const view = openView(workflow, row, rows, options.checkDeterminism);

  const perform = (due: Due, seq: number, attempt: number): void => {
    const { leaf, iteration } = due;
    if (leaf.kind !== "task") return;
    const control = new AbortController();
    atWork.set(seq, control);
    const step: Step = {
      run: row.id,
      leaf: leaf.id,
      iteration,
      attempt,
      key: `${row.id}/${leaf.id}@${iteration}`,
      signal:
        leaf.timeoutMs === undefined
          ? control.signal
          : AbortSignal.any([control.signal, AbortSignal.timeout(leaf.timeoutMs)]),
      memory: rows.memoryOf(leaf.id, iteration),
      remember: (memory: Json) =>
        sql
          .commit(() => keepMemory(row.id, fence, seq, memory))
          .then(() => rememberIn(rows, leaf, iteration, memory)),
    };
    const finish = (result: Ended["result"]): void => {
      atWork.delete(seq);
      inbox.push({ due, seq, attempt, result });
      knock();
    };
    Promise.resolve()
      .then(() => leaf.perform(step))
      .then((output) => finish({ output: checked(leaf.id, leaf.output, output) }))
      .catch((error: unknown) => finish({ error }));
  };

  const carryOn = async (): Promise<"left" | "fenced" | "aborted"> => {
    for (;;) {
      const taken = inbox.splice(0);
      const ends = taken.map((ended) => endOf(ended, rows, now(), random));
      for (const [index, end] of ends.entries()) {
        const ended = taken[index];
        if (ended === undefined) continue;
        rows.take(attemptFrom(ended, end));
        if (end.status === "failed" && aborted === undefined) {
          options.onFailed({ run: row.id, leaf: ended.due.leaf.id, attempt: ended.attempt, error: end.error ?? "", dueAt: end.dueAt });
        }
      }
      if (aborted !== undefined && atWork.size === 0) return "aborted";
      const next = view.plan(now());
      const leave = atWork.size > 0 || aborted !== undefined ? undefined : leaveOf(next, view);
      const begins =
        next.is === "open" && aborted === undefined ? next.due.map((due) => beginOf(due, rows, now())) : [];
      if (ends.length > 0 || begins.length > 0 || leave !== undefined) {
        const seqs = await sql.commit(() =>
          turn(row.id, fence, { ends, begins, leave: begins.length > 0 ? undefined : leave, now: now() }),
        );
        for (const [index, begin] of begins.entries()) {
          const seq = seqs[index];
          const due = next.due[index];
          if (seq === undefined || due === undefined) continue;
          rows.take({ seq, ...begin, output: undefined, error: undefined, memory: undefined, paused: false });
          perform(due, seq, begin.attempt);
        }
        if (leave !== undefined && begins.length === 0) return "left";
        // A timer or approval that has just begun to wait may be all there is to wait for.
        if (begins.length > 0 && atWork.size === 0 && inbox.length === 0) continue;
      }
      if (inbox.length === 0) await new Promise<void>((resolve) => (knock = resolve));
    }
  };
  const abortAll = (reason: "cancelled" | "shutdown"): void => {
    aborted = reason;
    for (const control of atWork.values())
      control.abort(
        new Error(`the run was ${reason === "cancelled" ? "cancelled" : "interrupted by a shutdown"}`),
      );
    knock();
  };
  const ended = carryOn().catch((error: unknown) => {
    abortAll("cancelled");
    if (error instanceof Fenced) return "fenced" as const;
    throw error;
  });
  return { run: row.id, ended, abort: abortAll };
}

function rememberIn(rows: Rows, leaf: Leaf, iteration: string, memory: Json): void {
  const newest = rows.newest(leaf.id, iteration);
  if (newest !== undefined) rows.take({ ...newest, memory });
}

function checked(leaf: string, schema: z.ZodType, output: unknown): unknown {
  const parsed = schema.safeParse(output);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(
    `the output of "${leaf}" does not fit its schema: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim(),
  );
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

/** Success, or failure and when to try again: never for a permanent one, later for one that names a time. */
function endOf({ due, seq, result }: Ended, rows: Rows, now: number, random: () => number): End {
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

function beginOf({ leaf, iteration }: Due, rows: Rows, now: number): Begin {
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

function leaveOf(next: Plan, view: View): Leave | undefined {
  if (next.is === "failed") return { is: "failed", error: next.why ?? "it failed" };
  if (next.is === "done") return view.result();
  if (next.due.length > 0) return undefined;
  const times = next.waiting.flatMap(({ until }) => (until === undefined ? [] : [until]));
  return { is: "waiting", wakeAt: times.length === 0 ? undefined : Math.min(...times) };
}

interface View {
  plan(now: number): Plan;
  result(): Leave;
}

/** The rendered tree, rendered again only when something it read has changed. */
function openView(workflow: AnyWorkflow, row: RunRow, rows: Rows, checkDeterminism: boolean): View {
  // The workflow parses its own input; its type is known only to it.
  const input = workflow.input.parse(row.input) as never;
  let progress = newProgress();
  let tree: Node | undefined;
  let reads = new Map<string, string>();
  const readOf = (name: string): string => {
    if (name.startsWith("loop:")) return String(iterationOf(name.slice(5)));
    return String(rows.history(name, z.unknown()).length);
  };
  const iterationOf = (loop: string): number => {
    const open = [...progress.iterations].findLast(([key]) => key.slice(0, key.lastIndexOf("@")) === loop);
    return open?.[1] ?? 0;
  };
  const context: Context<never> = {
    run: row.id,
    input,
    latest: (id, schema) => (reads.set(id, readOf(id)), rows.latest(id, schema)),
    history: (id, schema) => (reads.set(id, readOf(id)), rows.history(id, schema)),
    iteration: (loop) => (reads.set(`loop:${loop}`, readOf(`loop:${loop}`)), iterationOf(loop)),
  };
  const render = (): Node => {
    reads = new Map();
    const rendered = workflow.render(context);
    refuseTwins(rendered);
    if (checkDeterminism && shapeOf(rendered) !== shapeOf(workflow.render(context))) {
      throw Object.assign(
        new Error(
          `workflow "${workflow.name}" renders differently from the same rows; it must be a pure function`,
        ),
        { permanent: true },
      );
    }
    return rendered;
  };
  const isStale = (): boolean => [...reads].some(([name, read]) => readOf(name) !== read);
  return {
    plan: (now) => {
      for (let rounds = 0; ; rounds += 1) {
        if (tree === undefined || isStale()) {
          tree = render();
          progress = { cursors: new Map(), iterations: progress.iterations };
        }
        const planned = planTree(tree, rows, now, progress);
        // Planning may have entered another iteration that the render asked about.
        if (!isStale() || rounds > 100) return planned;
      }
    },
    result: () => {
      const parsed = workflow.output.safeParse(workflow.result(context));
      return parsed.success
        ? { is: "finished", output: parsed.data }
        : {
            is: "failed",
            error: `the result of workflow "${workflow.name}" does not fit its schema: ${parsed.error.issues[0]?.message ?? ""}`,
          };
    },
  };
}

/** A timer whose time has come is finished by its plan: nobody has to perform it. */
function planTree(tree: Node, rows: Rows, now: number, progress: ReturnType<typeof newProgress>): Plan {
  for (;;) {
    const planned = plan(tree, rows, now, progress);
    const rung = planned.due.filter(
      ({ leaf, iteration }) =>
        leaf.kind === "timer" && rows.stateOf(leaf.id, iteration)?.status === "waiting",
    );
    if (rung.length === 0) return planned;
    for (const { leaf, iteration } of rung) {
      const waiting = rows.newest(leaf.id, iteration);
      if (waiting !== undefined) rows.take({ ...waiting, status: "finished", output: null });
    }
  }
}

function refuseTwins(tree: Node): void {
  const seen = new Set<string>();
  for (const id of idsIn(tree)) {
    if (seen.has(id))
      throw Object.assign(new Error(`two nodes are called "${id}"; ids must be unique in a workflow`), {
        permanent: true,
      });
    seen.add(id);
  }
}
const shapeOf = (node: Node): string =>
  JSON.stringify(node, (_key, value: unknown) =>
    typeof value === "function" || value instanceof z.ZodType ? undefined : value,
  );
