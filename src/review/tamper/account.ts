/** What became of the assertions that a change takes out: found again, replaced, gone with their subject, or lost. */
import { changed, speaksOfGone, type Change, type Part, type Program, type SideLine } from "./change.ts";
import { literalsOf, share } from "./code.ts";
import { hiddenIn, sharedIn } from "./hidden.ts";
import { unitsOf, type Unit } from "./units.ts";

/** An assertion with the place it stands in. */
export interface Placed extends Unit {
  readonly program: Program;
  readonly part: Part;
  /** In a function that was added and that several tests call. */
  readonly isShared: boolean;
}
export interface Pair {
  readonly was: Placed;
  readonly is: Placed;
}
export interface Account {
  /** Taken out, and nothing in the diff stands for them. */
  readonly lost: readonly Placed[];
  /** Replaced by another. */
  readonly pairs: readonly Pair[];
}

export function accountOf(change: Change): Account {
  const was = change.tests.flatMap((program) => placed(program, "old"));
  const is = change.tests.flatMap((program) => placed(program, "now"));
  const left = cancel(was, is);
  const open = openBy(left.is);
  const pairs: Pair[] = [];
  let missing: readonly Placed[] = left.was;
  for (const near of ["part", "file", "anywhere"] as const) {
    const still: Placed[] = [];
    for (const one of byLikeness(missing, open, near)) {
      const best = bestFor(one, open, near);
      if (best === undefined) still.push(one);
      else {
        open.take(best);
        pairs.push({ was: one, is: best });
      }
    }
    missing = still;
  }
  const claimed = new Set(pairs.map((pair) => pair.is));
  const lost = missing.filter(
    (one) => !isAbsorbed(one, open.fresh(one), claimed) && !speaksOfGone(one.code, change.gone),
  );
  return { lost, pairs };
}

/** Assertions that no other has claimed, by where they stand. */
interface Open {
  near(one: Placed, near: Near): ReadonlySet<Placed>;
  take(one: Placed): void;
  /** Of the same file, claimed or not. */
  fresh(one: Placed): readonly Placed[];
}

function openBy(all: readonly Placed[]): Open {
  const parts = Map.groupBy(all, ({ part }) => part);
  const files = Map.groupBy(all, ({ program }) => program.file);
  const inPart = new Map([...parts].map(([part, some]) => [part, new Set(some)]));
  const inFile = new Map([...files].map(([file, some]) => [file, new Set(some)]));
  const anywhere = new Set(all);
  const none: ReadonlySet<Placed> = new Set();
  return {
    near: ({ part, program }, near) =>
      (near === "part" ? inPart.get(part) : near === "file" ? inFile.get(program.file) : anywhere) ?? none,
    take: (one) => {
      inPart.get(one.part)?.delete(one);
      inFile.get(one.program.file)?.delete(one);
      anywhere.delete(one);
    },
    fresh: ({ program }) => files.get(program.file) ?? [],
  };
}

function placed(program: Program, side: "old" | "now"): readonly Placed[] {
  return program.parts.flatMap((part) => {
    const hidden = side === "now" ? hiddenIn(program, part) : new Set<number>();
    const shared = side === "now" ? sharedIn(program, part) : new Set<number>();
    return unitsOf(part[side], program.language).flatMap((unit) =>
      hidden.has(unit.index) ? [] : [{ ...unit, program, part, isShared: shared.has(unit.index) }],
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

const likeness = (one: Placed, other: Placed): number =>
  (share(one.tokens, other.tokens) + share(other.tokens, one.tokens)) / 2 +
  (one.level <= other.level ? 0.05 : 0);

/** No assertion is compared with more others than this. */
const mostCompared = 300;

function bestFor(one: Placed, open: Open, near: Near): Placed | undefined {
  const others = [...open.near(one, near).values().take(mostCompared)];
  let best: Placed | undefined;
  let most = leastLike[near] - Number.EPSILON;
  for (const other of others) {
    const like = likeness(one, other);
    if (other.level > 0 && like > most) [best, most] = [other, like];
  }
  if (best !== undefined || near !== "part") return best;
  return others.find(({ level }) => level === 0);
}

/** Those that are most like something choose first. */
function byLikeness(some: readonly Placed[], open: Open, near: Near): readonly Placed[] {
  const best = new Map(
    some.map((one) => {
      const likes = open
        .near(one, near)
        .values()
        .take(mostCompared)
        .map((other) => likeness(one, other));
      return [one, likes.reduce((most, like) => Math.max(most, like), 0)];
    }),
  );
  return some.toSorted((one, other) => (best.get(other) ?? 0) - (best.get(one) ?? 0));
}

/** Said by a table's rows, or by one assertion that says more. */
function isAbsorbed(one: Placed, fresh: readonly Placed[], claimed: ReadonlySet<Placed>): boolean {
  const near = fresh.slice(0, mostCompared).filter(({ level }) => level >= one.level);
  if (near.length === 0) return false;
  const isTold = near.some((other) => {
    const literals = new Set(other.literals);
    return (
      share(one.tokens, other.tokens) >= 0.8 &&
      one.literals.every((text) => literals.has(text)) &&
      (one.literals.length > 0 || !claimed.has(other))
    );
  });
  return isTold || isInTable(one.literals, one.program) || isInHelper(one, near);
}

/** Said by a function that several tests call now, with the literals they hand to it. */
function isInHelper({ key, tokens, literals, program }: Placed, near: readonly Placed[]): boolean {
  const shared = near.filter(({ isShared }) => isShared);
  if (shared.length === 0) return false;
  if (literals.length === 0)
    return shared.some((other) => other.key === key || share(tokens, other.tokens) >= 0.5);
  const said = literalsIn(program.parts.flatMap(({ now }) => now));
  return literals.every((one) => said.has(one));
}

/** Its literals stand among what was added beside something that makes many tests of one. */
export function isInTable(literals: readonly string[], program: Program): boolean {
  const table = tableOf(program);
  return literals.length > 0 && table !== undefined && literals.every((one) => table.has(one));
}

const tables = new WeakMap<Program, ReadonlySet<string> | false>();

/** The literals that were added to a file where something added makes many tests of one. */
function tableOf(program: Program): ReadonlySet<string> | undefined {
  const known = tables.get(program);
  if (known !== undefined) return known === false ? undefined : known;
  const added = program.parts.flatMap(({ now }) => changed(now));
  const isTable = added.some(({ code }) => program.language.table.test(code));
  const said = isTable && literalsIn(added);
  tables.set(program, said);
  return said === false ? undefined : said;
}

/** The literals of these lines; rows may also be written inside of one string. */
export function literalsIn(lines: readonly SideLine[]): ReadonlySet<string> {
  const literals = lines.flatMap(({ code }) => literalsOf(code));
  return new Set(literals.flatMap((one) => [one, ...one.split(/[\s,;|]+/u)]));
}
