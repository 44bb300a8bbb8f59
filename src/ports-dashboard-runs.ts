/** Runs as pages show them, and what people may have done to one. */
import type { Viewer } from "./ports-dashboard-viewer.ts";
import type { TicketId } from "./state-machine/ticket.ts";

export const runStatuses = [
  "ready",
  "running",
  "waiting",
  "paused",
  "finished",
  "failed",
  "cancelled",
] as const;
export type RunStatusName = (typeof runStatuses)[number];
export type LeafStatus = "none" | "running" | "waiting" | "again" | "finished" | "failed" | "lost";

/** The ticket that a run works for. */
export interface RunTicket {
  readonly id: TicketId;
  readonly ref: string;
  readonly title: string;
}
/** A run in a list. */
export interface RunRowView {
  readonly id: string;
  readonly workflow: string;
  readonly status: RunStatusName;
  /** Apart from its state: whether what was wanted was reached. */
  readonly outcome: string | undefined;
  readonly error: string | undefined;
  /** Undefined for the run of a workflow file. */
  readonly ticket: RunTicket | undefined;
  readonly parent: string | undefined;
  readonly createdAt: number;
  readonly settledAt: number | undefined;
}
export interface RunFilter {
  readonly workflow: string;
  readonly status: RunStatusName | undefined;
  /** By id or by any name people use. */
  readonly ticket: string;
  readonly words: string;
  /** A page begins behind it. */
  readonly after: { readonly createdAt: number; readonly id: string } | undefined;
}
export interface RunList {
  readonly rows: readonly RunRowView[];
  /** Where the next page begins; undefined on the last. */
  readonly next: RunFilter["after"];
  /** Runs that were looked at without finding enough; the next page looks further. */
  readonly looked: number;
  readonly now: number;
}

/** What a page of one run is to show of it. */
export interface RunLook {
  /** As it was at this frame; undefined: as it is. */
  readonly frame: number | undefined;
  /** Compared with this one. */
  readonly beside: number | undefined;
  /** `leaf` or `leaf@iteration` */
  readonly task: string | undefined;
  /** Which iteration of a loop is shown, by the loop's name; the newest else. */
  readonly rounds: ReadonlyMap<string, number>;
}

/** A node of the tree as drawn. */
export interface RunNode {
  readonly kind: string;
  readonly id: string | undefined;
  readonly max: number | undefined;
  /** Of a leaf in the iteration that is shown. */
  readonly status: LeafStatus | undefined;
  /** Names the leaf and its iteration in a link. */
  readonly task: string | undefined;
  /** Attempts so far. */
  readonly tries: number;
  /** Of a loop: the iteration shown, from 1, and how many there were. */
  readonly round: number | undefined;
  readonly rounds: number;
  readonly children: readonly RunNode[];
}

/** One attempt: when it could have begun, when it began and when it ended. */
export interface RunBar {
  readonly frame: number;
  readonly task: string;
  readonly attempt: number;
  readonly status: LeafStatus;
  readonly readyAt: number;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}
/** The session of an agent, and its log. */
export interface RunSession {
  /** `/sessions/:name/log` */
  readonly name: string;
  /** The leaf and its iteration, where it is known whose it is. */
  readonly task: string | undefined;
  readonly attempt: number | undefined;
  readonly role: string;
  readonly runtime: string;
  readonly model: string | undefined;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number | undefined;
  readonly usdIsGuess: boolean;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly outcome: string | undefined;
}
/** One attempt of the chosen task, with what it was given and gave. */
export interface TaskAttempt {
  readonly frame: number;
  readonly attempt: number;
  readonly status: LeafStatus;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** When it is tried again. */
  readonly dueAt: number | undefined;
  readonly error: string | undefined;
  /** JSON, cut where it is very long. */
  readonly output: string | undefined;
  readonly effect: string | undefined;
  readonly folder: string | undefined;
  readonly prompt: string | undefined;
  readonly sessions: readonly RunSession[];
}
export interface RunTask {
  readonly task: string;
  readonly attempts: readonly TaskAttempt[];
}

