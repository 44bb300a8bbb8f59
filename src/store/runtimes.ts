import { all, one, run, type Verb } from "../sql.ts";

/** What stands against a runtime. */
export interface RuntimeTrouble {
  readonly runtime: string;
  /** One after the other, up to now. */
  readonly failures: number;
  readonly code: string;
  readonly why: string;
  /** When the first of them was. */
  readonly since: number;
  /** Until then it is left out; not at all when this has passed. */
  readonly downUntil: number;
}
const columns = "runtime, failures, code, why, since, down_until as downUntil";

export function* runtimeTroubles(): Verb<readonly RuntimeTrouble[]> {
  return yield* all<RuntimeTrouble>(`select ${columns} from runtime_trouble order by runtime`);
}
/** Counts one more failure of a runtime; `downUntil` is told how many there were in a row, this one included. */
export function* runtimeFailed(
  failure: Pick<RuntimeTrouble, "runtime" | "code" | "why"> & { readonly at: number },
  downUntil: (failures: number) => number,
): Verb<void> {
  const { runtime, code, why, at } = failure;
  const before = yield* one<{ failures: number }>(
    "select failures from runtime_trouble where runtime = ?",
    runtime,
  );
  const failures = (before?.failures ?? 0) + 1;
  yield* run(
    "insert into runtime_trouble (runtime, failures, code, why, since, down_until) values (?, ?, ?, ?, ?, ?) on conflict (runtime) do update set failures = excluded.failures, code = excluded.code, why = excluded.why, down_until = excluded.down_until",
    runtime,
    failures,
    code,
    why,
    at,
    downUntil(failures),
  );
}
/** It worked: nothing stands against it any more. */
export function* runtimeWorked(runtime: string): Verb<void> {
  yield* run("delete from runtime_trouble where runtime = ?", runtime);
}
