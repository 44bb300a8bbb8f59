import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** One measured number. `ratio` is `value / baseline`; both are null where nothing stands beside it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "1/s" | "MB" | "B" | "commits" | "lost" | "share";
  readonly baseline: number | null;
  readonly ratio: number | null;
  /** How many samples stand behind the value. */
  readonly n: number;
}
export interface Surroundings {
  /** An empty folder on the disk of the project, removed afterwards. */
  readonly dir: string;
  /** For people, on stderr. */
  say(line: string): void;
}
export type Benchmark = (around: Surroundings) => Promise<readonly Figure[]>;

const rounded = (value: number): number => Number(value.toPrecision(4));

/** A figure, rounded to what can be believed. */
export const figure = (
  name: string,
  value: number,
  unit: Figure["unit"],
  n: number,
  baseline?: number,
): Figure => ({
  name,
  value: rounded(value),
  unit,
  baseline: baseline === undefined ? null : rounded(baseline),
  ratio: baseline === undefined || baseline === 0 ? null : rounded(value / baseline),
  n,
});

/** The smallest sample that this share of all samples does not exceed. */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new Error("there is no percentile of no samples");
  const sorted = samples.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}
export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** Milliseconds that this work took. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Beside the installed packages: ignored by git, and on the project's own disk, where `/tmp` may be memory. */
export const scratch = join(import.meta.dirname, "..", "node_modules", ".cache", "forgehand-bench");

/** Gives the work an empty folder on a real disk and removes it afterwards. */
export async function withFolder<Result>(work: (dir: string) => Promise<Result>): Promise<Result> {
  mkdirSync(scratch, { recursive: true });
  const dir = mkdtempSync(join(scratch, "run-"));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface Child {
  readonly process: ChildProcess;
  /** The next message; rejects when the child ends instead. */
  heard(): Promise<unknown>;
  /** Ends it the hard way and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts a process of its own on a file beside this one. */
export function startChild(file: string, args: readonly string[], execArgv: readonly string[] = []): Child {
  const child = fork(join(import.meta.dirname, file), [...args], {
    execArgv: [...execArgv],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const messages: unknown[] = [];
  let wake: () => void = () => undefined;
  let ended: string | undefined;
  child.on("message", (message) => {
    messages.push(message);
    wake();
  });
  const gone = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      ended = `${file} ended with ${signal ?? code}`;
      wake();
      resolve();
    });
  });
  return {
    process: child,
    heard: async () => {
      while (messages.length === 0) {
        if (ended !== undefined) throw new Error(ended);
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return messages.shift();
    },
    kill: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Tells the process that started this one. */
export function tellParent(message: object): void {
  process.send?.(message);
}
