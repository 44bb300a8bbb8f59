/** What the API tells and takes beyond the pages: lists of everything, and the shapes that clients of Symphony know. */
import type { OrderAnswer, OrderName, OrderWords } from "./ports-dashboard-orders.ts";
import type { RunOrder, RunOrderAnswer } from "./ports-dashboard-runs.ts";
import type { Viewer } from "./ports-dashboard-viewer.ts";
import type { TicketEvent } from "./state-machine/event.ts";
import type { Sha, State, TicketId } from "./state-machine/ticket.ts";

/** One ticket in a list of many. */
export interface TicketRow {
  readonly id: TicketId;
  /** `owner/repo#42`, `workspace/ENG-42` */
  readonly ref: string;
  readonly number: number;
  readonly title: string;
  readonly url: string;
  readonly author: string;
  /** `owner/name` of where it is built. */
  readonly repo: string;
  readonly branch: string;
  readonly state: State;
  /** Number of its ledger lines. */
  readonly version: number;
  readonly pull: number | undefined;
  readonly head: Sha | undefined;
  readonly priority: number | undefined;
  /** When it entered its state, in milliseconds since 1970. */
  readonly since: number;
  readonly updatedAt: number;
}
export interface TicketsPage {
  readonly tickets: readonly TicketRow[];
  /** What the next page begins after; none: this was all. */
  readonly next: TicketId | undefined;
}
export interface TicketsAsked {
  /** In any of these; all where none is named. */
  readonly states: readonly State[] | undefined;
  /** `owner/name` */
  readonly repo: string | undefined;
  readonly after: TicketId | undefined;
  readonly limit: number;
}

/** One line of the ledger, of whichever ticket. */
export interface LedgerLine {
  readonly seq: number;
  readonly ticket: TicketId;
  readonly ref: string;
  /** Its place among the lines of its ticket, from 1. */
  readonly version: number;
  readonly at: number;
  readonly actor: string;
  readonly permission: string | undefined;
  readonly type: TicketEvent["type"];
  /** The event with all that it carries. */
  readonly event: TicketEvent;
  /** The row of the table that applied. */
  readonly row: string;
  readonly from: State;
  readonly to: State;
  /** The event in words. */
  readonly text: string;
  readonly hash: string;
}
export interface LinesAsked {
  /** A ticket by any name that people use; of all where none is named. */
  readonly ticket: string | undefined;
  /** `owner/name` */
  readonly repo: string | undefined;
  readonly after: number;
  readonly limit: number;
}
export interface LinesPage {
  readonly lines: readonly LedgerLine[];
  /** As far as was looked: the next page begins after it. */
  readonly upTo: number;
  readonly isAll: boolean;
}

/** How it stands with one place where people are told. */
export interface ChannelView {
  /** `slack-1f2e3d4c`: its service and part of a hash. */
  readonly channel: string;
  readonly waiting: number;
  readonly sentAt: number | undefined;
  readonly failedAt: number | undefined;
  /** Why, of the newest that was given up. */
  readonly failure: string | undefined;
  /** Of the newest that is tried again. */
  readonly trouble: string | undefined;
}

