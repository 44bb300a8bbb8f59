/** What became of the assertions that a change takes out: found again, replaced, gone with their subject, or lost. */
import { changed, speaksOfGone, type Change, type Part, type Program } from "./change.ts";
import { share } from "./code.ts";
import { hiddenIn } from "./hidden.ts";
import { unitsOf, type Unit } from "./units.ts";

/** An assertion with the place it stands in. */
export interface Placed extends Unit {
  readonly program: Program;
  readonly part: Part;
}
export interface Pair {
  readonly was: Placed;
  readonly is: Placed;
}
export interface Account {
  /** Taken out, and nothing in the diff stands for them. */
  readonly lost: readonly Placed[];
  /** Replaced by another in the same file. */
  readonly pairs: readonly Pair[];
  /** What is asserted now and was not before. */
  readonly fresh: readonly Placed[];
}

export function accountOf(change: Change): Account {
  const programs = change.tests.filter(({ file }) => file.path !== "");
  const was = programs.flatMap((program) => placed(program, "old"));
  const is = programs.flatMap((program) => placed(program, "now"));
  const left = cancel(was, is);
  const pairs: Pair[] = [];
  const open = new Set(left.is);
  const missing: Placed[] = [];
  for (const near of ["part", "file", "anywhere"] as const) {
    const waiting = near === "part" ? left.was : missing.splice(0);
    for (const one of byLikeness(waiting, open, near)) {
      const best = bestFor(one, open, near);
      if (best === undefined) missing.push(one);
      else {
        open.delete(best);
        pairs.push({ was: one, is: best });
      }
    }
  }
  const lost = missing.filter((one) => !isAbsorbed(one, left.is, pairs) && !speaksOfGone(one.code, change.gone));
  return { lost, pairs, fresh: left.is };
}

function placed(program: Program, side: "old" | "now"): readonly Placed[] {
  return program.parts.flatMap((part) => {
    const hidden = side === "now" ? hiddenIn(program, part) : new Set<number>();
    return unitsOf(part[side], program.language).flatMap((unit) =>
      hidden.has(unit.index) ? [] : [{ ...unit, program, part }],
    );
  });
}

/** What stands on both sides, in the same file or another, was only moved or laid out anew. */
function cancel(was: readonly Placed[], is: readonly Placed[]): { was: Placed[]; is: Placed[] } {
  const keyIn = ({ program, key }: Placed): string => `${program.file.path}\0${key}`;
  const here = without(was, is, keyIn);
  const back = without(is, was, keyIn);
  const key = ({ key }: Placed): string => key;
  return { was: without(here, back, key), is: without(back, here, key) };
}

function without(some: readonly Placed[], others: readonly Placed[], key: (one: Placed) => string): Placed[] {
  const counts = new Map<string, number>();
  for (const one of others) counts.set(key(one), (counts.get(key(one)) ?? 0) + 1);
  return some.filter((one) => {
    const left = counts.get(key(one)) ?? 0;
    counts.set(key(one), left - 1);
    return left <= 0;
  });
}

type Near = "part" | "file" | "anywhere";

/** Least likeness at which one assertion counts as the other's replacement. */
const leastLike: Readonly<Record<Near, number>> = { part: 0, file: 0.3, anywhere: 0.6 };

function candidates(one: Placed, open: ReadonlySet<Placed>, near: Near): readonly Placed[] {
  return [...open].filter((other) =>
    near === "part"
      ? other.part === one.part
      : near === "file"
        ? other.program.file === one.program.file
        : true,
  );
}

const likeness = (one: Placed, other: Placed): number =>
  (share(one.tokens, other.tokens) + share(other.tokens, one.tokens)) / 2 + (one.level <= other.level ? 0.05 : 0);

function bestFor(one: Placed, open: ReadonlySet<Placed>, near: Near): Placed | undefined {
  let best: Placed | undefined;
  let most = leastLike[near] - Number.EPSILON;
  for (const other of candidates(one, open, near)) {
    const like = likeness(one, other);
    if (other.level > 0 && like > most) [best, most] = [other, like];
  }
  if (best !== undefined || near !== "part") return best;
  return candidates(one, open, near).find(({ level }) => level === 0);
}

/** Those that are most like something choose first. */
function byLikeness(some: readonly Placed[], open: ReadonlySet<Placed>, near: Near): readonly Placed[] {
  if (some.length * open.size > mostCompared) return some;
  const best = new Map(
    some.map((one) => [one, Math.max(0, ...candidates(one, open, near).map((other) => likeness(one, other)))]),
  );
  return some.toSorted((one, other) => (best.get(other) ?? 0) - (best.get(one) ?? 0));
}
/** Beyond this many comparisons order is not worth its time. */
const mostCompared = 250_000;

/** Said by a table's rows, or by one assertion that says more. */
function isAbsorbed(one: Placed, fresh: readonly Placed[], pairs: readonly Pair[]): boolean {
  const near = fresh.filter(({ program, level }) => program.file === one.program.file && level >= one.level);
  if (near.length === 0) return false;
  const isTold = near.some((other) => {
    const literals = new Set(other.literals);
    return (
      share(one.tokens, other.tokens) >= 0.8 &&
      one.literals.every((text) => literals.has(text)) &&
      (one.literals.length > 0 || pairs.filter(({ is }) => is === other).length === 0)
    );
  });
  return isTold || isInTable(one.literals, one.program);
}

/** Its literals stand among what was added beside something that makes many tests of one. */
export function isInTable(literals: readonly string[], { parts, language }: Program): boolean {
  if (literals.length === 0) return false;
  const added = parts.flatMap(({ now }) => changed(now));
  if (!added.some(({ code }) => language.table.test(code))) return false;
  const text = added.map(({ code }) => code).join("\n");
  return literals.every((one) => text.includes(one));
}
