/** Assertions that are there and never run, or whose failure nobody hears of. */
import type { Part, Program, SideLine } from "./change.ts";
import { assertsBetween, unitsOf } from "./units.ts";
import type { Hit } from "./hit.ts";

const holdsNever =
  /\b(?:if|elif|unless|while)\s{0,3}\(?\s{0,3}(?:false|False|0|!true|not\s{1,3}True|!1|1\s{0,3}={2,3}\s{0,3}[02])\s{0,3}\)?\s{0,3}(?:[:{]|then|do|$)|\bif\s{0,3}\(?\s{0,3}(?:false|False)\s{0,3}(?:&&|and)\b|^\s{0,200}(?:false|False)\s{0,3}&&|^\s{0,200}#if\s{1,3}(?:0|false)\b|\b(?:if|unless)\s{1,3}(?:false|true)\s{0,3}$/u;
const leaves =
  /^\s{0,200}(?:if\b.{0,300}?[):]\s{0,3}\{?\s{0,3})?(?:return(?:\s{1,3}(?:undefined|None|nil|null|true|Ok\(\(\)\)|Promise\.resolve\(\)|done\(\)|Task\.CompletedTask))?|next|process\.exit\(0?\)|os\._exit\(0\)|sys\.exit\(0?\)|os\.Exit\(0\)|runtime\.Goexit\(\)|std::process::exit\(0\)|System\.exit\(0\)|exit(?:!)?\(?\s{0,3}0?\s{0,3}\)?|done\(\)|t\.end\(\)|Environment\.Exit\(0\))\s{0,3};?\s{0,3}\}?(?:\s{1,3}(?:if|unless)\b.{0,300})?\s{0,3}$/u;
const asksEnvironment =
  /\bprocess\.env\b|\bimport\.meta\.env\b|\bos\.environ\b|\bos\.getenv\b|\bos\.(?:Getenv|LookupEnv)\b|\benv::var\b|\boption_env!|\bSystem\.(?:getenv|getProperty)\b|\bENV\[|\bENV\.|\bEnvironment\.GetEnvironmentVariable\b|\bprocess\.platform\b|\bsys\.platform\b|\bruntime\.GOOS\b|\bisCI\b|\bIS_CI\b|\bDeno\.env\b/u;
const fails =
  /\bthrow\b|\braise\b|\bfail\b|\bFail\b|\bassert|\bAssert|\bexpect\b|\bpanic|\breject|\bdone\(\w|\bFatal|\bErrorf?\(|\bshould|\bto_raise|\bflunk\b/u;

/** Indexes of lines now in the part whose assertions do not count, because they were put where they do not run. */
export function hiddenIn(program: Program, part: Part): ReadonlySet<number> {
  const lines = new Set<number>();
  for (const { from, to } of [
    ...deadBlocks(program, part),
    ...deafBlocks(program, part),
    ...idleFunctions(program, part),
  ])
    for (let index = from; index <= to; index += 1) lines.add(index);
  return lines;
}

interface Block {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly reason: string;
}

/** Where changed code keeps assertions that were there before from counting. */
export function unreached({ tests }: { readonly tests: readonly Program[] }): readonly Hit[] {
  return tests.flatMap((program) => {
    if (program.file.is === "added" || program.file.is === "deleted") return [];
    const blocks = program.parts.flatMap((part) => [
      ...deadBlocks(program, part),
      ...deafBlocks(program, part),
      ...leavings(program, part),
      ...commentedOut(program, part),
      ...deafLines(program, part),
    ]);
    // One place for each reason is enough to look at the file.
    const first = new Map(blocks.toReversed().map((block) => [block.reason, block]));
    return [...first.values()].map(({ at, reason }) => ({
      rule: "assertion-unreached" as const,
      path: program.file.path,
      line: at,
      reason,
    }));
  });
}

/** Behind a condition that never holds, or that only some machines fulfil. */
function deadBlocks({ language }: Program, { old, now }: Part): readonly Block[] {
  const asserts = assertsBetween(now, language);
  const before = new Set(unitsOf(old, language).map(({ key }) => key));
  const units = unitsOf(now, language);
  return now.flatMap((line, index) => {
    if (!line.isChanged) return [];
    const isNever = holdsNever.test(line.bare);
    const isAsked =
      /^\s{0,200}\}?\s{0,3}(?:else\s{0,3})?(?:if|unless|elif)\b|&&\s{0,3}$/u.test(line.bare) &&
      asksEnvironment.test(line.code);
    if (!isNever && !isAsked) return [];
    const to = blockEnd(now, index);
    if (!asserts(index, to)) return [];
    // What is asserted for the first time may well hold on some machines only.
    const isOld =
      isNever || units.some((unit) => unit.index >= index && unit.index <= to && before.has(unit.key));
    if (!isOld) return [];
    const reason = isNever
      ? "assertions stand behind a condition that never holds"
      : "assertions depend on the environment they run in";
    return [{ from: index, to, at: line.at, reason }];
  });
}

/** Inside a try that nobody hears of. */
function deafBlocks({ language }: Program, { now }: Part): readonly Block[] {
  const asserts = assertsBetween(now, language);
  return now.flatMap((line, index) => {
    const isSuppressing = language.swallow.test(line.code) && !language.assertion.test(line.code);
    if (!line.isChanged || !(language.tries.test(line.code) || isSuppressing)) return [];
    const to = blockEnd(now, index);
    // The closing bracket may stand on the line that catches.
    const at = [to, to + 1].find((one) => language.catches.test(now[one]?.code ?? ""));
    const isDeaf =
      isSuppressing ||
      (at !== undefined &&
        !now
          .slice(at, blockEnd(now, at) + 1)
          .some(({ code }, nth) => fails.test(nth === 0 ? inline(code) : code)));
    if (!isDeaf || !asserts(index + 1, to)) return [];
    return [
      { from: index, to, at: line.at, reason: "what these assertions throw is caught and passed over" },
    ];
  });
}
/** What stands behind the caught type on the same line. */
const inline = (code: string): string =>
  /[{:]\s{0,3}(\S.{0,400})$/u.exec(code.replace(/^.{0,200}?\bcatch\b|^.{0,200}?\bexcept\b/u, ""))?.[1] ?? "";

/** Assertions that swallow their own failure. */
function deafLines({ language }: Program, { now }: Part): readonly Block[] {
  return unitsOf(now, language).flatMap(({ code, isChanged, index, at }) =>
    isChanged && language.swallow.test(code)
      ? [{ from: index, to: index, at, reason: "what this assertion throws is caught and passed over" }]
      : [],
  );
}

/** A way out before assertions that were there and stay. */
function leavings({ language }: Program, { now }: Part): readonly Block[] {
  const units = new Set(
    unitsOf(now, language)
      .filter(({ isChanged }) => !isChanged)
      .map(({ index }) => index),
  );
  return now.flatMap((line, index) => {
    if (!line.isChanged || !leaves.test(line.bare)) return [];
    const isAsked = /^\s{0,200}\}?\s{0,3}(?:if|unless|else|elif)\b/u.test(openerOf(now, index)?.code ?? "");
    for (let next = index + 1; next < Math.min(now.length, index + mostLooked); next += 1) {
      const later = now[next];
      if (later === undefined || later.text.trim() === "") continue;
      // Out of what the line stood in: that only leads on when it was a condition.
      if (language.test.test(later.code) || later.indent === 0 || (later.indent < line.indent && !isAsked))
        break;
      if (units.has(next))
        return [{ from: index, to: next, at: line.at, reason: "the test is left before its assertions" }];
    }
    return [];
  });
}

/** The nearest line before that is indented less. */
function openerOf(side: readonly SideLine[], index: number): SideLine | undefined {
  for (let above = index - 1; above >= Math.max(0, index - mostLooked); above -= 1) {
    const line = side[above];
    if (line !== undefined && line.text.trim() !== "" && line.indent < (side[index]?.indent ?? 0))
      return line;
  }
  return undefined;
}

/** No look around a line goes further than this, so that a file of nothing else takes no longer. */
const mostLooked = 400;

/** A comment or a string opened around tests that stay. */
function commentedOut({ language }: Program, { now }: Part): readonly Block[] {
  return now.flatMap((line, index) => {
    if (!line.isChanged || !language.block.test(line.text)) return [];
    const next = now.slice(index + 1).find(({ text }) => text.trim() !== "");
    const within = now.slice(index + 1, index + 8);
    const isTaken =
      next !== undefined &&
      !next.isChanged &&
      within.some(({ code }) => language.assertion.test(code) || language.test.test(code));
    return isTaken
      ? [{ from: index, to: index, at: line.at, reason: "tests were taken out by a comment around them" }]
      : [];
  });
}

const aFunction =
  /^\s{0,200}(?:export\s{1,3})?(?:async\s{1,3})?(?:function\*?\s{1,3}|def\s{1,3}|func\s{1,3}|fn\s{1,3}|fun\s{1,3}|(?:const|let|var)\s{1,3}(?=\w{1,80}\s{0,3}=\s{0,3}(?:async\s{0,3})?(?:\([^()]{0,200}\)|\w{1,40})(?:\s{0,3}:[^=]{0,80})?\s{0,3}=>)|(?:(?:private|public|protected|static|internal)\s{1,3}){0,3}(?:void|Task|async Task)\s{1,3})(\w{1,120})/u;

/** A function that was added, holds assertions, and that nothing in the file's diff calls. */
const idleFunctions = (program: Program, part: Part): readonly Block[] =>
  program.file.is === "added"
    ? []
    : addedFunctions(program, part).flatMap(({ uses, block }) => (uses === 0 ? [block] : []));

/** Indexes of lines now in the part that more than one place in the file's diff calls. */
export function sharedIn(program: Program, part: Part): ReadonlySet<number> {
  const lines = new Set<number>();
  for (const { uses, block } of addedFunctions(program, part))
    if (uses > 1) for (let index = block.from; index <= block.to; index += 1) lines.add(index);
  return lines;
}

function addedFunctions(
  program: Program,
  { now }: Part,
): readonly { readonly uses: number; readonly block: Block }[] {
  const { test } = program.language;
  const uses = wordsOf(program);
  return now.flatMap((line, index) => {
    const name = line.isChanged ? aFunction.exec(line.code)?.[1] : undefined;
    if (name === undefined || test.test(line.code)) return [];
    const before = now[index - 1]?.code ?? "";
    // What is decorated may be called by whoever reads decorators.
    if (/^\s{0,200}[@[#]/u.test(before)) return [];
    const reason = "assertions stand in a function that nothing calls";
    const block = { from: index, to: blockEnd(now, index), at: line.at, reason };
    return [{ uses: (uses.get(name) ?? 1) - 1, block }];
  });
}

const words = new WeakMap<Program, ReadonlyMap<string, number>>();

/** On how many lines of the program now each word stands. */
function wordsOf(program: Program): ReadonlyMap<string, number> {
  const known = words.get(program);
  if (known !== undefined) return known;
  const counts = new Map<string, number>();
  for (const { code } of program.parts.flatMap(({ now }) => now))
    for (const word of new Set(code.match(/\w{1,120}/gu) ?? []))
      counts.set(word, (counts.get(word) ?? 0) + 1);
  words.set(program, counts);
  return counts;
}

/** The last line of what a line begins: all that is indented deeper, and the bracket that closes it. */
function blockEnd(side: readonly SideLine[], start: number): number {
  const first = side[start];
  if (first === undefined) return start;
  let end = start;
  for (let index = start + 1; index < Math.min(side.length, start + mostLooked); index += 1) {
    const line = side[index];
    if (line === undefined) break;
    const isOpening = index === start + 1 && line.text.trim() === "{";
    if (line.text.trim() === "" || line.indent > first.indent || isOpening) {
      if (line.text.trim() !== "") end = index;
      continue;
    }
    if (/^[}\])]|^#endif|^end\b/u.test(line.text.trim())) end = index;
    break;
  }
  return end;
}
