/** What the dashboard shows and what it may ask for; told in one shape to pages, JSON and tests. */
import type { ApiCommands, ApiViews } from "./ports-dashboard-api.ts";
import type { DiffAsk, DiffView, FindingRow, ProofView, RunView } from "./ports-dashboard-ticket.ts";
import type { LogViews } from "./ports-dashboard-logs.ts";
import type { RunCommands, RunViews } from "./ports-dashboard-runs.ts";
import type { OrderAnswer, OrderName, OrderSeen, PageOrder } from "./ports-dashboard-orders.ts";
import type { CostsViews } from "./ports-dashboard-costs.ts";
import type { HistoryViews } from "./ports-dashboard-history.ts";
import type { NoteView, TicketView, WaitView } from "./says.ts";
import type { HealthOrders, HealthViews } from "./ports-dashboard-health.ts";
import type { LedgerOrders, LedgerViews } from "./ports-dashboard-ledger.ts";
import type { RepositoryOrders, RepositoryViews } from "./ports-dashboard-repositories.ts";
import type { Viewer } from "./ports-dashboard-viewer.ts";
import type { WebhookOrders, WebhookViews } from "./ports-dashboard-webhooks.ts";
import type { Sha, State, TicketId } from "./state-machine/ticket.ts";

export {
  orderNames,
  type OrderAnswer,
  type OrderName,
  type OrderSeen,
  type OrderWords,
  type PageOrder,
} from "./ports-dashboard-orders.ts";
export { mayIn, seenBy, type Right, type Viewer } from "./ports-dashboard-viewer.ts";

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
  /** Of the actor on the repository, where it was read. */
  readonly permission: string | undefined;
  /** Why that row applied, in the table's words. */
  readonly why: string;
  /** What it stands on, each where it can be looked at. */
  readonly proofs: readonly ProofView[];
  /** Binds the line to all before it. */
  readonly hash: string;
  readonly from: State;
  readonly to: State;
  /** The row of the table that applied. */
  readonly row: string;
  readonly run: string | undefined;
  /** Dollars of the run it reports. */
  readonly usd: number | undefined;
}
export interface SessionView {
  readonly id: number;
  readonly run: string;
  readonly role: string;
  readonly runtime: string;
  readonly model: string | undefined;
  readonly inputTokens: number;
  /** Of those, read from a cache. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
  readonly usdIsGuess: boolean;
  /** Who says what it cost: `table`, `runtime`, `guess`, `none`; with the edition of the price table. */
  readonly pricedBy: string;
  readonly priceVersion: string;
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
  /** So many of them, oldest first; `older` is the line before which the next ones are asked for. */
  readonly lines: readonly LineView[];
  readonly older: number | undefined;
  /** What became of each finding in each round. */
  readonly findings: readonly FindingRow[];
  /** Each run with what it did, oldest first. */
  readonly runs: readonly RunView[];
  /** The newest of them; all are counted. */
  readonly sessions: readonly SessionView[];
  readonly sessionCount: number;
  /** The newest of them. */
  readonly effects: readonly EffectView[];
  /** What its state has a row for, where the viewer may act. */
  readonly may: readonly OrderName[];
  readonly mayAct: boolean;
  /** Somebody's order that is not carried out yet. */
  readonly ordered: OrderSeen | undefined;
  /** Who halted it: operators lift only what operators halted. */
  readonly halts: readonly {
    readonly by: string;
    readonly at: number;
    readonly isOperator: boolean;
  }[];
}

