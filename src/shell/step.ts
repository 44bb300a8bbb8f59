import { nameOf, table } from "../state-machine/table.ts";
import type { State } from "../state-machine/ticket.ts";
import { transition } from "../state-machine/transition.ts";
import type { Store } from "../store/store.ts";
import type { Order } from "../store/steps.ts";

export interface Stepped {
  /** The name of the row that applied; undefined when the event changed nothing. */
  readonly row: string | undefined;
  /** The row in plain words. */
  readonly why: string;
  readonly from: State;
  readonly to: State;
}

const names = new Map(table.map((row) => [row, nameOf(row)]));

/** Takes one event, in one transaction with what the table says of it. */
export async function step(store: Store, order: Order): Promise<Stepped> {
  const { before, decided } = await store.commit(order, (ticket) => {
    const { ticket: after, effects, row } = transition(ticket, order.event, order.policy);
    return row && { after, effects, row: names.get(row) ?? nameOf(row), why: row.why };
  });
  const from = before.state;
  if (decided === undefined) return { row: undefined, why: "", from, to: from };
  return { row: decided.row, why: decided.why, from, to: decided.after.state };
}
