import type { TicketEvent } from "../../src/state-machine/event.ts";
import { statesOf, type Row } from "../../src/state-machine/table.ts";
import { states, type Policy, type Ticket } from "../../src/state-machine/ticket.ts";
import { transitionOf, type Transition } from "../../src/state-machine/transition.ts";
import { alphabet, canonical, first, keyOf } from "./alphabet.ts";
import { broken } from "./claims.ts";

interface Place {
  readonly ticket: Ticket;
  /** How the play came here: undefined for the first ticket. */
  readonly from: { readonly place: number; readonly event: TicketEvent } | undefined;
  /** Where it can go. */
  readonly next: readonly number[];
}
export interface Played {
  readonly places: readonly Place[];
  readonly transitions: number;
  readonly used: ReadonlySet<Row>;
  /** The first claim that broke, and the step that broke it. */
  readonly broken: string | undefined;
}

function judge(transition: Transition, before: Ticket, event: TicketEvent, policy: Policy) {
  const outcome = transition(before, event, policy);
  return { outcome, broken: broken({ before, event, outcome, after: outcome.ticket, policy, transition }) };
}

/** Plays every event on every ticket that can be reached, until a claim breaks. */
export function play(rows: readonly Row[], policy: Policy, events = alphabet): Played {
  const transition = transitionOf(rows);
  const places: (Place & { next: number[] })[] = [{ ticket: first, from: undefined, next: [] }];
  const known = new Map([[keyOf(first), 0]]);
  const used = new Set<Row>();
  let transitions = 0;
  for (let place = 0; place < places.length; place += 1) {
    const here = places[place];
    if (here === undefined) break;
    for (const event of events) {
      const step = judge(transition, here.ticket, event, policy);
      transitions += 1;
      if (step.broken !== undefined)
        return {
          places,
          transitions,
          used,
          broken: `${step.broken}: ${JSON.stringify({ before: here.ticket, event, ...step.outcome })}`,
        };
      const { row, ticket } = step.outcome;
      if (row === undefined) continue;
      used.add(row);
      const reached = canonical(ticket);
      const key = keyOf(reached);
      const to = known.get(key) ?? places.push({ ticket: reached, from: { place, event }, next: [] }) - 1;
      known.set(key, to);
      if (!here.next.includes(to)) here.next.push(to);
    }
  }
  return { places, transitions, used, broken: undefined };
}

/** The places from which one that is wanted can still be reached. */
export function leadingTo(
  places: readonly Place[],
  wanted: (ticket: Ticket) => boolean,
): ReadonlySet<number> {
  const back = places.map((): number[] => []);
  for (const [from, { next }] of places.entries()) for (const to of next) back[to]?.push(from);
  const found = places.flatMap(({ ticket }, index) => (wanted(ticket) ? [index] : []));
  const reached = new Set(found);
  for (const place of found) {
    for (const from of back[place] ?? []) {
      if (!reached.has(from)) found.push(from);
      reached.add(from);
    }
  }
  return reached;
}

export interface Mutant {
  readonly name: string;
  readonly row: Row;
  readonly rows: readonly Row[];
}

/** Every table that differs by one row, guard, word or target. */
export function mutantsOf(rows: readonly Row[], nameOf: (row: Row) => string): readonly Mutant[] {
  return rows.flatMap((row, index) => {
    const withRow = (kind: string, changed: readonly Row[]): Mutant => ({
      name: `${kind}: ${nameOf(row)}`,
      row,
      rows: rows.toSpliced(index, 1, ...changed),
    });
    const targets = [...states, "same" as const].filter(
      (to) =>
        to !== row.to &&
        !(
          statesOf(row).length === 1 &&
          [row.to, statesOf(row)[0]].every((one) => one === to || one === "same")
        ),
    );
    return [
      withRow("without the row", []),
      ...row.when.map((guard) =>
        withRow(`without ${guard}`, [{ ...row, when: row.when.filter((name) => name !== guard) }]),
      ),
      ...row.do.map((word) =>
        withRow(`without ${word}`, [{ ...row, do: row.do.filter((name) => name !== word) }]),
      ),
      ...targets.map((to) => withRow(`to ${to}`, [{ ...row, to }])),
    ];
  });
}

/**
 * Whether the play fails on a mutant. A mutant differs from the table only in steps of its row's event, so those are
 * tried first, on the tickets the table reaches; one that breaks a claim counts when the mutant reaches it as well.
 */
export function dies({ row, rows }: Mutant, original: Played, policy: Policy): boolean {
  const transition = transitionOf(rows);
  const events = alphabet.filter((event) => event.type === row.on);
  for (const place of original.places.keys()) {
    const ticket = original.places[place]?.ticket;
    if (ticket === undefined || !statesOf(row).includes(ticket.state)) continue;
    for (const event of events) {
      if (
        judge(transition, ticket, event, policy).broken !== undefined &&
        comesTo(place, original, transition, policy)
      )
        return true;
    }
  }
  return fails(rows, policy);
}

/** Walks the way the table took: the mutant either gets there too or breaks a claim on it. */
function comesTo(place: number, { places }: Played, transition: Transition, policy: Policy): boolean {
  const way: TicketEvent[] = [];
  let at = places[place];
  const goal = at?.ticket;
  while (at?.from !== undefined) {
    way.unshift(at.from.event);
    at = places[at.from.place];
  }
  let ticket = first;
  for (const event of way) {
    const step = judge(transition, ticket, event, policy);
    if (step.broken !== undefined) return true;
    ticket = canonical(step.outcome.ticket);
  }
  return goal !== undefined && keyOf(ticket) === keyOf(goal);
}

/** The whole play with its claims about the table as such. */
function fails(rows: readonly Row[], policy: Policy): boolean {
  const played = play(rows, policy);
  if (played.broken !== undefined || played.used.size < rows.length) return true;
  const merging = leadingTo(played.places, ({ state }) => state === "Merging");
  return played.places.some(
    ({ ticket }, index) => !["Done", "Cancelled"].includes(ticket.state) && !merging.has(index),
  );
}
