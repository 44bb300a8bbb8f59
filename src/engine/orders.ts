/** What people did to a run from outside: written down where it is done, and never taken away. */
import { all, one, run as exec, type Verb } from "../sql.ts";

export interface RunOrderLine {
  readonly what: string;
  /** The leaf that it was about, and the number of the attempt's row. */
  readonly leaf: string | undefined;
  readonly attempt: number | undefined;
  readonly note: string;
  readonly by: string;
  readonly at: number;
}

export function* keepOrder(run: string, line: RunOrderLine): Verb<void> {
  yield* exec(
    "insert into run_order (run, number, what, leaf, attempt, note, by, at) select ?, coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ? from run_order where run = ?",
    run,
    line.what,
    line.leaf ?? null,
    line.attempt ?? null,
    line.note,
    line.by,
    line.at,
    run,
  );
}

/** How many there were so far. */
export function* orderCount(run: string): Verb<number> {
  return (
    (yield* one<{ n: number | null }>("select max(number) as n from run_order where run = ?", run))?.n ?? 0
  );
}

/** The newest of them. */
export function* ordersOf(run: string, limit: number): Verb<readonly RunOrderLine[]> {
  const rows = yield* all<{
    what: string;
    leaf: string | null;
    attempt: number | null;
    note: string;
    by: string;
    at: number;
  }>(
    "select what, leaf, attempt, note, by, at from run_order where run = ? order by number desc limit ?",
    run,
    limit,
  );
  return rows.map((row) => ({ ...row, leaf: row.leaf ?? undefined, attempt: row.attempt ?? undefined }));
}
