/** What stands around fresh rows: what a span of theirs hangs on. */
import { all, type Verb } from "../sql.ts";
import { ticketOfRun } from "../state-machine/ticket.ts";
import { lineColumns, type Fresh, type FreshLine } from "./follow.ts";

/** An item of the inbox that a line came of. */
export interface Cause {
  readonly seq: number;
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly action: string | null;
  readonly state: string;
  readonly receivedAt: number;
  readonly readAt: number | null;
}
export interface AttemptBrief {
  readonly seq: number;
  readonly run: string;
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly status: string;
  readonly cut: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
}
export interface Surroundings {
  /** Every line of the tickets that anything fresh is about, by ticket and in order. */
  readonly lines: readonly FreshLine[];
  readonly causes: readonly Cause[];
  /** Of runs that settled, and of those that agents worked for. */
  readonly attempts: readonly AttemptBrief[];
  /** When those runs were written that agents worked for. */
  readonly began: readonly { readonly id: string; readonly createdAt: number }[];
  /** What tickets are called. */
  readonly refs: readonly { readonly id: string; readonly ref: string }[];
}

/** The item that an event of this ticket was read in; undefined where the event has an id of its own. */
export function causeIdOf({ eventId, ticket }: Pick<FreshLine, "eventId" | "ticket">): string | undefined {
  const at = eventId.indexOf(`#${ticket}#`);
  return at < 0 ? undefined : eventId.slice(0, at);
}

export function* surroundings({ lines, effects, sessions, runs }: Fresh): Verb<Surroundings> {
  const tickets = new Set(
    [...lines, ...effects, ...sessions]
      .map(({ ticket }) => ticket)
      .concat(runs.map(({ id }) => ticketOfRun(id))),
  );
  const wanted = JSON.stringify([...tickets]);
  const found = yield* all<FreshLine>(
    `select ${lineColumns} from ledger where ticket in (select value from json_each(?)) order by ticket, seq`,
    wanted,
  );
  // Of all their lines: what caused the first one tells when a trace began.
  const causes = new Set(found.flatMap((line) => causeIdOf(line) ?? []));
  return {
    lines: found,
    causes: yield* all<Cause>(
      `select seq, id, source, name, action, state, received_at as receivedAt, read_at as readAt from inbox
         where id in (select value from json_each(?))`,
      JSON.stringify([...causes]),
    ),
    attempts: yield* all<AttemptBrief>(
      `select seq, run, leaf, iteration, attempt, status, cut, started_at as startedAt, ended_at as endedAt from attempt
         where run in (select value from json_each(?)) order by seq`,
      JSON.stringify([...new Set([...runs.map(({ id }) => id), ...sessions.map(({ run }) => run)])]),
    ),
    began: yield* all<{ id: string; createdAt: number }>(
      "select id, created_at as createdAt from run where id in (select value from json_each(?))",
      JSON.stringify([...new Set(sessions.map(({ run }) => run))]),
    ),
    refs: yield* all<{ id: string; ref: string }>(
      "select id, ref from ticket where id in (select value from json_each(?))",
      wanted,
    ),
  };
}
