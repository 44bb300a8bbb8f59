import { words, type Effect, type Maker, type Word } from "./effect.ts";
import type { EventType, TicketEvent } from "./event.ts";
import { guards, type Guard } from "./guard.ts";
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
    const found = rowFor(byEvent, ticket, event, policy);
    return found === undefined ? { ticket, effects: [], row: undefined } : apply(found, ticket, event);
  };
}

function rowFor(byEvent: Index, ticket: Ticket, event: TicketEvent, policy: Policy): Looked | undefined {
  // A report of a run that is no longer the ticket's changes nothing, whatever it says.
  if ("run" in event && event.run !== ticket.run) return undefined;
  return byEvent
    .get(event.type)
    ?.get(ticket.state)
    ?.find(({ when }) => when.every((holds) => holds(ticket, event, policy)));
}

/** What one row makes of a ticket and an event. */
function apply({ row, makes, starts }: Looked, ticket: Ticket, event: TicketEvent): Outcome {
  const learned = learn(ticket, event, row.to === "same" ? ticket.state : row.to);
  const left = learned.state === ticket.state ? learned : { ...learned, run: undefined };
  const after = starts ? withRun(left) : left;
  const moment = { before: ticket, after, event };
  const effects: Effect[] = [...held(ticket, after)];
  for (const make of makes) effects.push(...make(moment));
  return { ticket: after, effects, row };
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

/** A row with what its words stand for: every event asks. */
interface Looked {
  readonly row: Row;
  readonly when: readonly Guard[];
  readonly makes: readonly Maker[];
  readonly starts: boolean;
}
type Index = ReadonlyMap<EventType, ReadonlyMap<State, readonly Looked[]>>;

function indexed(rows: readonly Row[]): Index {
  const index = new Map<EventType, Map<State, Looked[]>>();
  for (const row of rows) {
    const looked: Looked = {
      row,
      when: row.when.map((name) => guards[name]),
      makes: row.do.map((word) => words[word]),
      starts: row.do.some((word) => starters.has(word)),
    };
    const byState = index.get(row.on) ?? new Map<State, Looked[]>();
    index.set(row.on, byState);
    for (const state of statesOf(row)) byState.set(state, [...(byState.get(state) ?? []), looked]);
  }
  return index;
}