interface Tokens {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
}
/** What an agent does now, under the names that Symphony gives it. */
export interface RunningEntry {
  readonly state: State;
  readonly worker_host: null;
  readonly workspace_path: null;
  readonly session_id: string | null;
  readonly turn_count: number;
  readonly last_event: string | null;
  readonly last_message: string | null;
  readonly started_at: string;
  readonly last_event_at: string | null;
  readonly tokens: Tokens;
}
export interface RetryEntry {
  readonly attempt: number;
  readonly due_at: string | null;
  readonly error: string | null;
  readonly worker_host: null;
  readonly workspace_path: null;
}
export interface BlockedEntry {
  readonly state: State;
  readonly error: string | null;
  readonly worker_host: null;
  readonly workspace_path: null;
  readonly session_id: string | null;
  readonly blocked_at: string;
  readonly last_event: string | null;
  readonly last_message: string | null;
  readonly last_event_at: string | null;
}
export interface Identified {
  readonly issue_id: TicketId;
  readonly issue_identifier: string;
  readonly issue_url: string | null;
}
export interface StateSummary {
  readonly generated_at: string;
  readonly counts: { readonly running: number; readonly retrying: number; readonly blocked: number };
  readonly running: readonly (Identified & RunningEntry)[];
  readonly retrying: readonly (Identified & RetryEntry)[];
  readonly blocked: readonly (Identified & BlockedEntry)[];
  /** Of agents that began since midnight UTC. */
  readonly codex_totals: Tokens & { readonly seconds_running: number };
  readonly rate_limits: null;
}
export interface IssueSummary {
  readonly issue_identifier: string;
  readonly issue_id: TicketId;
  readonly status: "running" | "retrying" | "blocked" | "waiting" | "done" | "cancelled";
  readonly workspace: { readonly path: null; readonly host: null };
  readonly attempts: { readonly restart_count: number; readonly current_retry_attempt: number };
  readonly running: RunningEntry | null;
  readonly retry: RetryEntry | null;
  readonly blocked: BlockedEntry | null;
  readonly logs: { readonly codex_session_logs: readonly never[] };
  readonly recent_events: readonly {
    readonly at: string;
    readonly event: string;
    readonly message: string;
  }[];
  readonly last_error: string | null;
  readonly tracked: {
    readonly state: State;
    readonly version: number;
    readonly pull: number | null;
    readonly waits_for: string | null;
  };
}

/** What the API shows besides what pages show. */
export interface ApiViews {
  /** Undefined when there is no such repository to list, or no such ticket to begin after. */
  tickets(viewer: Viewer, asked: TicketsAsked): Promise<TicketsPage | undefined>;
  /** Undefined when there is no such ticket or repository. */
  lines(viewer: Viewer, asked: LinesAsked): Promise<LinesPage | undefined>;
  /** The number of the newest line. */
  newestLine(): Promise<number>;
  /** Undefined for whoever is no operator: what is told there is about all repositories. */
  channels(viewer: Viewer): Promise<readonly ChannelView[] | undefined>;
  state(viewer: Viewer): Promise<StateSummary>;
  /** By any name that people use; undefined where none or several have it. */
  issue(viewer: Viewer, identifier: string): Promise<IssueSummary | undefined>;
}

export type ApiOrder =
  /** Upon this version of the ticket. */
  (OrderWords & { readonly order: OrderName; readonly seen: number }) | { readonly order: "halt" | "unhalt" };
export interface OrderAsked {
  /** By id, or by any name that people use. */
  readonly ticket: string;
  readonly wanted: ApiOrder;
  /** Under which it is given once, however often it is sent. */
  readonly key: string | undefined;
}
/** `nothing`: no operator halted it, so none lifts that. `reused`: the key was given with another order. */
export type OrderReply =
  | { readonly is: "taken"; readonly ticket: TicketId; readonly to: State }
  | Exclude<OrderAnswer, { readonly is: "taken" | "unknown" | "forbidden" }>
  | { readonly is: "nothing" | "forbidden" | "unknown" | "reused" };

export interface RunOrderAsked {
  readonly wanted: RunOrder;
  /** Under which it is given once, however often it is sent. */
  readonly key: string | undefined;
}
/** `reused`: the key was given with another order. `unsure`: it was begun under this key, and nobody knows how that ended. */
export type RunOrderReply = RunOrderAnswer | { readonly is: "reused" | "unsure" };

/** What the API takes besides what pages take. */
export interface ApiCommands {
  order(viewer: Viewer, asked: OrderAsked): Promise<OrderReply>;
  orderRun(viewer: Viewer, asked: RunOrderAsked): Promise<RunOrderReply>;
  /** Has what may have been missed looked for now; `underWay`: that was being done already. For whoever may act anywhere. */
  refresh(viewer: Viewer): Promise<"asked" | "underWay" | "forbidden">;
}
