/** What the history shows: tickets that are over and open, newest first. */
import type { Viewer } from "./ports-dashboard-viewer.ts";
import type { State, TicketId } from "./state-machine/ticket.ts";

export type Outcome = "merged" | "cancelled" | "blocked" | "open";
/** What somebody looks for; what is left out is not asked. */
export interface HistoryAsked {
  /** `owner/name` */
  readonly repository?: string | undefined;
  readonly runtime?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly label?: string | undefined;
  /** Milliseconds since 1970: it ended, or came to where it stands, from then on and before then. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** All of these words are in its name or title. */
  readonly words?: string | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}
export interface HistoryRow {
  readonly ref: string;
  readonly id: TicketId;
  readonly title: string;
  /** `owner/name` of where it is built. */
  readonly repo: string;
  readonly outcome: Outcome;
  readonly state: State;
  /** Number of its newest session, whose raw stream is kept. */
  readonly session: number | undefined;
  /** Of whoever built it; undefined where nobody has. */
  readonly runtime: string | undefined;
  /** Reviews that there were. */
  readonly rounds: number;
  /** When it ended, or came to where it stands, in milliseconds since 1970. */
  readonly since: number;
  /** From its first line to its end, or until now. */
  readonly durationMs: number;
  readonly usd: number;
  readonly usdIsGuess: boolean;
  readonly pull: number | undefined;
  /** Where that is; undefined where nobody can tell. */
  readonly pullUrl: string | undefined;
  readonly labels: readonly string[];
  /** What its newest runs did, and who says so. */
  readonly summary: { readonly text: string; readonly by: string } | undefined;
}
export interface HistoryView {
  readonly rows: readonly HistoryRow[];
  /** Where the next page begins; undefined when this is the last. */
  readonly next: string | undefined;
  /** So many tickets were looked through without filling the page. */
  readonly lookedThrough: number | undefined;
  /** What there is to filter by; empty for those who do not see everything. */
  readonly names: {
    readonly repositories: readonly string[];
    readonly runtimes: readonly string[];
    readonly labels: readonly string[];
  };
  readonly now: number;
}
export interface HistoryViews {
  history(viewer: Viewer, asked: HistoryAsked): Promise<HistoryView>;
}
