import type { State, TicketId } from "../state-machine/ticket.ts";
import { all, type Verb } from "../sql.ts";

/** A ticket as a search tells it. */
export interface Found {
  readonly id: TicketId;
  readonly ref: string;
  readonly title: string;
  readonly state: State;
}
/** As many as somebody reads in a list that opens under what they type. */
const mostFound = 20;
/** Of those that are over, only so many of the newest are looked at: the search is of names, not an archive. */
const mostOver = 5_000;

/** Tickets whose name or title has all of these words, open ones first, then newest; of these repositories or of all. */
export function* searchTickets(words: string, repos?: readonly number[]): Verb<readonly Found[]> {
  const wanted = words.toLowerCase().split(/\s+/u).filter(Boolean).slice(0, 8);
  const has = wanted.map(() => "instr(lower(ref || ' ' || title), ?) > 0").join(" and ") || "true";
  const seen = repos === undefined ? "true" : "repo in (select value from json_each(?))";
  const args = [...wanted, ...(repos === undefined ? [] : [JSON.stringify(repos)])];
  const open = yield* all<Found>(
    `select id, ref, title, state from ticket where active is not null and ${has} and ${seen} order by updated_at desc limit ?`,
    ...args,
    mostFound,
  );
  if (open.length === mostFound) return open;
  const over = yield* all<Found>(
    `select id, ref, title, state from (select * from ticket order by rowid desc limit ?) where active is null and ${has} and ${seen} limit ?`,
    mostOver,
    ...args,
    mostFound - open.length,
  );
  return [...open, ...over];
}
