/** The page on the health of the whole host, and what an operator does there. */
import type { DiskUse, LoopStanding, RateBudget, RuntimeSeen, UpdateSeen } from "./ports-host.ts";
import type { Viewer } from "./ports-dashboard-viewer.ts";

/** A runtime that is left out because it could not work. */
export interface BreakerView {
  readonly runtime: string;
  readonly code: string;
  readonly why: string;
  readonly failures: number;
  readonly since: number;
  /** Until then; one that has passed counts again, and is told until it worked. */
  readonly until: number;
  readonly isOpen: boolean;
}
/** An effect or an item of the inbox that is tried again later. */
export interface RetryView {
  readonly is: "effect" | "item";
  /** Names it to `try now`. */
  readonly key: string;
  readonly name: string;
  /** The ticket, or the lane of what has none. */
  readonly about: string;
  readonly ticket: string | undefined;
  readonly attempts: number;
  /** It waits for the world, and not after trouble. */
  readonly isWaiting: boolean;
  readonly why: string;
  readonly dueAt: number;
}
export interface WorkView {
  readonly run: string;
  readonly ticket: string;
  readonly ref: string;
  readonly workflow: string;
  readonly role: string | undefined;
  readonly runtime: string | undefined;
  readonly since: number;
  readonly heartbeatAt: number;
  /** Undefined before the first output of its agent, and where none is at work. */
  readonly outputAt: number | undefined;
  /** No output of its agent for longer than five minutes. */
  readonly isSilent: boolean;
}
export interface PurseView {
  readonly name: string;
  readonly spentUsd: number;
  readonly reservedUsd: number;
  readonly capUsd: number | undefined;
}
/** How it stands with a place that people are told at. */
export interface ChannelHealth {
  readonly id: string;
  /** Its name and service. */
  readonly label: string;
  readonly waiting: number;
  readonly sentAt: number | undefined;
  readonly failedAt: number | undefined;
  /** What the next try meets, or what ended the last one that failed for good after the last success. */
  readonly trouble: string | undefined;
}
export interface HaltView {
  readonly what: string;
  readonly by: string;
  readonly at: number;
}
export interface HealthView {
  readonly now: number;
  readonly version: string | undefined;
  readonly startedAt: number | undefined;
  readonly lease: { readonly pid: number; readonly host: string; readonly since: number } | undefined;
  readonly halts: readonly HaltView[];
  readonly isHalted: boolean;
  readonly breakers: readonly BreakerView[];
  /** Tickets that stand still until a person acts. */
  readonly blocked: readonly { readonly id: string; readonly ref: string; readonly since: number }[];
  readonly blockedCount: number;
  readonly retries: readonly RetryView[];
  /** There are more. */
  readonly moreRetries: boolean;
  readonly work: readonly WorkView[];
  readonly slots: { readonly used: number; readonly of: number; readonly waiting: number };
  readonly day: {
    readonly host: PurseView;
    /** What the settings say, and who set today's otherwise. */
    readonly namedUsd: number;
    readonly raised: { readonly by: string; readonly at: number } | undefined;
    readonly warnUsd: number;
    readonly others: readonly PurseView[];
    readonly endsAt: number;
  };
  readonly budgets: readonly RateBudget[];
  readonly prices: { readonly table: string; readonly ageDays: number; readonly own: number } | undefined;
  /** Undefined while they are asked for the first time. */
  readonly runtimes: readonly RuntimeSeen[] | undefined;
  /** Each that FORGEHAND_NOTIFY names. */
  readonly channels: readonly ChannelHealth[];
  readonly feed: string | undefined;
  readonly heard: readonly { readonly source: string; readonly name: string; readonly at: number }[];
  /** How far GitHub's own log of deliveries was read. */
  readonly walkedAt: number | undefined;
  /** Undefined while it is measured for the first time. */
  readonly disk: DiskUse | undefined;
  readonly loops: readonly LoopStanding[];
  readonly update: UpdateSeen | undefined;
}
export interface HealthViews {
  /** Undefined for whoever is no operator: it is about all repositories at once. */
  view(viewer: Viewer): Promise<HealthView | undefined>;
}
/** `nothing`: it is not there any more, so somebody else was faster. */
export type Done = "done" | "nothing" | "forbidden";
export interface HealthOrders {
  /** Lets a runtime work again at once. */
  resetBreaker(viewer: Viewer, runtime: string): Promise<Done>;
  /** Tries what waits now: a key of a `RetryView`. */
  tryNow(viewer: Viewer, key: string): Promise<Done>;
  /** What everything may cost today, and today only. `stale`: the cap is another than was seen. */
  capDay(viewer: Viewer, usd: number, seenUsd: number): Promise<"done" | "stale" | "absurd" | "forbidden">;
}
/** The most that a day may be set to cost, in dollars. */
export const mostDayUsd = 100_000;
