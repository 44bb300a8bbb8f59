import { execa } from "execa";
import type { Clock } from "../../ports.ts";
import type { KeepLine, Place } from "../../ports-agents.ts";
import { endAll, follow } from "./descendants.ts";
import type { OpenInput } from "./process-input.ts";
import { processAt, processIds, runIdOf } from "./process-table.ts";
import type { Allowance, Exceeded } from "../sandboxes/resource-limits.ts";
import { watchResources } from "../sandboxes/resource-watch.ts";

/** One line of output longer than this is cut: no agent says anything worth more. */
const maxLine = 4 * 1024 * 1024;
/** Lines nobody has taken yet; beyond these the process has to wait. */
const maxWaiting = 10_000;
/** Kept of stderr, for the reason of a failure. */
const stderrTail = 8_000;
/** Between SIGTERM and SIGKILL. */
const graceMs = 3_000;
/** Between the end of a conversation and the process's own. */
const leaveMs = 5_000;

export interface ProcessOrder {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing of ours is added but `RUN_ID`. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** In place of `stdin`: a conversation, open until its end is said. */
  readonly input?: OpenInput | undefined;
  readonly runId: string;
  /** Without a byte of output on stdout or stderr. */
  readonly stallMs: number;
  readonly turnMs: number;
  readonly place?: Place | undefined;
  /** Hears a line of stdout before it is said, and one of stderr when it comes. */
  readonly keep?: KeepLine | undefined;
  /** Watched while it runs. */
  readonly allowance?: Allowance | undefined;
}
export type ProcessSays =
  | { readonly type: "line"; readonly line: string }
  | { readonly type: "end"; readonly end: ProcessEnd };
export interface ProcessEnd {
  /** Undefined when a signal ended it, or it never started. */
  readonly exit: number | undefined;
  readonly signal: string | undefined;
  readonly stderr: string;
  /** Why we ended it ourselves. */
  readonly stopped: "stalled" | "too long" | "aborted" | Exceeded | undefined;
  /** It could not be started: `ENOENT`, `EACCES`. */
  readonly failedToStart: string | undefined;
}

/**
 * Runs a process and yields its lines, then how it ended. However it ends, its whole tree is gone before `end` is
 * said: SIGTERM, SIGKILL, then whoever was seen to grow from it, still carries this `RUN_ID`, or is at work in its folder.
 */
