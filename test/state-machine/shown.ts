/** What of a ticket its workpad and its check show: whatever changes it has to be told there. */
import { sets } from "../../src/state-machine/table.ts";
import type { State, Ticket } from "../../src/state-machine/ticket.ts";

const facts = (ticket: Ticket): string =>
  [
    ticket.head,
    ticket.pull,
    ticket.approved,
    ticket.autoMerge,
    ticket.checks,
    ticket.spec,
    ticket.reviewed,
    ticket.needsPerson,
  ].join();
export const workpadOf = (ticket: Ticket): string =>
  [
    facts(ticket),
    ticket.state,
    ticket.held,
    ticket.halted,
    ticket.runtime,
    ticket.stoppedIn,
    ticket.upon?.head,
    ...Object.values(ticket.counters),
  ].join();
const seat: Partial<Record<State, string>> = {
  Ready: "queue",
  Gate: "queue",
  Backlog: "queue",
  Rework: "work",
  "In Progress": "work",
};
export const checkOf = (ticket: Ticket): string =>
  [
    seat[ticket.state] ?? ticket.state,
    sets.judged.some((state) => state === ticket.state) ? ticket.upon?.head : undefined,
    ticket.head,
    ticket.approved,
    ticket.autoMerge,
    ticket.checks,
    ticket.spec,
    ticket.reviewed,
    ticket.needsPerson,
  ].join();