/** What waits in a run for somebody. */
export interface RunAsk {
  /** Names this very question for ever. */
  readonly seq: number;
  readonly task: string;
  readonly is: "approve" | "choose" | "rank" | "question" | "signal";
  readonly text: string;
  /** Why it is asked again. */
  readonly again: string | undefined;
  /** Who alone may answer; nobody named: everybody who may act. */
  readonly who: readonly string[];
  readonly options: readonly string[];
  /** JSON schema of an answer to a question or a signal. */
  readonly schema: string | undefined;
  readonly since: number;
  /** When it answers by itself. */
  readonly dueAt: number | undefined;
}
/** What people did to a run. */
export interface RunDeed {
  readonly what: string;
  readonly about: string | undefined;
  readonly note: string;
  readonly by: string;
  readonly at: number;
}
/** Two frames side by side. */
export interface RunComparison {
  readonly from: number;
  readonly to: number;
  readonly outputs: readonly {
    readonly place: string;
    readonly is: string;
    readonly first: string | undefined;
    readonly second: string | undefined;
  }[];
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
  readonly files: readonly { readonly folder: string; readonly diff: string }[];
  /** What could not be compared, and why. */
  readonly notes: readonly string[];
}

export interface RunPage {
  readonly run: RunRowView;
  /** What an order to this run is decided upon. */
  readonly version: string;
  readonly folder: string | undefined;
  readonly source: string | undefined;
  /** Frame of the parent that it begins from. */
  readonly frame: number | undefined;
  readonly replays: boolean;
  /** JSON, cut where it is very long. */
  readonly input: string;
  readonly output: string | undefined;
  readonly summary: { readonly text: string; readonly by: string } | undefined;
  /** Why it stands where it stands, one sentence each. */
  readonly reasons: readonly string[];
  /** Lines to type. */
  readonly commands: readonly string[];
  readonly asks: readonly RunAsk[];
  readonly frames: number;
  /** The frame that is shown; undefined: as it is. */
  readonly at: number | undefined;
  readonly tree: RunNode | undefined;
  /** Why the tree is only a list of what has begun. */
  readonly treeNote: string | undefined;
  readonly bars: readonly RunBar[];
  /** Older attempts than those. */
  readonly leftOutBars: number;
  readonly task: RunTask | undefined;
  readonly sessions: readonly RunSession[];
  readonly forks: readonly RunRowView[];
  readonly deeds: readonly RunDeed[];
  readonly comparison: RunComparison | undefined;
  /** What may be ordered now by this viewer. */
  readonly may: readonly RunOrderName[];
  /** Why no more may be; undefined where all is said by its state. */
  readonly whyNot: string | undefined;
  readonly usd: number;
  readonly usdIsGuess: boolean;
  readonly now: number;
}

/** Something in a run that waits for somebody, for the page of what waits. */
export interface RunWait {
  readonly run: string;
  readonly workflow: string;
  readonly ticket: RunTicket | undefined;
  readonly ask: RunAsk;
  /** The page it is answered on. */
  readonly href: string;
}

export interface RunViews {
  list(viewer: Viewer, filter: RunFilter): Promise<RunList>;
  /** Undefined where there is none, or where it is not theirs to see; `no frame`: it has not so many. */
  run(viewer: Viewer, id: string, look: RunLook): Promise<RunPage | "no frame" | undefined>;
  /** What waits in runs for somebody who may answer, the oldest first; a few. */
  waiting(viewer: Viewer): Promise<readonly RunWait[]>;
  /** How many those are. */
  waitCount(viewer: Viewer): Promise<number>;
}

export const runOrderNames = [
  "answer",
  "rewind",
  "undo",
  "fork",
  "replay",
  "retry",
  "hold",
  "resume",
  "cancel",
] as const;
export type RunOrderName = (typeof runOrderNames)[number];

interface Travel {
  /** The version of the run that they had before them. */
  readonly seen: string;
  readonly frame: number;
  /** What to do about effects that nothing takes back. */
  readonly effects: "refuse" | "accept";
}
export type RunDo =
  | ({ readonly do: "rewind" } & Travel)
  | ({ readonly do: "fork" | "replay" } & Travel)
  | { readonly do: "undo"; readonly seen: string; readonly effects: Travel["effects"] }
  | { readonly do: "retry"; readonly seen: string }
  | { readonly do: "hold" | "resume" | "cancel"; readonly seen: string }
  /** `seq` is the question they had before them. */
  | { readonly do: "answer"; readonly seq: number; readonly answer: unknown };
export type RunOrder = RunDo & { readonly run: string; readonly note: string };

/** `forced`: it would leave behind what these lines say, and is done where that is accepted. */
export type RunOrderAnswer =
  | { readonly is: "done"; readonly text: string; /** Another run that came of it. */ readonly run?: string }
  | { readonly is: "stale"; readonly text: string }
  | { readonly is: "refused"; readonly text: string }
  | { readonly is: "forced"; readonly text: string; readonly leaves: readonly string[] }
  | { readonly is: "forbidden"; readonly text: string }
  | { readonly is: "unknown" };
export interface RunCommands {
  give(viewer: Viewer, order: RunOrder): Promise<RunOrderAnswer>;
}
