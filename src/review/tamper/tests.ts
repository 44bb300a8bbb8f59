/** Tests that are gone, or that nobody looks for any more. */
import type { Account } from "./account.ts";
import { isInTable } from "./account.ts";
import { changed, speaksOfGone, type Change, type Program, type SideLine } from "./change.ts";
import { literalsOf, share, tokensOf } from "./code.ts";
import type { Hit } from "./hit.ts";
import type { Language } from "./language.ts";
import { isTestPath, subjectOf } from "./paths.ts";

/** A test as far as the diff shows it. */
export interface Test {
  readonly program: Program;
  readonly name: string;
  readonly at: number;
  /** Its changed lines. */
  readonly lines: readonly SideLine[];
  /** All of its lines that the diff shows. */
  readonly body: readonly SideLine[];
}

const known = { old: new WeakMap<Program, readonly Test[]>(), now: new WeakMap<Program, readonly Test[]>() };

/** Tests that begin on changed lines of this side. */
export function testsOn(side: "old" | "now", program: Program): readonly Test[] {
  const before = known[side].get(program);
  if (before !== undefined) return before;
  const found = readTests(side, program);
  known[side].set(program, found);
  return found;
}

function readTests(side: "old" | "now", program: Program): readonly Test[] {
  const { language, parts } = program;
  return parts.flatMap((part) => {
    const lines = part[side];
    const starts = lines.flatMap((line, index) => (language.test.test(line.code) ? [index] : []));
    return starts.flatMap((start, nth) => {
      const first = lines[start];
      if (first === undefined || !first.isChanged) return [];
      const body = lines.slice(start, starts[nth + 1] ?? lines.length);
      const own = body.filter(({ isChanged }) => isChanged);
      return [{ program, name: nameOf(body, language), at: first.at, lines: own, body }];
    });
  });
}

