/** What is kept of agents' sessions, in our words. */
import type { Instant } from "./ports.ts";

/** `stdout`, `stderr`: as the runtime said it; `cut`: why something is missing; the others as we heard it. */
export const logKinds = [
  "session",
  "prompt",
  "text",
  "tool",
  "waiting",
  "usage",
  "result",
  "stdout",
  "stderr",
  "cut",
] as const;
export type LogKind = (typeof logKinds)[number];
export interface LogLine {
  readonly at: Instant;
  readonly type: LogKind;
  readonly text: string;
}
/** A key names one invocation of an agent. None of it throws: a log that cannot be written costs the log alone. */
export interface SessionLog {
  /** Where the lines of this session go. */
  pathOf(key: string): string;
  /** Adds a line, without what must not be kept. It is on the disk within seconds. */
  add(key: string, type: LogKind, text: string): void;
  /** Whatever was added is on the disk; more may follow. */
  close(key: string): void;
  closeAll(): void;
}

/** Some lines of a log, and where they lie in its file. */
export interface LogPiece {
  readonly lines: readonly LogLine[];
  /** Bytes: where these lines begin, where to go on, and how many there are. */
  readonly from: number;
  readonly next: number;
  readonly size: number;
}
/** Reads as much as one look may cost, from `end` the newest lines; undefined when there is no such file. */
export type ReadLogPiece = (path: string, from: number | "end") => Promise<LogPiece | undefined>;
