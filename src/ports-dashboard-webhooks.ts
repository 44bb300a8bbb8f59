/** Everything that came in, and what became of it. */
import type { Done } from "./ports-dashboard-health.ts";
import type { Viewer } from "./ports-dashboard-viewer.ts";

export interface InboxRow {
  readonly seq: number;
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly action: string | undefined;
  /** A ticket or a number of a repository, as people name it. */
  readonly about: string | undefined;
  readonly ticket: string | undefined;
  readonly receivedAt: number;
  readonly state: string;
  /** Rows of the table that applied, why nothing changed, or what went wrong. */
  readonly note: string | undefined;
  /** From arrival until it was read. */
  readonly ms: number | undefined;
  readonly attempts: number;
  readonly dueAt: number | undefined;
}
export interface InboxAsk {
  readonly source: string | undefined;
  readonly name: string | undefined;
  readonly state: string | undefined;
  /** By any name people use. */
  readonly ticket: string | undefined;
  readonly before: number | undefined;
}
export interface InboxPage {
  readonly rows: readonly InboxRow[];
  /** So many were looked at for them. */
  readonly lookedAt: number;
  /** Where older ones begin; undefined at the end. */
  readonly next: number | undefined;
  readonly asked: InboxAsk;
  readonly now: number;
}
export interface InboxItem extends InboxRow {
  /** Pretty, without what looks like a secret, and cut. */
  readonly payload: string;
  readonly isCut: boolean;
  readonly length: number;
  readonly mayReread: boolean;
  readonly mayRedeliver: boolean;
  readonly now: number;
}
/** For operators alone: payloads are about repositories that others may not see. */
export interface WebhookViews {
  list(viewer: Viewer, asked: InboxAsk): Promise<InboxPage | undefined>;
  item(viewer: Viewer, id: string): Promise<InboxItem | "unknown" | undefined>;
}
export interface WebhookOrders {
  /** Has an item that was set aside read again. */
  reread(viewer: Viewer, id: string): Promise<Done>;
  /** Has GitHub deliver again; `refused` says what it answered. */
  redeliver(
    viewer: Viewer,
    guid: string,
  ): Promise<
    | { readonly is: "asked" | "forgotten" | "forbidden" | "impossible" }
    | { readonly is: "refused"; readonly why: string }
  >;
}