function nameOf(lines: readonly SideLine[], { test }: Language): string {
  const first = lines[0]?.code ?? "";
  const named = test
    .exec(first)
    ?.slice(1)
    .find((one) => one !== undefined);
  if (named !== undefined) return named;
  const quoted = /["'`]((?:[^"'`\\]|\\.){1,200})["'`]/u.exec(first)?.[1];
  if (quoted !== undefined) return quoted;
  for (const { code } of lines.slice(0, 8)) {
    const name = /\b(?:fn|fun|void|Task|def)\s{1,3}`?([\w ]{1,120}?)`?\s{0,3}[(<]/u.exec(code)?.[1];
    if (name !== undefined) return name;
  }
  return first.trim();
}

const isRun = ({ program: { language }, lines }: Test): boolean =>
  !lines
    .slice(0, 3)
    .some(({ bare }, nth) => language.skip.test(bare) && (nth === 0 || /^\s{0,200}[@#[]/u.test(bare)));

/** Tests that a change takes out, with nothing that stands for them. */
export function removedTests(change: Change): readonly Test[] {
  const was = change.tests.flatMap((program) => testsOn("old", program));
  const is = change.tests
    .flatMap((program) => (isDropped(program) ? [] : testsOn("now", program)))
    .filter(isRun);
  const names = new Set(is.map(({ name }) => name));
  const stays = new Set(
    change.tests.flatMap(({ parts, language }) =>
      parts.flatMap(({ now }) =>
        now.flatMap((line, index) =>
          language.test.test(line.code) && !line.isChanged ? [nameOf(now.slice(index), language)] : [],
        ),
      ),
    ),
  );
  const open = new Set(is);
  const named = Map.groupBy(is, ({ name }) => name);
  const waiting = was.filter((test) => {
    if (!names.has(test.name)) return !(stays.has(test.name) && test.program.language.name !== "javascript");
    const same = named.get(test.name)?.pop();
    if (same !== undefined) open.delete(same);
    return false;
  });
  return waiting.filter((test) => !isReplaced(test, open) && !speaksOfGone(bodyOf(test), change.gone));
}

const bodyOf = ({ lines }: Test): string => lines.map(({ code }) => code).join("\n");

/** Moved away and renamed to where no runner looks. */
const isDropped = ({ file }: Program): boolean =>
  file.is === "renamed" && isTestPath(file.oldPath) && !isTestPath(file.path);

interface Said {
  readonly text: string;
  readonly tokens: ReadonlySet<string>;
  readonly literals: ReadonlySet<string>;
}
const said = { whole: new WeakMap<Test, Said>(), "without its name": new WeakMap<Test, Said>() };

function saidBy(test: Test, how: "whole" | "without its name"): Said {
  const known = said[how].get(test);
  if (known !== undefined) return known;
  const lines = how === "whole" ? test.body : test.body.slice(1);
  const text = lines.map(({ code }) => code).join("\n") || bodyOf(test);
  const read = { text, tokens: tokensOf(text), literals: new Set(literalsOf(text)) };
  said[how].set(test, read);
  return read;
}

/** No test is compared with more others than this, those of its own file first. */
const mostCompared = 200;

function nearest(program: Program, open: ReadonlySet<Test>): readonly Test[] {
  const own = testsOn("now", program)
    .values()
    .filter((test) => open.has(test))
    .take(mostCompared);
  const others = open
    .values()
    .filter((test) => test.program !== program)
    .take(mostCompared);
  return [...own, ...others].slice(0, mostCompared);
}

/** Another test, which no other has claimed, says what this one said; or a table does. */
function isReplaced(test: Test, open: Set<Test>): boolean {
  const { program } = test;
  const inPlace = nearest(program, open).find(
    (other) => other.program === program && Math.abs(other.at - test.at) <= 2,
  );
  // Only its name is another: what it says stands there as before.
  if (
    inPlace !== undefined &&
    !test.lines.slice(1).some(({ code }) => program.language.assertion.test(code))
  ) {
    open.delete(inPlace);
    return true;
  }
  const { tokens, literals, text: body } = saidBy(test, "without its name");
  let best: Test | undefined;
  let most = 0;
  for (const other of nearest(program, open)) {
    const all = saidBy(other, "whole");
    const like = Math.min(
      share(tokens, all.tokens),
      literals.size === 0 ? 1 : share(literals, all.literals) + 0.1,
    );
    if (like > most) [best, most] = [other, like];
  }
  if (best !== undefined && most >= 0.6) {
    const isTable = best.lines.some(({ code }) => program.language.table.test(code));
    if (!isTable) open.delete(best);
    return true;
  }
  return isInTable(
    literalsOf(body).filter((text) => text.length > 0),
    program,
  );
}

/** Test files and tests that went while what they are about stays. */
export function findRemovedTests(change: Change, account: Account, removed: readonly Test[]): readonly Hit[] {
  const hits: Hit[] = [];
  for (const program of new Set(change.tests)) {
    const { file } = program;
    const gone = removed.filter((test) => test.program === program);
    const lost = account.lost.filter((unit) => unit.program === program);
    if (isDropped(program))
      hits.push({
        rule: "test-moved-away",
        path: file.oldPath,
        reason: "a test file was moved to where tests are not looked for",
      });
    else if (file.is === "deleted") {
      const isEmptied = gone.length > 0 || (lost.length > 0 && testsOn("old", program).length === 0);
      if (isEmptied && !change.gone.has(subjectOf(file.path)))
        hits.push({ rule: "test-deleted", path: file.oldPath, reason: "a test file was deleted" });
    } else if (gone.length > 0)
      hits.push({
        rule: "test-removed",
        path: file.path,
        line: gone[0]?.at ?? 1,
        reason: `${gone.length === 1 ? "a test was" : `${gone.length} tests were`} removed`,
      });
  }
  return [...hits, ...emptied(change)];
}

/** Moved without a change to where no runner looks: then there is no line to judge by. */
const emptied = ({ files, tests }: Change): readonly Hit[] =>
  files
    .filter(({ is, oldPath, path }) => is === "renamed" && isTestPath(oldPath) && !isTestPath(path))
    .filter((file) => !tests.some((program) => program.file === file))
    .map(({ oldPath }) => ({
      rule: "test-moved-away" as const,
      path: oldPath,
      reason: "a test file was moved to where tests are not looked for",
    }));

/** Lines of a side that are changed, of all parts. */
export const changedOf = ({ parts }: Program, side: "old" | "now"): readonly SideLine[] =>
  parts.flatMap((part) => changed(part[side]));
