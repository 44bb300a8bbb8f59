import type { TicketId } from "../state-machine/ticket.ts";
import { all, run, type Verb } from "../sql.ts";
import { receive, type NewItem } from "./inbox.ts";

/**
 * What a ticket waits for. `declined`: closed without being done. `unseen`: deleted, or where the App is not installed.
 * `circular`: it waits for this ticket.
 */
export interface Blocker {
  /** `owner/repo#7` */
  readonly ref: string;
  readonly is: "open" | "declined" | "unseen" | "circular";
}
export interface Blocked {
  /** The ticket's version and the instant at which that was found. */
  readonly version: number;
  readonly at: number;
  readonly by: readonly Blocker[];
}

/**
 * Keeps what was found of one ticket in place of what was known; nothing when nothing blocks it. With it goes the item that
 * has it told: kept without it, it would be old news after a crash, and told nobody.
 */
export function* keepBlockers(ticket: TicketId, { version, at, by }: Blocked, news?: NewItem): Verb<void> {
  yield* run("delete from blocker where ticket = ?", ticket);
  for (const { ref, is } of by)
    yield* run(
      'insert into blocker (ticket, ref, "is", version, at) values (?, ?, ?, ?, ?)',
      ticket,
      ref,
      is,
      version,
      at,
    );
  if (news !== undefined) yield* receive(news);
}

/** Every blocked ticket, with what blocks it, sorted by name. */
export function* blockedTickets(): Verb<ReadonlyMap<TicketId, Blocked>> {
  const rows = yield* all<{ ticket: string; ref: string; is: Blocker["is"]; version: number; at: number }>(
    'select ticket, ref, "is", version, at from blocker order by ticket, ref',
  );
  const found = new Map<TicketId, Blocked>();
  for (const { ticket, ref, is, version, at } of rows)
    found.set(ticket, { version, at, by: [...(found.get(ticket)?.by ?? []), { ref, is }] });
  return found;
}

/** This issue has changed: who waits for it is asked about anew. */
export function* doubtBlocker(ref: string): Verb<void> {
  yield* run("update blocker set at = 0 where lower(ref) = lower(?)", ref);
}
