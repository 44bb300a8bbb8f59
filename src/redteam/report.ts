/** The outcomes as people and programs read them. */
import type { Outcome } from "./attack.ts";

export interface Row {
  readonly field: string;
  readonly attacks: number;
  readonly reached: number;
  readonly held: number;
  readonly weak: number;
  readonly broken: number;
}

/** By field, in the order in which they were played. */
export function rowsOf(outcomes: readonly Outcome[]): readonly Row[] {
  return [...new Set(outcomes.map(({ field }) => field))].map((field) => {
    const some = outcomes.filter((one) => one.field === field);
    const count = (is: Outcome["is"]): number => some.filter((one) => one.is === is).length;
    return {
      field,
      attacks: some.length,
      reached: some.filter(({ reached }) => reached === true).length,
      held: count("held"),
      weak: count("weak"),
      broken: count("broken"),
    };
  });
}

export interface Weakness {
  readonly fix: string;
  readonly count: number;
  /** Some of what happened. */
  readonly examples: readonly string[];
}
const maxExamples = 4;

/** What the operator's choices open, one entry for each setting to change. */
export function weaknesses(outcomes: readonly Outcome[]): readonly Weakness[] {
  const weak = outcomes.filter(({ is }) => is === "weak");
  return [...new Set(weak.map(({ fix }) => fix ?? ""))].map((fix) => {
    const some = weak.filter((one) => (one.fix ?? "") === fix);
    // What left this host is worse than what an agent held.
    const sorted = some.toSorted(
      (one, other) => Number(other.id.includes("/leak/")) - Number(one.id.includes("/leak/")),
    );
    return { fix, count: some.length, examples: sorted.slice(0, maxExamples).map(({ why }) => why ?? "") };
  });
}
