/** Tests that are there and are not run. */
import { changed, type Change, type Part, type Program, type SideLine } from "./change.ts";
import type { Hit } from "./hit.ts";
import { changedOf, testsOn } from "./tests.ts";

export function findSkips(change: Change): readonly Hit[] {
  const known = new Set(change.tests.flatMap((program) => testsOn("old", program).map(({ name }) => name)));
  return change.tests.flatMap((program) => {
    const { file, language } = program;
    if (file.is === "deleted") return [];
    const focused = added(program, ({ bare }) => language.focus?.test(bare) === true);
    const isSkip = ({ bare, code, text }: SideLine): boolean =>
      language.skip.test(bare) || language.skipRaw?.test(language.name === "go" ? text : code) === true;
    const skipped = added(program, isSkip)
      .slice(0, mostLines)
      .find((line) => !isOfNewTest(program, line, known));
    return [
      ...(skipped === undefined ? [] : [skipped]).map(({ at }) => ({
        rule: "test-skipped" as const,
        path: file.path,
        line: at,
        reason: "tests are skipped, or may fail unheard",
      })),
      ...focused.slice(0, 1).map(({ at }) => ({
        rule: "test-skipped" as const,
        path: file.path,
        line: at,
        reason: "only some tests are singled out to run",
      })),
    ];
  });
}

/** A file that skips more often than this in new tests only is no file of tests. */
const mostLines = 300;

/** Lines of this kind, as far as there are more than before. */
function added(program: Program, is: (line: SideLine) => boolean): readonly SideLine[] {
  const now = sideLines(program, "now").filter(is);
  const before = sideLines(program, "old").filter(is);
  return now.length > before.length ? now : [];
}

/** A build tag of Go stands in a comment, so lines without code count here too. */
const sideLines = (program: Program, side: "old" | "now"): readonly SideLine[] =>
  program.language.name === "go"
    ? program.parts.flatMap((part) => part[side].filter(({ isChanged }) => isChanged))
    : changedOf(program, side);

/** What was not run before is no loss: a new test, or all of a new file. */
function isOfNewTest(program: Program, line: SideLine, known: ReadonlySet<string>): boolean {
  if (program.file.is === "added") return true;
  const part = program.parts.find(({ now }) => now.includes(line));
  if (part === undefined) return false;
  // A decorator stands between two tests, and is the second one's.
  if (/^\s{0,200}[@[#]/u.test(line.text) && isBeforeNewTest(program, part, line, known)) return true;
  const mine = testsOn("now", program).find(
    ({ lines }) => lines.includes(line) && isWhole(part, lines, line),
  );
  if (mine !== undefined)
    return !known.has(mine.name) && mine.lines[0] !== undefined && isFresh(part, mine.lines[0], known);
  return isBeforeNewTest(program, part, line, known);
}

/** Nothing that was there before stands between the test's beginning and this line. */
function isWhole({ now }: Part, lines: readonly SideLine[], line: SideLine): boolean {
  const first = lines[0];
  if (first === undefined) return false;
  return now
    .slice(now.indexOf(first), now.indexOf(line))
    .every(({ isChanged, text }) => isChanged || text.trim() === "");
}

/** A test that only took another's place is no new one. */
const isFresh = (part: Part, first: SideLine, known: ReadonlySet<string>): boolean =>
  known.size === 0 || !changed(part.old).some(({ at }) => Math.abs(at - first.at) <= 1);

/** A decorator of a test that was added with it. */
function isBeforeNewTest(
  { language }: Program,
  { now }: Part,
  line: SideLine,
  known: ReadonlySet<string>,
): boolean {
  const start = now.indexOf(line);
  for (const next of now.slice(start + 1, start + 40)) {
    if (language.test.test(next.code))
      return (
        next.isChanged &&
        !known.has(
          language.test
            .exec(next.code)
            ?.slice(1)
            .find((one) => one !== undefined) ?? "",
        )
      );
    if (!next.isChanged) return false;
    if (!/^\s{0,200}[@#[({\])},"'\w-]/u.test(next.text) && next.text.trim() !== "") return false;
  }
  return false;
}
