/** Log lines about a run of a ticket name the ticket, and its trace while traces are on. */
import type { Logger } from "pino";
import { ticketOfRun } from "./state-machine/ticket.ts";

/** `github:77#42/3`, `linear:…/…/3`: what else is a run (a workflow of a folder) is of no ticket. */
const runOfTicket = /^(?:github:\d+#\d+|local:\d+#\d+|linear:[^/]+\/[^/]+)\/\d+$/u;

/** The same logger: whoever writes `run` or `ticket` need not say the rest. */
export function aboutTickets(log: Logger, traceOf: (ticket: string) => string | undefined): Logger {
  return log.child({}, { formatters: { log: (fields) => withTicket(fields, traceOf) } });
}

function withTicket(given: object, traceOf: (ticket: string) => string | undefined): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...given };
  const { run, ticket: named } = fields;
  const ticket =
    typeof named === "string"
      ? named
      : typeof run === "string" && runOfTicket.test(run)
        ? ticketOfRun(run)
        : undefined;
  if (ticket === undefined) return fields;
  // Effects that belong to no ticket go by the name of their lane.
  const trace = runOfTicket.test(`${ticket}/1`) ? traceOf(ticket) : undefined;
  return { ...fields, ticket, ...(trace === undefined ? {} : { trace_id: trace }) };
}
