import { all, change, run as exec, type Verb } from "../sql.ts";

/** What became of it: the leaves that will be tried again, or why none is. */
export type Retried = { readonly leaves: readonly string[] } | "nothing failed" | "at work";

/**
 * Lets what failed for good be tried again as if it had never been tried, and what waits for its next attempt begin it
 * at once. A run that failed by it goes on. The failed attempts are kept, out of the run. Without a leaf it is what the
 * run ended with: failures that nothing followed.
 */
export function* retryRun(run: string, leaf: string | undefined, now: number): Verb<Retried> {
  // A process that has the run keeps its rows in memory; only rows that will be read again may change.
  const live = yield* all("select 1 from run where id = ? and status = 'running'", run);
  if (live.length > 0) return "at work";
  const waiting = yield* change(
    "update attempt set due_at = ? where run = ? and cut = 0 and status = 'failed' and due_at > ? and (leaf = ? or ? is null)",
    now,
    run,
    now,
    leaf ?? null,
    leaf ?? null,
  );
  const failed = yield* all<{ leaf: string; iteration: string }>(
    `select leaf, iteration from attempt as one where run = ? and cut = 0 and status = 'failed' and due_at is null
       and not exists (select 1 from attempt as later where later.run = one.run and later.cut = 0 and later.leaf = one.leaf and later.iteration = one.iteration and later.attempt > one.attempt)
       and (leaf = ? or (? is null and not exists (select 1 from attempt as after where after.run = one.run and after.cut = 0 and after.seq > one.seq and after.started_at >= one.ended_at)))`,
    run,
    leaf ?? null,
    leaf ?? null,
  );
  const leaves = [...new Set(failed.map((one) => one.leaf))];
  if (failed.length === 0 && waiting === 0) return "nothing failed";
  for (const { leaf: name, iteration } of failed) {
    yield* openAgain(run, name, iteration);
    yield* exec(
      "update attempt set cut = 1 + max((select max(cut) from attempt where run = ?), (select coalesce(max(number), 0) from rewind where run = ?)) where run = ? and leaf = ? and iteration = ? and cut = 0",
      run,
      run,
      run,
      name,
      iteration,
    );
  }
  yield* exec(
    "update run set status = 'ready', outcome = null, output = null, error = null, settled_at = null, wake_at = null, fence = fence + 1 where id = ? and status in ('failed', 'waiting')",
    run,
  );
  return { leaves };
}

/** A worktree that a leaf found gone is opened again, from its branch. */
function* openAgain(run: string, leaf: string, iteration: string): Verb<void> {
  yield* exec(
    `update attempt set cut = 1 + max((select max(cut) from attempt where run = ?), (select coalesce(max(number), 0) from rewind where run = ?))
     where run = ? and cut = 0 and status = 'finished' and leaf like '%/open' and json_extract(output, '$.branch') is not null
       and exists (select 1 from attempt as one where one.run = attempt.run and one.cut = 0 and one.leaf = ? and one.iteration = ? and one.status = 'failed'
         and one.error like 'the worktree "%" is gone%' and instr(one.error, json_extract(attempt.output, '$.path')) > 0)`,
    run,
    run,
    run,
    leaf,
    iteration,
  );
}
