/** What the page of costs shows. */
import type { Viewer } from "./ports-dashboard-viewer.ts";

export const costKeys = [
  "day",
  "tenant",
  "repo",
  "runtime",
  "model",
  "label",
  "requester",
  "ticket",
] as const;
/** What costs are summed by. A ticket with several labels stands under each of them. */
export type CostBy = (typeof costKeys)[number];
export interface CostsAsked {
  readonly by: CostBy;
  /** Who the bars of a day are made of. */
  readonly stack: "runtime" | "model";
  /** The first day, in milliseconds since 1970. */
  readonly since: number;
  readonly limit?: number | undefined;
}
export interface CostRow {
  /** `2026-01-05` of a day; empty where there is no such thing: no label, no model. */
  readonly name: string;
  readonly usd: number;
  /** Of these, at a price that nobody told. */
  readonly guessedUsd: number;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** Invocations of an agent. */
  readonly sessions: number;
  /** Those that ended without what they were for, and what these cost. */
  readonly failed: number;
  readonly failedUsd: number;
}
/** A day, and what each part of the stack cost on it, in the order of `parts`. */
export interface CostDay {
  readonly day: string;
  readonly usd: number;
  readonly parts: readonly number[];
}
export interface Projected {
  readonly usd: number;
  /** If it goes on so; undefined as long as nobody can say. */
  readonly projectedUsd: number | undefined;
}
export interface CostsView extends Pick<CostsAsked, "by" | "stack"> {
  /** First and last day. */
  readonly from: string;
  readonly to: string;
  readonly rows: readonly CostRow[];
  /** There are more than these. */
  readonly isCut: boolean;
  readonly total: CostRow;
  /** Runtimes or models, the dearest first. */
  readonly parts: readonly string[];
  /** Every day from first to last. */
  readonly days: readonly CostDay[];
  /** Tickets that were merged in this time. */
  readonly merged: number;
  /** Everything that was spent, for each of them. */
  readonly usdPerMerged: number | undefined;
  readonly usdPerFailed: number | undefined;
  /** Of the input tokens those that came from a cache, from 0 to 1. */
  readonly cachedShare: number | undefined;
  readonly today: Projected;
  readonly month: Projected;
  /** Of a day of this host; undefined for those who do not see everything. */
  readonly caps: { readonly warnUsd: number; readonly stopUsd: number } | undefined;
  readonly now: number;
}
export interface CostsViews {
  costs(viewer: Viewer, asked: CostsAsked): Promise<CostsView>;
}
