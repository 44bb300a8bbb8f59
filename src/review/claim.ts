/** What a finding claims, in a form in which two wordings of one claim are alike. */

/** The words of a claim, without order, case, inflection and what carries no meaning. */
export interface Claim {
  readonly title: ReadonlySet<string>;
  /** Title and body together. */
  readonly all: ReadonlySet<string>;
  /** Names from the code that the title mentions, and those that it puts in backticks. */
  readonly symbols: ReadonlySet<string>;
  /** Which way it pulls, for each pair of opposites that its title speaks of. */
  readonly poles: ReadonlyMap<string, Pole>;
}
type Pole = "one" | "other";

const silent = new Set(
  "a all an and are as at be been being but by can could did do does for from had has have here how if in into is it its may might of on or so some such than that the their them then there these they this those to too was were when where which while who will with would you your very just also code line file change function method value".split(
    " ",
  ),
);

/** Words that reviewers put for one another, each told as the first of its row. */
const alike = [
  "fail crash throw panic explode raise abort break die",
  "null undefined nil none nullptr nullish",
  "empty blank zerolength",
  "validate check verify guard sanitize sanitise",
  "unbounded unlimited infinite endless forever",
  "leak expose disclose reveal",
  "wrong incorrect broken bad invalid",
  "array list collection slice",
  "race concurrent concurrency simultaneous parallel",
  "escape quote encode",
  "test spec coverage",
  "error exception failure",
];
const told = new Map(
  alike.flatMap((row) => {
    const [first = "", ...others] = row.split(" ").map(stem);
    return others.map((other) => [other, first] as const);
  }),
);

/** Pairs of demands that cannot both be met at one place. */
const opposites: readonly (readonly [axis: string, one: string, other: string])[] = [
  [
    "presence",
    "add need require introduce use used using missing lack absent omit forgot no without restore keep",
    "remove drop delete unneeded unnecessary redundant superfluous avoid forbid needless useless unused pointless stop",
  ],
  ["timing", "async asynchronous nonblocking", "sync synchronous blocking"],
  ["shape", "inline merge combine", "extract split separate"],
  ["reach", "public export visible", "private hide hidden internal"],
  ["rigour", "strict strictly reject", "lenient accept tolerate"],
  ["size", "long longer large larger increase raise", "short shorter small smaller decrease reduce lower"],
  ["ending", "throw raise", "swallow ignore return"],
];
const poleOf = new Map<string, readonly (readonly [axis: string, Pole])[]>();
for (const [axis, one, other] of opposites)
  for (const [words, pole] of [
    [one, "one"],
    [other, "other"],
  ] as const)
    for (const word of words.split(" ")) {
      const known = poleOf.get(stem(word)) ?? [];
      poleOf.set(stem(word), [...known, [axis, pole]]);
    }
const negations = new Set(["not", "never", "cannot", "nor"]);
/** A negation reaches this many words. */
const reach = 3;

export function claimOf({ title, body }: { readonly title: string; readonly body: string }): Claim {
  const spoken = wordsOf(title);
  return {
    title: meaningful(spoken),
    all: new Set([...meaningful(spoken), ...meaningful(wordsOf(body))]),
    symbols: symbolsIn(title),
    poles: polesOf(spoken),
  };
}

/** From 0 to 1: how much two claims say the same. */
export function similarity(one: Claim, other: Claim): number {
  const titles = shared(one.title, other.title);
  const whole = shared(one.all, other.all);
  const named = [...one.symbols].some((symbol) => other.symbols.has(symbol)) ? 0.15 : 0;
  return Math.min(1, Math.max(titles, 0.7 * titles + 0.3 * whole) + named);
}

/** One asks for what the other forbids: they speak of the same thing and pull different ways. */
export function isOpposite(one: Claim, other: Claim): boolean {
  const pulls = [...one.poles].some(([axis, pole]) => {
    const against = other.poles.get(axis);
    return against !== undefined && against !== pole;
  });
  if (!pulls) return false;
  return shared(subject(one), subject(other)) >= 0.5;
}

/** As it goes into a fingerprint. */
export const normalised = (title: string): string => [...meaningful(wordsOf(title))].toSorted().join(" ");

/** What it is about, without the words that say which way. */
const subject = ({ title }: Claim): ReadonlySet<string> =>
  new Set([...title].filter((word) => !poleOf.has(word) && !negations.has(word)));

/** Dice's coefficient. */
function shared(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  if (one.size === 0 || other.size === 0) return 0;
  const both = [...one].filter((word) => other.has(word)).length;
  return (2 * both) / (one.size + other.size);
}

/** Longer than any title is allowed to be; of a body its beginning says what it is about. */
const maxChars = 2_000;

function wordsOf(text: string): readonly string[] {
  return text
    .slice(0, maxChars)
    .normalize("NFKC")
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .replace(/n[’']t\b/gu, " not")
    .replace(/\bno one\b/gu, "nobody")
    .replace(/\bno (?=longer|need)/gu, "not ")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "" && !/^\d+$/u.test(word));
}

const meaningful = (words: readonly string[]): ReadonlySet<string> =>
  new Set(
    words
      .filter((word) => !silent.has(word))
      .map(stem)
      .map((word) => told.get(word) ?? word),
  );

/** Enough of English inflection that one word in two forms is one. */
function stem(word: string): string {
  const bare = word.endsWith("ss")
    ? word
    : word
        .replace(/ies$/u, "y")
        .replace(/(?:ations?|ating|ated)$/u, "ate")
        .replace(/(?<=\p{L}{3})(?:ings?|edly|ed|es|s|ly)$/u, "");
  return bare.replace(/(?<=\p{L}{3})e$/u, "").replace(/([bdgmnprt])\1$/u, "$1");
}

function polesOf(words: readonly string[]): ReadonlyMap<string, Pole> {
  const sums = new Map<string, number>();
  for (const [index, word] of words.entries()) {
    const isNegated = words.slice(Math.max(0, index - reach), index).some((before) => negations.has(before));
    for (const [axis, pole] of poleOf.get(stem(word)) ?? []) {
      const weight = (pole === "one" ? 1 : -1) * (isNegated ? -1 : 1);
      sums.set(axis, (sums.get(axis) ?? 0) + weight);
    }
  }
  return new Map(
    [...sums].flatMap(([axis, sum]) =>
      sum === 0 ? [] : [[axis, sum > 0 ? ("one" as const) : ("other" as const)] as const],
    ),
  );
}

function symbolsIn(text: string): ReadonlySet<string> {
  const quoted = [...text.matchAll(/`([^`\n]{1,120})`/gu)].map(([, inside = ""]) => inside);
  const bare = text.match(/\b(?:[a-z]+(?:[A-Z][a-z0-9]*)+|[A-Za-z]\w*_\w+|\w+(?=\(\)))/gu) ?? [];
  return new Set([...quoted, ...bare].map((name) => name.replace(/\(.*$/su, "").trim().toLowerCase()));
}
