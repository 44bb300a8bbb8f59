/** What the dashboard shows and what it may ask for; told in one shape to pages, JSON and tests. */
import type { CostsViews } from "./ports-dashboard-costs.ts";
import type { HistoryViews } from "./ports-dashboard-history.ts";
import type { Viewer } from "./ports-dashboard-viewer.ts";
import type { NoteView, TicketView, WaitView } from "./says.ts";
import type { Sha, State, TicketId } from "./state-machine/ticket.ts";

export { mayIn, rights, seenBy, type Right, type Viewer } from "./ports-dashboard-viewer.ts";

/** One ticket on the board. */
export interface BoardRow {
  /** `owner/repo#42`, `workspace/ENG-42` */
  readonly ref: string;
  readonly id: TicketId;
  readonly title: string;
  readonly url: string;
  readonly state: State;
  /** Reviews that ended in rework, of so many. */
  readonly round: number;
  readonly maxRounds: number;
  /** When it entered its state, in milliseconds since 1970. */
  readonly since: number;
  readonly usd: number;
  /** Some of it at a price that nobody told. */
  readonly usdIsGuess: boolean;
  readonly pull: number | undefined;
  readonly head: Sha | undefined;
  /** `owner/name` of where it is built. */
  readonly repo: string;
  /** Undefined once it is over. */
  readonly wait: WaitView | undefined;
  /** A person has to act before it goes on. */
  readonly needsPerson: boolean;
}
/** A ticket as a search shows it. */
export interface FoundTicket {
  readonly id: TicketId;
  readonly ref: string;
  readonly title: string;
  readonly state: State;
}
export interface BoardView {
  /** Of each state those that have stood in it longest, up to a limit. */
  readonly rows: readonly BoardRow[];
  /** Tickets by state, those that are over among them. */
  readonly counts: Readonly<Partial<Record<State, number>>>;
  /** Who halted everything, and when. */
  readonly halted: { readonly by: string; readonly at: number } | undefined;
  readonly now: number;
}
/** One line of the ledger as the page of a ticket shows it. */
export interface LineView extends NoteView {
  readonly seq: number;
  readonly from: State;
  readonly to: State;
  /** The row of the table that applied. */
  readonly row: string;
  readonly run: string | undefined;
  /** Dollars of the run it reports. */
  readonly usd: number | undefined;
}
export interface SessionView {
  readonly role: string;
  readonly runtime: string;
  readonly model: string | undefined;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
  readonly usdIsGuess: boolean;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly outcome: string | undefined;
}
export interface EffectView {
  readonly type: string;
  readonly state: string;
  readonly note: string;
}
export interface TicketPage {
  readonly view: TicketView;
  readonly id: TicketId;
  readonly url: string;
  readonly branch: string;
  /** Number of its ledger lines: what an action was decided upon. */
  readonly version: number;
  readonly lines: readonly LineView[];
  readonly sessions: readonly SessionView[];
  readonly effects: readonly EffectView[];
  /** What its state has a row for, where the viewer may act. */
  readonly may: readonly OrderName[];
  readonly mayAct: boolean;
  /** Who halted it: operators lift only what operators halted. */
  readonly halts: readonly {
    readonly by: string;
    readonly at: number;
    readonly isOperator: boolean;
  }[];
}

/** What somebody may see; nothing else is counted or told. */
export interface Dashboard {
  /** Every open ticket, or those in some states; of each state at most a named number. */
  board(viewer: Viewer, states?: readonly State[]): Promise<BoardView>;
  /** By id or by any name people use; undefined when there is no such ticket, or when several have that name. */
  ticket(viewer: Viewer, name: string): Promise<TicketPage | undefined>;
  /** Tickets whose name or title has these words, the open ones first; a few. */
  find(viewer: Viewer, words: string): Promise<readonly FoundTicket[]>;
  /** How many tickets wait for a person. */
  waitingCount(viewer: Viewer): Promise<number>;
  /** Another one whenever anything has changed. */
  position(): Promise<Position>;
  readonly past: HistoryViews;
  readonly money: CostsViews;
}
/** `line-changes-others`: the newest line of the ledger, and counts of whatever else was written. */
export type Position = string;

export const orderNames = ["approve", "retry", "stop"] as const;
export type OrderName = (typeof orderNames)[number];
/** What a person asks for on a page. */
export interface PageOrder {
  readonly ticket: TicketId;
  readonly order: OrderName;
  /** The version of the ticket that they had before them. */
  readonly seen: number;
}
/** `taken`: it lies in the inbox; `stale`: the ticket went on meanwhile; `impossible`: its state has no row for it; `forbidden`: they may look and not act. */
export type OrderAnswer =
  | { readonly is: "taken"; readonly to: State }
  | { readonly is: "stale"; readonly state: State }
  | { readonly is: "impossible"; readonly state: State }
  | { readonly is: "forbidden" }
  | { readonly is: "unknown" };
export interface Commands {
  give(viewer: Viewer, order: PageOrder): Promise<OrderAnswer>;
  /** Halts a ticket, or lifts a halt said here; `nothing` when there is none, or an operator's that only operators lift. */
  halt(
    viewer: Viewer,
    ticket: TicketId,
    is: "raised" | "lifted",
  ): Promise<"said" | "nothing" | "forbidden" | "unknown">;
  /** Halts everything, or lifts what operators halted; a label is lifted by taking it off. For operators alone. */
  haltAll(viewer: Viewer, is: "raised" | "lifted"): Promise<"said" | "forbidden">;
}
