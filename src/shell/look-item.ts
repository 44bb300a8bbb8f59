import type { NewItem } from "../store/inbox.ts";
import type { TicketId } from "../state-machine/ticket.ts";

/** What a look is asked to leave out. `unchanged`: the tracker was asked for what changed, and this was not among it. */
export interface LookBody {
  readonly issue?: "unchanged";
}

/** Asks the intake for a look at a ticket, once for each cause. */
export const lookItem = (ticket: TicketId, cause: string, at: number, body: LookBody = {}): NewItem => ({
  id: `look:${ticket}:${cause}`,
  source: "reconcile",
  name: "look",
  ticket,
  body: JSON.stringify(body),
  receivedAt: at,
});
