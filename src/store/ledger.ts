import { hash as digest } from "node:crypto";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Policy, State, TicketId } from "../state-machine/ticket.ts";
import { all, one, type Statement, type Verb } from "../sql.ts";

/** One line of the ledger: an event, the row that applied, and the hash that binds it to the line before. */
export interface Line {
  readonly seq: number;
  readonly ticket: TicketId;
  readonly version: number;
  readonly eventId: string;
  readonly at: number;
  /** Who or what: a login, `operator:<name>`, `schedule`, `run`, `github`. */
  readonly actor: string;
  /** The actor's on the repository, as the forge told it then; undefined where nobody's was asked for. */
  readonly permission?: string | undefined;
  readonly event: TicketEvent;
  readonly row: string;
  readonly from: State;
  readonly to: State;
  readonly policy: Policy;
  readonly prev: string;
  readonly hash: string;
}
export interface LineRow {
  readonly seq: number;
  readonly ticket: string;
  readonly version: number;
  readonly event_id: string;
  readonly at: number;
  readonly actor: string;
  readonly permission: string | null;
  readonly event: string;
  readonly row: string;
  readonly from_state: string;
  readonly to_state: string;
  readonly policy: string;
  readonly prev: string;
  readonly hash: string;
}
export interface NewLine extends Omit<Line, "seq" | "policy" | "prev" | "hash"> {
  /** As JSON, and its number as `policyNumber` gave it. */
  readonly policy: { readonly body: string; readonly number: number };
}

/** The hash before the first line. */
export const genesis = "0".repeat(64);

/** Binds every column of a line, as stored, to the line before. */
export function hashOf(row: Omit<LineRow, "hash">): string {
  const bound = JSON.stringify([
    row.seq,
    row.ticket,
    row.version,
    row.event_id,
    row.at,
    row.actor,
    row.permission,
    row.event,
    row.row,
    row.from_state,
    row.to_state,
    row.policy,
    row.prev,
  ]);
  return digest("sha256", bound, "hex");
}

/** The number of what the machine goes by; kept when nobody went by it before. */
export function* policyNumber(body: string): Verb<number> {
  const [made] = yield* all<{ readonly id: number }>(
    "insert into policy (body) values (?) returning id",
    body,
  );
  if (made === undefined) throw new Error("no number for a policy");
  return made.id;
}

/** The newest line. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}
export function* ledgerHead(): Verb<Head> {
  return (
    (yield* one<Head>("select seq, hash from ledger order by seq desc limit 1")) ?? {
      seq: 0,
      hash: genesis,
    }
  );
}

/** Writes a line under the newest, with the number after its. */
export function lineUnder(head: Head, line: NewLine): Statement {
  const seq = head.seq + 1;
  const event = JSON.stringify(line.event);
  const permission = line.permission ?? null;
  const hash = hashOf({
    seq,
    ticket: line.ticket,
    version: line.version,
    event_id: line.eventId,
    at: line.at,
    actor: line.actor,
    permission,
    event,
    row: line.row,
    from_state: line.from,
    to_state: line.to,
    policy: line.policy.body,
    prev: head.hash,
  });
  return {
    sql: "insert into ledger (seq, ticket, version, event_id, at, actor, permission, event, row, from_state, to_state, policy, hash) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    args: [
      seq,
      line.ticket,
      line.version,
      line.eventId,
      line.at,
      line.actor,
      permission,
      event,
      line.row,
      line.from,
      line.to,
      line.policy.number,
      hash,
    ],
  };
}

export function lineOf(row: LineRow): Line {
  return {
    seq: row.seq,
    ticket: row.ticket,
    version: row.version,
    eventId: row.event_id,
    at: row.at,
    actor: row.actor,
    permission: row.permission ?? undefined,
    event: JSON.parse(row.event) as TicketEvent,
    row: row.row,
    from: row.from_state as State,
    to: row.to_state as State,
    policy: JSON.parse(row.policy) as Policy,
    prev: row.prev,
    hash: row.hash,
  };
}

/** The types of the events that a ticket has taken under this beginning of their names. */
export function* takenUnder(ticket: TicketId, prefix: string): Verb<readonly TicketEvent["type"][]> {
  const rows = yield* all<{ type: TicketEvent["type"] }>(
    "select event ->> 'type' as type from ledger where ticket = ? and substr(event_id, 1, length(?)) = ?",
    ticket,
    prefix,
    prefix,
  );
  return rows.map(({ type }) => type);
}

/** Every line of a ticket, oldest first. */
export function* linesOf(ticket: TicketId): Verb<readonly Line[]> {
  const rows = yield* all<LineRow>("select * from line where ticket = ? order by version", ticket);
  return rows.map(lineOf);
}

/** Lines after this one as they are stored, for verification in pages. */
export function* rawLines(after: number, limit: number): Verb<readonly LineRow[]> {
  return yield* all<LineRow>("select * from line where seq > ? order by seq limit ?", after, limit);
}
