import type { TicketEvent } from "../state-machine/event.ts";
import { nameOf } from "../state-machine/table.ts";
import type { Policy, State, TicketId } from "../state-machine/ticket.ts";
import { transition } from "../state-machine/transition.ts";
import type { Caps } from "../store/reservations.ts";
import type { Store } from "../store/store.ts";

export interface Stepped {
  /** The name of the row that applied; undefined when the event changed nothing. */
  readonly row: string | undefined;
  /** The row in plain words. */
  readonly why: string;
  readonly from: State;
  readonly to: State;
}
export interface StepOrder {
  readonly ticket: TicketId;
  readonly event: TicketEvent;
  /** Names this event for ever: taking it twice changes nothing. */
  readonly eventId: string;
  readonly actor: string;
  readonly permission?: string | undefined;
  readonly policy: Policy;
  readonly caps: Caps;
  readonly runLimitMs: number;
  readonly now: number;
}

/** How often a ticket may move under our hands before we call it a bug. */
const maxTries = 50;

/** Takes one event: decides, commits if nobody came between, decides again otherwise. */
export async function step(store: Store, order: StepOrder): Promise<Stepped> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const stored = await store.loadState(order.ticket);
    if (stored === undefined) throw new Error(`${order.ticket} has no name yet`);
    const before = stored.ticket;
    const { ticket: after, effects, row } = transition(before, order.event, order.policy);
    if (row === undefined) return { row: undefined, why: "", from: before.state, to: before.state };
    const saved = await store.commit({
      ...order,
      expected: stored.version,
      repo: stored.repo,
      before,
      after,
      effects,
      row: nameOf(row),
    });
    if (saved === "saved") return { row: nameOf(row), why: row.why, from: before.state, to: after.state };
    if (saved === "repeat") return { row: undefined, why: "", from: before.state, to: before.state };
  }
  throw new Error(`${order.ticket} moved ${maxTries} times while one event was decided`);
}
