/** What a replay takes from the run it replays instead of working. */
import { all, run as exec, type Verb } from "../sql.ts";
import type { Ask, Leaf } from "./node.ts";

/** How an attempt of the replayed run ended. */
export interface GivenEnd {
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly output: unknown;
  /** It failed for good, and the run lived through it. */
  readonly error: string | undefined;
  /** What an answer was about. */
  readonly about: string | undefined;
  readonly folder: string | undefined;
  readonly snapshot: string | undefined;
}
export interface Given {
  /** What this leaf is given here; undefined where nothing was given, or nothing that still fits. */
  to(
    leaf: Leaf,
    iteration: string,
  ):
    | {
        readonly output: unknown;
        readonly folder: string | undefined;
        readonly snapshot: string | undefined;
      }
    | { readonly error: unknown }
    | undefined;
}

/** Finds by leaf and iteration, so that asking costs the same however much was given. */
export function openGiven(ends: readonly GivenEnd[]): Given {
  const byPlace = new Map<string, GivenEnd[]>();
  for (const end of ends) {
    const place = `${end.leaf}@${end.iteration}`;
    byPlace.set(place, [...(byPlace.get(place) ?? []), end]);
  }
  return {
    to: (leaf, iteration) => {
      // A result is only computed: nothing is saved by taking it, and an edited one says something else.
      if (leaf.kind === "result") return undefined;
      const about = leaf.kind === "wait" ? leaf.ask.about : undefined;
      const end = byPlace.get(`${leaf.id}@${iteration}`)?.findLast((one) => one.about === about);
      if (end === undefined) return undefined;
      const { output, error, folder, snapshot } = end;
      if (error !== undefined) return { error: Object.assign(new Error(error), { permanent: true }) };
      if (leaf.kind !== "timer" && !leaf.output.safeParse(output).success) return undefined;
      return { output, folder, snapshot };
    },
  };
}

/** Keeps what a replay is given, so that no later change of the replayed run changes the replay. */
export function* give(run: string, seqs: readonly number[]): Verb<void> {
  yield* exec(
    "insert into given (run, leaf, iteration, attempt, status, output, error, ask, folder, snapshot) select ?, leaf, iteration, attempt, status, output, error, ask, folder, snapshot from attempt where seq in (select value from json_each(?))",
    run,
    JSON.stringify(seqs),
  );
}

export function* givenTo(run: string): Verb<readonly GivenEnd[]> {
  const rows = yield* all<{
    leaf: string;
    iteration: string;
    attempt: number;
    status: "finished" | "failed";
    output: string | null;
    error: string | null;
    ask: string | null;
    folder: string | null;
    snapshot: string | null;
  }>("select * from given where run = ? order by leaf, iteration, attempt", run);
  return rows.map((row) => ({
    leaf: row.leaf,
    iteration: row.iteration,
    attempt: row.attempt,
    output: row.output === null ? undefined : JSON.parse(row.output),
    error: row.status === "failed" ? (row.error ?? "it failed") : undefined,
    about: row.ask === null ? undefined : (JSON.parse(row.ask) as Ask).about,
    folder: row.folder ?? undefined,
    snapshot: row.snapshot ?? undefined,
  }));
}
