/** The paragraph that tells what an ended run did: one a run, written anew only when the run has ended again. */
import { all, change, run as exec, type Verb } from "../sql.ts";
import { runOf, type RawRun, type RunRow } from "./store.ts";

export interface Summary {
  readonly text: string;
  /** `forgehand`, or the runtime and the model that wrote it. */
  readonly by: string;
  /** Why it is not by whom it was asked of. */
  readonly note: string | undefined;
}
export interface KnownSummary extends Summary {
  readonly run: string;
}

/** Runs that have ended, have nobody at work any more and no summary of this end, oldest first. */
export function* unsummarised(limit: number): Verb<readonly RunRow[]> {
  const rows = yield* all<RawRun>(
    `select * from run where settled_at is not null and ${isDue} and owner is null order by settled_at, id limit ?`,
    limit,
  );
  return rows.map(runOf);
}
/** In the words of the index over such runs. */
const isDue = "(summarised_at is null or summarised_at <> settled_at)";

/** Keeps the summary of this end of a run; whoever comes second, or after the run went on, keeps nothing. */
export function* keepSummary(
  run: string,
  settledAt: number,
  { text, by, note }: Summary,
): Verb<"kept" | "late"> {
  const taken = yield* change(
    `update run set summarised_at = settled_at where id = ? and settled_at = ? and ${isDue}`,
    run,
    settledAt,
  );
  if (taken === 0) return "late";
  yield* exec(
    `insert into summary (run, settled_at, text, "by", note) values (?, ?, ?, ?, ?)
     on conflict (run) do update set settled_at = excluded.settled_at, text = excluded.text, "by" = excluded."by", note = excluded.note`,
    run,
    settledAt,
    text,
    by,
    note ?? null,
  );
  return "kept";
}

/** Puts another in the place of the summary of this end. */
export function* replaceSummary(run: string, settledAt: number, { text, by, note }: Summary): Verb<void> {
  yield* exec(
    `update summary set text = ?, "by" = ?, note = ? where run = ? and settled_at = ?`,
    text,
    by,
    note ?? null,
    run,
    settledAt,
  );
}

/** The summaries of these runs, as far as there are any; none of a run that goes on. */
export function* summariesOf(runs: readonly string[]): Verb<readonly KnownSummary[]> {
  const rows = yield* all<{ run: string; text: string; by: string; note: string | null }>(
    `select summary.run, text, "by", note from summary join run on run.id = summary.run and run.settled_at = summary.settled_at
     where summary.run in (select value from json_each(?)) order by summary.settled_at, summary.run`,
    JSON.stringify([...new Set(runs)]),
  );
  return rows.map(({ note, ...row }) => ({ ...row, note: note ?? undefined }));
}
