import type { TicketEvent } from "../state-machine/event.ts";
import type { Say } from "../webhooks/heard.ts";
import type { TicketId } from "../state-machine/ticket.ts";

/** An event about a ticket, who is behind it, and what names it for ever. */
export interface Said {
  readonly ticket: TicketId;
  readonly event: TicketEvent;
  readonly actor: string;
  /** The actor's, where it was read. */
  readonly permission?: string | undefined;
  /** Names the event where the same fact may be learned twice; else the item and its place in it do. */
  readonly id?: string;
}
/** What a look found that nobody told us of. */
export interface Hint {
  readonly says: Say;
  readonly by: string;
  /** A person where left out. */
  readonly kind?: "bot" | "person";
  readonly on: "issue" | "pull";
}
/** What an item came to: events to step, or why there are none. */
export type Read = { readonly said: readonly Said[]; readonly note?: string } | { readonly ignored: string };
