/** The ledger, which doubles as the answer to who did what, from where. */
import type { Viewer } from "./ports-dashboard-viewer.ts";

/** Where somebody said it. */
export type Surface = "dashboard" | "command line" | "webhook" | "forgehand" | "API" | "chat";
export interface LedgerRow {
  readonly seq: number;
  readonly ticket: string;
  readonly ref: string;
  readonly at: number;
  readonly actor: string;
  readonly permission: string | undefined;
  readonly surface: Surface;
  readonly event: string;
  /** The row of the table that applied. */
  readonly row: string;
  readonly from: string;
  readonly to: string;
  readonly hash: string;
}
export interface LedgerAsk {
  /** By any name people use. */
  readonly ticket: string | undefined;
  readonly actor: string | undefined;
  /** A row of the table, or the type of an event. */
  readonly what: string | undefined;
  /** Days, as `2026-01-05`, in UTC. */
  readonly from: string | undefined;
  readonly until: string | undefined;
  readonly before: number | undefined;
}
export interface DeedRow {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly surface: string;
  readonly what: string;
  readonly about: string;
  readonly note: string;
}
/** How a verification stands, or how the last one ended. */
export interface Verification {
  readonly is: "under way" | "holds" | "broken" | "failed";
  readonly lines: number;
  /** Lines there were when it began. */
  readonly of: number;
  readonly by: string;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly faults: readonly { readonly seq: number; readonly why: string }[];
}
export interface LedgerPage {
  readonly rows: readonly LedgerRow[];
  /** So many lines were looked at for them. */
  readonly lookedAt: number;
  readonly next: number | undefined;
  readonly asked: LedgerAsk;
  /** Names a ticket that is not there, or a day that is none. */
  readonly wrong: string | undefined;
  readonly head: { readonly seq: number; readonly hash: string };
  readonly verification: Verification | undefined;
  readonly isOperator: boolean;
  readonly now: number;
}
export interface LedgerLine extends LedgerRow {
  readonly version: number;
  readonly eventId: string;
  /** Pretty JSON, without what looks like a secret. */
  readonly facts: string;
  readonly policy: string;
  readonly prev: string;
  readonly now: number;
}
export interface DeedsPage {
  readonly rows: readonly DeedRow[];
  readonly next: number | undefined;
  readonly now: number;
}
export interface LedgerViews {
  list(viewer: Viewer, asked: LedgerAsk): Promise<LedgerPage>;
  line(viewer: Viewer, seq: number): Promise<LedgerLine | undefined>;
  /** What was done to the host and to repositories; for operators alone. */
  deeds(viewer: Viewer, before: number | undefined): Promise<DeedsPage | undefined>;
  verification(viewer: Viewer): Promise<Verification | undefined>;
  /** Line by line, as `forgehand ledger export` writes it; for operators alone. */
  file(viewer: Viewer): AsyncIterable<string> | undefined;
}
export interface LedgerOrders {
  /** Begins to recompute everything; `under way` when somebody has begun already. */
  verify(viewer: Viewer): Promise<"begun" | "under way" | "forbidden">;
}
