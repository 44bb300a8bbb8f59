import { words, type Effect, type Word } from "./effect.ts";
import type { EventType, TicketEvent } from "./event.ts";
import { guards } from "./guard.ts";
import { learn } from "./learn.ts";
import { statesOf, table, type Row } from "./table.ts";
import type { Policy, State, Ticket } from "./ticket.ts";

export interface Outcome {
  readonly ticket: Ticket;
  readonly effects: readonly Effect[];
  /** The row that applied; undefined when the event changes nothing. */
  readonly row: Row | undefined;
}
export type Transition = (ticket: Ticket, event: TicketEvent, policy: Policy) => Outcome;

/** The words that start a run. */
const starters: ReadonlySet<Word> = new Set<Word>(["gate", "build", "review"]);

/** What the table says about an event: the ticket afterwards and what is to be done. Pure. */
export const transition: Transition = transitionOf(table);

/** The same for any table, so that a play can change one. */
export function transitionOf(rows: readonly Row[]): Transition {
  const byEvent = indexed(rows);
  return (ticket, event, policy) => {
    const row = rowFor(byEvent, ticket, event, policy);
    return row === undefined ? { ticket, effects: [], row } : apply(row, ticket, event);
  };
}

function rowFor(byEvent: Index, ticket: Ticket, event: TicketEvent, policy: Policy): Row | undefined {
  // A report of a run that is no longer the ticket's changes nothing, whatever it says.
  if ("run" in event && event.run !== ticket.run) return undefined;
  return byEvent
    .get(event.type)
    ?.get(ticket.state)
    ?.find((row) => row.when.every((name) => guards[name](ticket, event, policy)));
}

/** What one row makes of a ticket and an event. */
function apply(row: Row, ticket: Ticket, event: TicketEvent): Outcome {
  const learned = learn(ticket, event, row.to === "same" ? ticket.state : row.to);
  const left = learned.state === ticket.state ? learned : { ...learned, run: undefined };
  const after = row.do.some((word) => starters.has(word)) ? withRun(left) : left;
  const moment = { before: ticket, after, event };
  return {
    ticket: after,
    effects: [...held(ticket, after), ...row.do.flatMap((word) => words[word](moment))],
    row,
  };
}

/** The run that was put aside goes on; otherwise a new one begins. */
function withRun(ticket: Ticket): Ticket {
  if (ticket.aside !== undefined) return { ...ticket, run: ticket.aside, aside: undefined };
  const runs = ticket.runs + 1;
  return { ...ticket, runs, run: `${ticket.id}/${runs}` };
}

/** A run is held when it is put aside, and ended once nothing can go on with it any more, whatever the row says. */
function held(before: Ticket, after: Ticket): readonly Effect[] {
  if (before.aside === after.aside) return [];
  if (after.aside !== undefined) return [{ type: "run.hold", run: after.aside }];
  return before.aside === undefined || before.aside === after.run
    ? []
    : [{ type: "run.stop", run: before.aside }];
}

type Index = ReadonlyMap<EventType, ReadonlyMap<State, readonly Row[]>>;

function indexed(rows: readonly Row[]): Index {
  const index = new Map<EventType, Map<State, Row[]>>();
  for (const row of rows) {
    const byState = index.get(row.on) ?? new Map<State, Row[]>();
    index.set(row.on, byState);
    for (const state of statesOf(row)) byState.set(state, [...(byState.get(state) ?? []), row]);
  }
  return index;
}