/** What asks for a person, and how. */
export const waitingKinds = [
  "approval",
  "money",
  "stopped",
  "spec",
  "run",
  "halt",
  "configuration",
  "runtime",
  "tracker",
  "onboarding",
] as const;
export type WaitingKind = (typeof waitingKinds)[number];
/** One thing that a person has to decide or put right. */
export interface WaitingItem {
  /** Its own among all of them. */
  readonly key: string;
  readonly kind: WaitingKind;
  /** What it is about: `owner/repo#42`, a repository, a runtime. */
  readonly ref: string;
  readonly title: string;
  /** The page that tells more; undefined where there is none. */
  readonly href: string | undefined;
  /** Where people look elsewhere; empty where that is nowhere. */
  readonly url: string;
  readonly since: number;
  /** Undefined for what costs nothing. */
  readonly usd: number | undefined;
  readonly usdIsGuess: boolean;
  /** On one line. */
  readonly why: string;
  readonly youCan: WaitView["youCan"];
  /** Undefined for what is no ticket. */
  readonly ticket:
    | {
        readonly id: TicketId;
        readonly state: State;
        readonly version: number;
        readonly head: Sha | undefined;
        readonly round: number;
        readonly maxRounds: number;
        readonly may: readonly OrderName[];
        readonly wantsUsd: number | undefined;
        readonly ordered: OrderSeen | undefined;
      }
    | undefined;
}
export interface WaitingView {
  readonly items: readonly WaitingItem[];
  /** What the next page is asked with; undefined on the last. */
  readonly next: string | undefined;
  /** Who halted everything, and when. */
  readonly halted: { readonly by: string; readonly at: number } | undefined;
  readonly now: number;
}

/** What somebody may see; nothing else is counted or told. */
export interface Dashboard {
  /** Every open ticket, or those in some states; of each state at most a named number. */
  board(viewer: Viewer, states?: readonly State[]): Promise<BoardView>;
  /** By id or by any name people use; undefined when there is no such ticket, or when several have that name. */
  ticket(
    viewer: Viewer,
    name: string,
    ask?: { readonly before?: number | undefined },
  ): Promise<TicketPage | undefined>;
  /** What a round reviewed, or what changed between two; undefined when there is no such ticket. */
  diff(viewer: Viewer, name: string, ask: DiffAsk): Promise<DiffView | undefined>;
  /** What asks for a person: tickets first, then what is wrong elsewhere. */
  waiting(viewer: Viewer, after?: string): Promise<WaitingView>;
  /** Tickets whose name or title has these words, the open ones first; a few. */
  find(viewer: Viewer, words: string): Promise<readonly FoundTicket[]>;
  readonly logs: LogViews;
  readonly runs: RunViews;
  /** How much waits for a person: tickets, and what runs ask whoever looks (100 at most). */
  waitingCount(viewer: Viewer): Promise<number>;
  /** Another one whenever anything has changed. */
  position(): Promise<Position>;
  readonly api: ApiViews;
  readonly health: HealthViews;
  readonly webhooks: WebhookViews;
  readonly repositories: RepositoryViews;
  readonly ledger: LedgerViews;
  readonly past: HistoryViews;
  readonly money: CostsViews;
}
/** `line-changes-others`: the newest line of the ledger, and counts of whatever else was written. */
export type Position = string;

/** A ticket as somebody wrote it on a page. */
export interface NewTicket {
  /** Names the form it came from: posted twice, it is one ticket. */
  readonly key: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  /** `now`: it is released as it is written. */
  readonly starts: "now" | "later";
}
export type NewTicketAnswer =
  | { readonly is: "written"; readonly id: TicketId; readonly number: number }
  | { readonly is: "unclear"; readonly why: string }
  | { readonly is: "forbidden" };
export interface Commands {
  /** Writes a ticket where tickets are files of this host; left out where people write them elsewhere. */
  readonly newTicket?: ((viewer: Viewer, ticket: NewTicket) => Promise<NewTicketAnswer>) | undefined;
  give(viewer: Viewer, order: PageOrder): Promise<OrderAnswer>;
  /** Halts a ticket, or lifts a halt said here; `nothing` when there is none, or an operator's that only operators lift. */
  halt(
    viewer: Viewer,
    ticket: TicketId,
    is: "raised" | "lifted",
  ): Promise<"said" | "nothing" | "forbidden" | "unknown">;
  /** Halts everything, or lifts what operators halted; a label is lifted by taking it off. For operators alone. */
  haltAll(viewer: Viewer, is: "raised" | "lifted"): Promise<"said" | "forbidden">;
  readonly runs: RunCommands;
  readonly api: ApiCommands;
  readonly health: HealthOrders;
  readonly webhooks: WebhookOrders;
  readonly repositories: RepositoryOrders;
  readonly ledger: LedgerOrders;
}
