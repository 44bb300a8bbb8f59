import type { SideLine } from "./change.ts";
import { literalsOf, normal, opened, tokensOf } from "./code.ts";
import type { Language } from "./language.ts";

/** One assertion, over as many lines as it takes. */
export interface Unit {
  readonly code: string;
  /** Equal for what differs only in its layout. */
  readonly key: string;
  /** 0 holds always, 1 says that something is there, 2 says a part, 3 all of it. */
  readonly level: 0 | 1 | 2 | 3;
  readonly at: number;
  readonly isChanged: boolean;
  readonly tokens: ReadonlySet<string>;
  readonly literals: readonly string[];
  /** Index of its first line in the side it was read from. */
  readonly index: number;
}

/** An assertion over more lines is read as far as this. */
const mostLines = 40;

const read = new WeakMap<readonly SideLine[], readonly Unit[]>();

/** The assertions of one side of a hunk, in order. */
export function unitsOf(side: readonly SideLine[], language: Language): readonly Unit[] {
  const known = read.get(side) ?? readUnits(side, language);
  read.set(side, known);
  return known;
}

/** Tells whether an assertion begins from one line to another. */
export function assertsBetween(
  side: readonly SideLine[],
  language: Language,
): (from: number, to: number) => boolean {
  const starts = new Set(unitsOf(side, language).map(({ index }) => index));
  // How many begin before each line.
  const before = [0];
  for (let index = 0; index < side.length; index += 1)
    before.push((before[index] ?? 0) + (starts.has(index) ? 1 : 0));
  return (from, to) => (before[Math.min(to, side.length - 1) + 1] ?? 0) > (before[from] ?? 0);
}

function readUnits(side: readonly SideLine[], language: Language): readonly Unit[] {
  const units: Unit[] = [];
  for (let index = 0; index < side.length; index += 1) {
    const line = side[index];
    if (line === undefined || !language.assertion.test(line.code)) continue;
    const end = endOf(side, index);
    const lines = [...conditionOf(side, index, language), ...side.slice(index, end + 1)];
    units.push(unitOf(lines, index, line.at, language));
    index = end;
  }
  return units;
}

function unitOf(lines: readonly SideLine[], index: number, at: number, language: Language): Unit {
  const code = saying(lines, language);
  return {
    code,
    key: normal(code),
    level: levelOf(code, language),
    at,
    isChanged: lines.some(({ isChanged }) => isChanged),
    tokens: tokensOf(code),
    literals: literalsOf(code),
    index,
  };
}

/** Where its brackets are closed, and the calls chained to it are over. */
function endOf(side: readonly SideLine[], start: number): number {
  let end = start;
  let depth = opened(side[start]?.bare ?? "");
  const most = Math.min(side.length - 1, start + mostLines);
  // A block that is still open at the end of its own line is a body, not an argument.
  const isBody = /=>\s{0,3}\{$|\bdo(?:\s{0,3}\|\w{0,40}\|)?$|:$/u.test(side[start]?.bare.trimEnd() ?? "");
  while (!isBody && end < most) {
    const next = side[end + 1];
    if (next === undefined) break;
    const chained = /^\s{0,200}(?:\.|\?\.)\w/u.test(next.code);
    if (depth <= 0 && !chained) break;
    depth += opened(next.bare);
    end += 1;
  }
  return end;
}

/** Go says what it expects in the condition before the complaint. */
function conditionOf(side: readonly SideLine[], index: number, { name }: Language): readonly SideLine[] {
  if (name !== "go" && name !== "other") return [];
  const before = side[index - 1];
  if (before === undefined || !/^\s{0,200}(?:\}\s{0,3}else\s{1,3})?if\b.{0,2000}\{$/u.test(before.code))
    return [];
  return /\b[tbf]\.(?:Error|Fatal|Fail)/u.test(side[index]?.code ?? "") ? [before] : [];
}

/** The words of a complaint are no part of what is asserted. */
function saying(lines: readonly SideLine[], { name }: Language): string {
  const code = lines.map((line) => line.code.trim()).join(" ");
  if (name === "go") return code.replace(/\b([tbf]\.(?:Errorf?|Fatalf?))\(.{0,4000}$/u, "$1()");
  if (name === "python" && /^assert\b/u.test(code))
    return code.replace(/,\s{0,3}f?["'][^"']{0,400}["']\s{0,3}$/u, "");
  return code;
}

function levelOf(code: string, { vacuous, weak, partial, name }: Language): Unit["level"] {
  const forms = name === "go" ? [code, normal(code)] : [code];
  const fits = (pattern: RegExp): boolean => forms.some((form) => pattern.test(form));
  if (fits(vacuous)) return 0;
  if (fits(weak)) return /\bassert\.ok\(.{1,400}(?:===?|[<>])/u.test(code) ? 2 : 1;
  return fits(partial) ? 2 : 3;
}
