/** The log of an agent's session as pages show it: a part at a time, the newest first reached, and followed as it grows. */
import type { Viewer } from "./ports-dashboard-viewer.ts";
import type { TicketId } from "./state-machine/ticket.ts";

/** The number of an agent's session; `a` and a number: of an attempt in the run of a workflow file. */
export type SessionName = string;
export interface LogSession {
  readonly name: SessionName;
  readonly run: string;
  /** Undefined for the run of a workflow file. */
  readonly ticket: TicketId | undefined;
  /** What it works as, or the task it works at. */
  readonly role: string;
  readonly runtime: string;
  readonly model: string | undefined;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

/** What somebody wants of a log. */
export interface LogOrder {
  /** A byte of its file that a line begins at; `end`: the newest lines. */
  readonly from: number | "end";
  /** As people read it, or as the runtime said it. */
  readonly how: "heard" | "raw";
  /** Only these kinds; none named: all. */
  readonly kinds: readonly string[];
  /** Only lines with each of these words. */
  readonly words: string;
  /** What to do where much more has been written than can be followed: pass it over, or read on in order. */
  readonly late: "skip" | "read";
}
export interface LogLineView {
  /** 0 where nobody knows. */
  readonly at: number;
  readonly kind: string;
  /** Without what a terminal would obey. */
  readonly text: string;
  /** Characters that are left out here. */
  readonly more: number;
}
export interface LogPart {
  readonly session: LogSession;
  readonly lines: readonly LogLineView[];
  /** Bytes of the file: where these lines begin, where to go on, and how many there are. */
  readonly from: number;
  readonly next: number;
  readonly size: number;
  /** Bytes before `from` that were asked for and passed over, because there was too much to show. */
  readonly leftOutBytes: number;
  /** Lines of this part that are not shown: the older ones. */
  readonly leftOutLines: number;
  /** Nothing will be added, and this is the last of it. */
  readonly isOver: boolean;
  /** It was never written, or is kept no longer. */
  readonly isGone: boolean;
  readonly now: number;
}

export interface LogViews {
  /** Undefined for a session that is not there, or not theirs to see. */
  session(viewer: Viewer, name: SessionName): Promise<LogSession | undefined>;
  read(viewer: Viewer, name: SessionName, order: LogOrder): Promise<LogPart | undefined>;
  /** All of it as it is kept, a line of JSON each, piece by piece. */
  whole(viewer: Viewer, name: SessionName): Promise<AsyncIterable<string> | undefined>;
}
