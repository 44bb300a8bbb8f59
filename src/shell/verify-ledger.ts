import { newTicket, type Ticket, type TicketId } from "../state-machine/ticket.ts";
import { nameOf } from "../state-machine/table.ts";
import { transition } from "../state-machine/transition.ts";
import { genesis, hashOf, lineOf, type LineRow } from "../store/ledger.ts";
import type { Store } from "../store/store.ts";

/** One thing wrong with the ledger: at which line, and what. */
export interface Fault {
  readonly seq: number;
  readonly why: string;
}
export interface Verified {
  readonly lines: number;
  readonly tickets: number;
  readonly head: string;
  readonly faults: readonly Fault[];
}

/** Lines read at once: some ten milliseconds' work. */
const page = 250;
/** Tickets compared at once. */
const ticketsPerBreath = 100;
/** After this many, one more teaches nothing. */
const maxFaults = 20;

/**
 * Recomputes the chain and plays every event again through the table: each line must follow from the one before, and
 * the tickets that come out must be the tickets that are stored. `anchors` are heads that were written elsewhere (the
 * check run of each merge): a ledger that ends before one of them was shortened.
 * Whoever serves meanwhile is let through after each piece: `breathe` is told how many lines were looked at.
 */
export async function verifyLedger(
  store: Pick<Store, "rawLines" | "load" | "ticketsWithLines" | "isAskew">,
  anchors: readonly { readonly seq: number; readonly hash: string }[] = [],
  breathe: (lines: number) => Promise<void> = async () => undefined,
): Promise<Verified> {
  const faults: Fault[] = [];
  const tickets = new Map<TicketId, { ticket: Ticket; version: number; seq: number }>();
  const fault = (seq: number, why: string): void => {
    if (faults.length < maxFaults) faults.push({ seq, why });
  };
  let last = { seq: 0, hash: genesis };
  const goOn = async (breath: typeof breathe): Promise<void> => {
    for (;;) {
      const rows = await store.rawLines(last.seq, page);
      for (const row of rows) {
        checkChain(row, last, fault);
        replay(row, tickets, fault);
        if (anchors.some(({ seq, hash }) => seq === row.seq && hash !== row.hash))
          fault(row.seq, "its hash is not the one anchored outside the database");
        last = { seq: row.seq, hash: row.hash };
      }
      if (rows.length < page) return;
      await breath(last.seq);
    }
  };
  await goOn(breathe);
  for (const { seq } of anchors) {
    if (seq > last.seq)
      fault(last.seq + 1, `lines are missing at the end: line ${seq} is anchored outside the database`);
  }
  // What was written during a breath is replayed before the next tickets are compared with it.
  await checkTickets(store, tickets, fault, {
    end: () => last.seq,
    breathe: async () => {
      await breathe(last.seq);
      await goOn(async () => undefined);
    },
  });
  return { lines: last.seq, tickets: tickets.size, head: last.hash, faults };
}

type Report = (seq: number, why: string) => void;

function checkChain(
  row: LineRow,
  last: { readonly seq: number; readonly hash: string },
  fault: Report,
): void {
  if (row.seq !== last.seq + 1)
    fault(last.seq + 1, `line ${last.seq + 1} is missing: line ${row.seq} follows line ${last.seq}`);
  else if (row.prev !== last.hash) fault(row.seq, "it does not follow from the line before");
  if (hashOf(row) !== row.hash) fault(row.seq, "it was changed: its hash does not fit its contents");
}

function replay(
  row: LineRow,
  tickets: Map<TicketId, { ticket: Ticket; version: number; seq: number }>,
  fault: Report,
): void {
  let line;
  try {
    line = lineOf(row);
  } catch {
    fault(row.seq, "its event or policy is no JSON");
    return;
  }
  const known = tickets.get(line.ticket) ?? { ticket: newTicket(line.ticket), version: 0, seq: 0 };
  const outcome = transition(known.ticket, line.event, line.policy);
  if (outcome.row === undefined) {
    fault(row.seq, `no row takes ${line.event.type} in ${known.ticket.state}`);
    return;
  }
  if (nameOf(outcome.row) !== line.row)
    fault(row.seq, `the table answers "${nameOf(outcome.row)}", the line says "${line.row}"`);
  if (line.version !== known.version + 1)
    fault(row.seq, `it is line ${line.version} of its ticket, after line ${known.version}`);
  tickets.set(line.ticket, { ticket: outcome.ticket, version: line.version, seq: row.seq });
}

async function checkTickets(
  store: Pick<Store, "load" | "ticketsWithLines" | "isAskew">,
  replayed: ReadonlyMap<
    TicketId,
    { readonly ticket: Ticket; readonly version: number; readonly seq: number }
  >,
  fault: Report,
  { end: endNow, breathe }: { readonly end: () => number; readonly breathe: () => Promise<void> },
): Promise<void> {
  for (const [index, id] of (await store.ticketsWithLines()).entries()) {
    if (index % ticketsPerBreath === ticketsPerBreath - 1) await breathe();
    const end = endNow();
    const stored = await store.load(id);
    const again = replayed.get(id);
    if (stored === undefined) continue;
    if (again === undefined) {
      fault(
        end + 1,
        `lines are missing: ${id} is at version ${stored.version}, the ledger has no line of it`,
      );
    } else if (stored.version > again.version) {
      fault(
        end + 1,
        `lines are missing: ${id} is at version ${stored.version}, the ledger ends at ${again.version}`,
      );
    } else if (
      stored.version !== again.version ||
      canonical(stored.ticket) !== canonical(again.ticket) ||
      (await store.isAskew(again.ticket, again.version))
    ) {
      fault(again.seq, `${id} as stored is not what its lines come to`);
    }
  }
  for (const [index, [id, { seq }]] of [...replayed].entries()) {
    if (index % ticketsPerBreath === ticketsPerBreath - 1) await breathe();
    if ((await store.load(id)) === undefined) fault(seq, `${id} has lines but is not stored`);
  }
}

/** The same text for the same facts, in whatever order their names stand. */
const canonical = (ticket: Ticket): string =>
  JSON.stringify(ticket, (_name, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
