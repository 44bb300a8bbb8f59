import { all, change, run as exec, type Verb } from "../sql.ts";

/**
 * Holds a run: nobody carries it on until it is let go, and what its process had at work is ended by that process.
 * Answers whether there was anything to hold; a run that is held already stays so.
 */
export function* pauseRun(run: string, at: number): Verb<boolean> {
  const held = yield* change(
    "update run set status = 'paused', fence = fence + 1, wake_at = null where id = ? and status in ('ready', 'running', 'waiting', 'paused')",
    run,
  );
  yield* exec(
    "update attempt set status = 'lost', ended_at = ? where run = ? and status = 'running' and cut = 0",
    at,
    run,
  );
  return held > 0;
}

/** Lets a held run go on; false when it was not held, or its process has not let go of it yet. */
export function* unpauseRun(run: string): Verb<boolean> {
  const rows = yield* all(
    "update run set status = 'ready' where id = ? and status = 'paused' and owner is null returning id",
    run,
  );
  return rows.length > 0;
}

/** The same for one whose process may still have it: it goes on as soon as that has let go. */
export function* resumeRun(run: string): Verb<void> {
  // The mark on a held run, which no clock wakes; `disown` reads it.
  yield* exec("update run set wake_at = 0 where id = ? and status = 'paused'", run);
  yield* unpauseRun(run);
}
