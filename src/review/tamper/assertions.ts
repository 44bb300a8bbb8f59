/** Assertions that are fewer, say less, or say what the code happens to do. */
import { literalsIn, type Account, type Pair, type Placed } from "./account.ts";
import { changed, speaksOfGone, type Change, type Part, type Program, type SideLine } from "./change.ts";
import { literalsOf, masked, normal, share, tokensOf } from "./code.ts";
import type { Hit, Rule } from "./hit.ts";
import type { Test } from "./tests.ts";

export function findWeakened(change: Change, account: Account, gone: readonly Test[]): readonly Hit[] {
  // Of a test that is gone as a whole it is said once that it is.
  const told = new Set(gone.flatMap(({ lines }) => lines));
  const isOfGone = ({ part, index }: Placed): boolean => {
    const line = part.old[index];
    return line !== undefined && told.has(line);
  };
  const lost = account.lost.filter((one) => one.program.file.is !== "deleted" && !isOfGone(one));
  return [
    ...once(lost, "assertion-removed", "assertions were removed"),
    ...once(weaker(account.pairs), "assertion-weakened", "assertions say less than before"),
    ...once(wider(account.pairs), "tolerance-widened", "a comparison lets more pass than before"),
    ...(change.sourceDiffers
      ? []
      : once(
          changedValues(account.pairs),
          "expectation-changed",
          "expected values were changed, and nothing that is tested",
        )),
    ...change.tests.flatMap((program) => rowsOf(program, change)),
  ];
}

/** One hit for a file, at the first place. */
function once(places: readonly Placed[], rule: Rule, reason: string): readonly Hit[] {
  const byPath = new Map<string, Placed>();
  for (const one of places) if (!byPath.has(one.program.file.path)) byPath.set(one.program.file.path, one);
  return [...byPath.values()].map(({ program, at }) => ({ rule, path: program.file.path, line: at, reason }));
}

/** Compared hunk by hunk, the strongest with the strongest: how they are ordered or split does not matter. */
function weaker(pairs: readonly Pair[]): readonly Placed[] {
  const parts = Map.groupBy(pairs, ({ was }) => was.part);
  return [...parts.values()].flatMap((near) => {
    const down = (some: readonly Placed[]): readonly number[] =>
      some.map(({ level }) => level).toSorted((a, b) => b - a);
    const before = down(near.map(({ was }) => was));
    const after = down(near.map(({ is }) => is));
    const isLess = before.some((level, index) => level > (after[index] ?? 0));
    return isLess ? near.filter(({ was, is }) => was.level > is.level).map(({ is }) => is) : [];
  });
}

const loose =
  /\b(?:rel|abs|rel_tol|abs_tol|delta|atol|rtol|tolerance|epsilon|eps|offset|within|InDelta|InEpsilon|be_within|closeTo|isCloseTo|BeApproximately|Within|max_relative|max_diff)\b/iu;
const precise = /\btoBeCloseTo\(|\bplaces\s{0,3}=|\bassertAlmostEqual\(|\bprecision\b|\bdecimal\s{0,3}=/u;

/** The same comparison with another tolerance. */
function wider(pairs: readonly Pair[]): readonly Placed[] {
  return pairs.flatMap(({ was, is }) => {
    if (masked(was.code) !== masked(is.code)) return [];
    const [before, after] = [was.literals.map(Number).at(-1), is.literals.map(Number).at(-1)];
    if (before === undefined || after === undefined || Number.isNaN(before) || Number.isNaN(after)) return [];
    if (loose.test(is.code) && after > before) return [is];
    if (precise.test(is.code) && after < before) return [is];
    return [];
  });
}

/** The same assertion with another value. */
function changedValues(pairs: readonly Pair[]): readonly Placed[] {
  return pairs.flatMap(({ was, is }) => {
    if (was.program.file !== is.program.file) return [];
    const [before, after] = [new Set(was.literals), new Set(is.literals)];
    const isOther =
      was.literals.some((text) => !after.has(text)) && is.literals.some((text) => !before.has(text));
    const isSame = masked(was.code) === masked(is.code) || share(was.tokens, is.tokens) >= 0.4;
    return isOther && isSame ? [is] : [];
  });
}

const row =
  /^\s{0,200}(?:[[({].{1,4000}[\])}],?|["'].{0,400}["']\s{0,3}(?:[:,]|=>).{0,400}|\w{1,60}\s{0,3}[:=]\s{0,3}["'\d-].{0,400}|\[(?:InlineData|TestCase|DataRow)\(.{0,400}\)\]|@CsvSource.{0,400}|\(.{0,400}\)\s{0,3}=>.{0,400}|#\[(?:case|test_case)\(.{0,400}\)\])\s{0,3}$/u;

/** Rows of data for tests that went, or whose values were changed. */
function rowsOf(program: Program, change: Change): readonly Hit[] {
  if (program.file.is === "deleted" || program.file.is === "added") return [];
  const text = literalsIn(program.parts.flatMap(({ now: side }) => changed(side)));
  return program.parts.flatMap((part): readonly Hit[] => {
    const { language } = program;
    const isRow = ({ code }: SideLine): boolean =>
      row.test(code) &&
      !language.assertion.test(code) &&
      !language.test.test(code) &&
      literalsOf(code).length > 0;
    const [old, now] = [changed(part.old).filter(isRow), changed(part.now).filter(isRow)];
    const kept = new Set(changed(part.now).map(({ code }) => normal(code)));
    const gone = old.filter(({ code }) => !kept.has(normal(code)));
    const { path } = program.file;
    const lost = gone.filter(
      ({ code }) =>
        literalsOf(code).length > 1 &&
        /^\s{0,200}[[({#]|^\s{0,200}\[/u.test(code) &&
        !speaksOfGone(code, change.gone) &&
        !literalsOf(code).every((one) => text.has(one)),
    );
    const first = gone.length > now.length && !isInRemovedTest(part, program) ? lost[0] : undefined;
    if (first !== undefined && lost.length > now.length)
      return [
        {
          rule: "assertion-removed" as const,
          path,
          line: first.at,
          reason: "rows of data for tests were removed",
        },
      ];
    if (change.sourceDiffers) return [];
    const forms = Map.groupBy(now, ({ code }) => masked(code));
    const other = gone.find(({ code, at }) =>
      (forms.get(masked(code)) ?? [])
        .slice(0, mostRows)
        .some(
          (line) =>
            Math.abs(line.at - at) <= old.length + 1 &&
            normal(line.code) !== normal(code) &&
            isAlike(line.code, code),
        ),
    );
    if (other === undefined) return [];
    return [
      {
        rule: "expectation-changed" as const,
        path,
        line: other.at,
        reason: "expected values were changed, and nothing that is tested",
      },
    ];
  });
}

/** Rows of one form are compared as far as this. */
const mostRows = 100;

/** A row of which some stayed, or that has a name. */
function isAlike(one: string, other: string): boolean {
  const names = tokensOf(one.replace(/"[^"]{0,400}"|'[^']{0,400}'/gu, ""));
  const [some, others] = [literalsOf(one), new Set(literalsOf(other))];
  return names.size > 0 || some.length === 1 || some.some((text) => others.has(text));
}

const isInRemovedTest = ({ old }: Part, { language }: Program): boolean =>
  old.some(({ isChanged, code }) => isChanged && language.test.test(code));
