import { all, type Verb } from "../sql.ts";

/** A ticket as others name it, and where it is built. */
export interface TicketName {
  readonly id: string;
  readonly repo: number;
  readonly ref: string;
  readonly title: string;
}
/** Those of these tickets that are known. */
export function* ticketsNamed(ids: readonly string[]): Verb<readonly TicketName[]> {
  return yield* all<TicketName>(
    "select id, repo, ref, title from ticket where id in (select value from json_each(?))",
    JSON.stringify(ids),
  );
}