export async function* runProcess(
  order: ProcessOrder,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<ProcessSays> {
  const ending = new AbortController();
  const child = execa(order.file, [...order.args], {
    cwd: order.cwd,
    env: { ...order.env, RUN_ID: order.runId },
    extendEnv: false,
    ...stdinOf(order),
    reject: false,
    buffer: false,
    encoding: "buffer",
    killDescendants: true,
    forceKillAfterDelay: graceMs,
    cancelSignal: ending.signal,
  });
  const followed = follow({
    pid: child.nodeChildProcess.pid,
    runId: order.runId,
    folder: order.place === "shared" ? undefined : order.cwd,
  });
  const watch = watchdog(order, followed.members, clock, signal, ending);
  if (child.stdin !== null) order.input?.join(child.stdin, watch.leaveSoon);
  const lines = lineQueue({ onFull: () => child.stdout.pause(), onEmpty: () => child.stdout.resume() });
  const stderr = tail(stderrTail);
  const errors = lineSplitter((line) => order.keep?.(line, "stderr"));
  child.stdout.on("data", (bytes: Buffer) => {
    watch.sawBytes();
    lines.push(bytes);
  });
  child.stderr.on("data", (bytes: Buffer) => {
    watch.sawBytes();
    stderr.push(bytes);
    errors.push(bytes);
  });
  // A child that left the tree may hold our pipes, and then `child` settles only when it is gone too.
  let swept: Promise<unknown> = Promise.resolve();
  child.nodeChildProcess.once("exit", () => {
    swept = followed.end();
  });
  const done = child.then(async (result) => {
    watch.end();
    await swept;
    await followed.end();
    followed.leave();
    errors.close();
    lines.close();
    return result;
  });
  try {
    for await (const line of lines.all()) {
      order.keep?.(line, "stdout");
      yield { type: "line", line };
    }
    const result = await done;
    const failed = result.code === "ENOENT" || result.code === "EACCES" ? result.code : undefined;
    yield {
      type: "end",
      end: {
        exit: result.exitCode,
        signal: result.signal,
        stderr: stderr.text(),
        stopped: watch.why(),
        failedToStart: failed,
      },
    };
  } finally {
    // The consumer may stop listening early; nothing outlives it.
    ending.abort();
    lines.discard();
    await done;
  }
}

function stdinOf({ stdin, input }: ProcessOrder) {
  if (input !== undefined) return { stdin: "pipe" as const };
  return stdin === undefined ? { stdin: "ignore" as const } : { input: stdin };
}

/** Ends the process when it is silent or slow, or when it is told to. */
function watchdog(
  order: ProcessOrder,
  members: () => readonly number[],
  clock: Clock,
  signal: AbortSignal,
  ending: AbortController,
) {
  let why: ProcessEnd["stopped"];
  let lastByte = clock.now();
  const started = lastByte;
  const over = new AbortController();
  const stop = (reason: NonNullable<ProcessEnd["stopped"]>): void => {
    why ??= reason;
    ending.abort();
  };
  const onAbort = (): void => stop("aborted");
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const watch = async (): Promise<void> => {
    for (;;) {
      const next = Math.min(lastByte + order.stallMs, started + order.turnMs);
      await clock.until(next, over.signal);
      const now = clock.now();
      if (now >= started + order.turnMs) return stop("too long");
      if (now >= lastByte + order.stallMs) return stop("stalled");
    }
  };
  watch().catch(() => undefined);
  if (order.allowance !== undefined)
    void watchResources(order.allowance, members, clock, over.signal).then(
      (exceeded) => exceeded !== undefined && stop(exceeded),
      () => undefined,
    );
  return {
    sawBytes: () => (lastByte = clock.now()),
    why: () => why,
    /** It was told all there is; that it has to be ended now is no failure of its own. */
    leaveSoon: (): void => {
      clock.until(clock.now() + leaveMs, over.signal).then(
        () => ending.abort(),
        () => undefined,
      );
    },
    end: () => {
      signal.removeEventListener("abort", onAbort);
      over.abort();
    },
  };
}

/** Bytes in, whole lines out; a line that never ends is cut. */
function lineSplitter(put: (line: string) => unknown) {
  let rest: Buffer = Buffer.alloc(0);
  const say = (bytes: Buffer): unknown => put(bytes.subarray(0, maxLine).toString("utf8"));
  return {
    push: (bytes: Buffer): void => {
      let from = 0;
      for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
        say(rest.length === 0 ? bytes.subarray(from, at) : Buffer.concat([rest, bytes.subarray(from, at)]));
        rest = Buffer.alloc(0);
        from = at + 1;
      }
      const left = bytes.subarray(from);
      if (left.length > 0 && rest.length < maxLine) rest = Buffer.concat([rest, left]);
    },
    close: (): void => {
      if (rest.length > 0) say(rest);
      rest = Buffer.alloc(0);
    },
  };
}

/** Lines that wait until somebody takes them. */
function lineQueue(flow: { readonly onFull: () => unknown; readonly onEmpty: () => unknown }) {
  const ready: string[] = [];
  let closed = false;
  let discarding = false;
  let wake: () => void = () => undefined;
  const splitter = lineSplitter((line) => ready.push(line));
  return {
    push: (bytes: Buffer): void => {
      if (discarding) return;
      splitter.push(bytes);
      if (ready.length > maxWaiting) flow.onFull();
      wake();
    },
    /** Nobody listens any more, but a process that waits for a reader would never end. */
    discard: (): void => {
      discarding = true;
      flow.onEmpty();
    },
    close: (): void => {
      splitter.close();
      closed = true;
      wake();
    },
    all: async function* (): AsyncGenerator<string> {
      for (;;) {
        for (let line = ready.shift(); line !== undefined; line = ready.shift()) yield line;
        if (closed) return;
        flow.onEmpty();
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

/** The last bytes of what comes. */
export function tail(limit: number) {
  let kept = Buffer.alloc(0);
  return {
    push: (bytes: Buffer): void => {
      kept = Buffer.concat([kept, bytes]).subarray(-limit);
    },
    text: (): string => kept.toString("utf8"),
  };
}

/** Tells the orders of one run apart, so that the end of one ends no process of another. */
export const orderMark = (runId: string, number: number): string => `${runId} ${number}`;

/** Ends every process whose environment carries one of these `RUN_ID`s, wherever it hides; answers which. Linux only. */
export async function sweep(...runIds: readonly string[]): Promise<readonly number[]> {
  const marks = new Set(runIds);
  return endAll(() =>
    processIds()
      .filter((pid) => {
        const mark = pid === process.pid ? undefined : runIdOf(pid);
        return mark !== undefined && (marks.has(mark) || marks.has(mark.replace(/ \d+$/u, "")));
      })
      .flatMap((pid) => processAt(pid) ?? []),
  );
}
