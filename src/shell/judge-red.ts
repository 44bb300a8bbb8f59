/** Decides what a red check means before it costs anything: pure. */
import type { CheckTry, RedRun } from "../ports-ci.ts";
import type { Sha } from "../state-machine/ticket.ts";

export interface RedFacts {
  /** Names of the red checks that count. */
  readonly red: readonly string[];
  /** Every try on the head, oldest first. */
  readonly here: readonly CheckTry[];
  /** Every try on the tip of the base, oldest first. */
  readonly onBase: readonly CheckTry[];
  readonly baseTip: Sha | undefined;
  /** What was doubted at this head before, oldest first. */
  readonly doubts: readonly Doubt[];
  readonly now: number;
  readonly baseWaitMs: number;
}
/** A doubt on record: since when, and of which runs. */
export interface Doubt {
  readonly how: "rerun" | "base";
  readonly at: number;
  readonly checks: readonly DoubtedRun[];
}
export interface DoubtedRun {
  readonly name: string;
  readonly id?: number | undefined;
  readonly endedAt?: number | undefined;
}
export type Judgement =
  /** It counts: the change has to be mended. */
  | { readonly is: "ours"; readonly why: string }
  /** It looks flaky: these are run again, once. */
  | { readonly is: "rerun"; readonly runs: readonly (RedRun & DoubtedRun)[]; readonly why: string }
  /** The base is red as well: not ours. */
  | { readonly is: "base"; readonly checks: readonly DoubtedRun[]; readonly why: string }
  /** It was red with the base, and the base is mended: the head has to take that over. */
  | { readonly is: "behind"; readonly why: string }
  /** The base has been red for too long. */
  | { readonly is: "stuck"; readonly why: string }
  /** Asked for before and not over yet. */
  | { readonly is: "waits" };

/** How long a check that was asked to run again may take to begin. */
export const rerunStartMs = 60 * 60_000;

/** Ends of a run that say something about the machine it ran on, and nothing about the code. */
const machine: ReadonlySet<string> = new Set(["timed_out", "cancelled", "startup_failure", "stale"]);

type One =
  | { readonly is: "ours" | "behind"; readonly why: string }
  | { readonly is: "rerun"; readonly run: RedRun & DoubtedRun; readonly why: string }
  | { readonly is: "base"; readonly check: DoubtedRun; readonly why: string }
  | { readonly is: "waits" };

/** One check that is surely ours settles it; else what can be mended is mended, and the rest is waited for. */
export function judgeRed(facts: RedFacts): Judgement {
  const judged = facts.red.map((name) => judgeOne(name, facts));
  const whys = (is: One["is"]): string =>
    judged.flatMap((one) => (one.is === is && "why" in one ? [one.why] : [])).join("; ");
  const has = (is: One["is"]): boolean => judged.some((one) => one.is === is);
  if (judged.length === 0) return { is: "ours", why: "a check is red" };
  if (has("ours")) return { is: "ours", why: whys("ours") };
  if (has("behind")) return { is: "behind", why: whys("behind") };
  const runs = judged.flatMap((one) => (one.is === "rerun" ? [one.run] : []));
  if (runs.length > 0) return { is: "rerun", runs, why: whys("rerun") };
  const checks = judged.flatMap((one) => (one.is === "base" ? [one.check] : []));
  if (checks.length === 0) return { is: "waits" };
  const since = facts.doubts.find(({ how }) => how === "base")?.at ?? facts.now;
  return facts.now - since < facts.baseWaitMs
    ? { is: "base", checks, why: whys("base") }
    : { is: "stuck", why: `${whys("base")}, and it did not become green in time` };
}

function judgeOne(name: string, { here, onBase, baseTip, doubts, now }: RedFacts): One {
  const tries = here.filter((one) => one.name === name);
  const last = tries.at(-1);
  // What was red when the pull request was read has begun again since, or passed: its end will be told.
  if (last !== undefined && last.is !== "red") return { is: "waits" };
  const based = onBase.filter((one) => one.name === name);
  const onTip = based.at(-1)?.is;
  const doubted = doubts.findLast(({ checks }) => checks.some((one) => one.name === name));
  const waited = doubted?.how === "base";
  const tip = baseTip === undefined ? "the base" : `the base at ${baseTip.slice(0, 7)}`;
  if (onTip === "red" || (waited && onTip === "pending"))
    return {
      is: "base",
      check: { name, id: last?.id, endedAt: last?.endedAt },
      why: `\`${name}\` is red on ${tip} as well, so it is not this change's fault`,
    };
  if (waited) return { is: "behind", why: `\`${name}\` was red on the base, which is mended now` };
  if (last?.id === undefined) return { is: "ours", why: `\`${name}\` is red` };
  const asked = doubts
    .filter(({ how }) => how === "rerun")
    .flatMap(({ at, checks }) => checks.filter((one) => one.name === name).map((one) => ({ at, ...one })))
    .at(-1);
  if (asked !== undefined) {
    const isSame = asked.id === last.id && asked.endedAt === last.endedAt;
    if (!isSame) return { is: "ours", why: `\`${name}\` was run again and failed again` };
    return now - asked.at < rerunStartMs
      ? { is: "waits" }
      : { is: "ours", why: `\`${name}\` is red, and asked to run again it did not begin` };
  }
  const doubt = doubtOf(name, last, tries, based);
  return doubt === undefined
    ? { is: "ours", why: `\`${name}\` is red` }
    : { is: "rerun", run: { name, id: last.id, endedAt: last.endedAt }, why: doubt };
}

/** Why a red try looks flaky; undefined where nothing says so. */
function doubtOf(
  name: string,
  last: CheckTry,
  tries: readonly CheckTry[],
  based: readonly CheckTry[],
): string | undefined {
  if (last.conclusion !== undefined && machine.has(last.conclusion))
    return `\`${name}\` ended as ${last.conclusion}, which says nothing about the code`;
  if (tries.some(({ is }) => is === "green")) return `\`${name}\` passed at this very head before`;
  if (based.some(({ is }) => is === "red") && based.some(({ is }) => is === "green"))
    return `\`${name}\` both failed and passed on one commit of the base`;
  return undefined;
}
