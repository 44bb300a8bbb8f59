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
  readonly onFailed: (failed: {
    readonly run: string;
    readonly leaf: string;
    readonly attempt: number;
    readonly error: string;
    readonly dueAt: number | undefined;
  }) => void;
}
export interface Live {
  readonly run: string;
  /** Settles when the run has left this process; never rejects but for bugs. */
  readonly ended: Promise<"left" | "fenced" | "aborted">;
  abort(reason: "cancelled" | "shutdown"): void;
}

/** What a person's answer to an approval looks like. */
export const ApprovalAnswer = z.object({
  decision: z.enum(["approved", "denied"]),
  by: z.string(),
  note: z.string(),
});

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
          options.onFailed({
            run: row.id,
            leaf: ended.due.leaf.id,
            attempt: ended.attempt,
            error: end.error ?? "",
            dueAt: end.dueAt,
          });
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

function leaveOf(next: Plan, view: View): Leave | undefined {
  if (next.is === "failed") return { is: "failed", error: next.why ?? "it failed" };
  if (next.is === "done") return view.result();
  if (next.due.length > 0) return undefined;
  const times = next.waiting.flatMap(({ until }) => (until === undefined ? [] : [until]));
  return { is: "waiting", wakeAt: times.length === 0 ? undefined : Math.min(...times) };
}
