/** Recognises findings: in other words, at lines that moved, in files that were renamed. */
import { claimOf, isOpposite, similarity, type Claim } from "./claim.ts";
import type { Contradiction, Tracked } from "./findings.ts";
import type { Changes } from "./places.ts";
import type { Finding } from "./verdict.ts";

/** A finding with what its place is called by what stands there. */
export interface Placed {
  readonly finding: Finding;
  readonly context: string | undefined;
}

/** How alike two claims must be, the less the surer it is that they are about one place. */
const alikeAt = { sameLine: 0.34, sameSymbol: 0.45, sameFile: 0.6, nowhere: 0.7, elsewhere: 0.75 } as const;
/** What was put out of scope is known by its words, wherever it stands: no other complaint may go the same way. */
const alikeDropped = 0.85;
/** Another kind of fault is another finding, unless it is told in the same words. */
const otherKind = 0.2;
/** Lines apart that one complaint is put by different reviewers. */
const nearLines = 3;

/** Which earlier finding each is; undefined for what is new. No two are the same one. */
export function recognise(
  fresh: readonly Placed[],
  known: readonly Tracked[],
  changes: Changes | undefined,
): readonly (Tracked | undefined)[] {
  const before = known.map((one) => ({ one, placed: placedNow(one, changes), claim: claimOf(one.finding) }));
  const pairs = fresh.flatMap((placed, index) => {
    const claim = claimOf(placed.finding);
    return before.flatMap((other) => {
      const score = sameness({ placed, claim }, other);
      const isOther = other.one.is === "dropped" && similarity(claim, other.claim) < alikeDropped;
      return score === undefined || isOther ? [] : [{ index, other: other.one, score }];
    });
  });
  const found = new Map<number, Tracked>();
  const taken = new Set<string>();
  for (const { index, other } of pairs.toSorted((one, two) => two.score - one.score)) {
    if (found.has(index) || taken.has(other.id)) continue;
    found.set(index, other);
    taken.add(other.id);
  }
  return fresh.map((_, index) => found.get(index));
}

/** Groups what several say at once: those in one group are one finding. What one reviewer tells apart stays apart. */
export function grouped(all: readonly (Placed & { readonly by: string })[]): readonly (readonly number[])[] {
  const groups: number[][] = [];
  const claims = all.map(({ finding }) => claimOf(finding));
  for (const [index, placed] of all.entries()) {
    const claim = claims[index];
    const own = groups.find(
      (group) =>
        group.every((at) => all[at]?.by !== placed.by) &&
        group.some((at) => {
          const [other, said] = [all[at], claims[at]];
          return (
            claim !== undefined &&
            other !== undefined &&
            said !== undefined &&
            sameness({ placed, claim }, { placed: other, claim: said }) !== undefined
          );
        }),
    );
    if (own === undefined) groups.push([index]);
    else own.push(index);
  }
  return groups;
}

/** A finding of the round that is being judged. */
export interface Back extends Placed {
  readonly id: string;
  /** Where it is not new, the round that raised it first. */
  readonly firstRound: number | undefined;
  /** It was fixed, and is there again. */
  readonly isBack: boolean;
}

/**
 * Those that ask for what another finding of this round or an earlier one forbids at the same place, and those that came
 * back when a later one at their place was mended: whatever is built then, one of the two is not met.
 */
export function contradictionsIn(
  raised: readonly Back[],
  known: readonly Tracked[],
  changes: Changes | undefined,
): readonly Contradiction[] {
  const ids = new Set(raised.map(({ id }) => id));
  return raised.flatMap((one, index) => {
    const claim = claimOf(one.finding);
    const rival = raised
      .slice(0, index)
      .find((other) => isNear(one, other, { symbol: false }) && isOpposite(claim, claimOf(other.finding)));
    if (rival !== undefined)
      return [{ id: one.id, against: rival.id, why: "one reviewer asks for what another forbids" }];
    for (const other of known) {
      if (other.id === one.id || other.is === "dropped") continue;
      if (!isNear(one, placedNow(other, changes), { symbol: false })) continue;
      if (isOpposite(claim, claimOf(other.finding)))
        return [{ id: one.id, against: other.id, why: "it asks for what an earlier round forbade" }];
      const isLater = one.firstRound !== undefined && other.firstRound > one.firstRound;
      if (one.isBack && isLater && !ids.has(other.id))
        return [{ id: one.id, against: other.id, why: "it came back when the other one was mended" }];
    }
    return [];
  });
}

interface Said {
  readonly placed: Placed;
  readonly claim: Claim;
}

/** How surely two are the same finding; undefined when they are not. */
function sameness(one: Said, other: Said): number | undefined {
  if (isOpposite(one.claim, other.claim)) return undefined;
  const score = similarity(one.claim, other.claim);
  const least = leastAlike(one.placed, other.placed) + (isOtherKind(one, other) ? otherKind : 0);
  if (score < Math.min(1, least)) return undefined;
  // Among several the one at the surer place is meant.
  return score + (1 - least);
}

function leastAlike(one: Placed, other: Placed): number {
  const [path, otherPath] = [one.finding.path, other.finding.path];
  if (isNear(one, other, { symbol: false })) return alikeAt.sameLine;
  if (isNear(one, other, { symbol: true })) return alikeAt.sameSymbol;
  if (path === undefined || otherPath === undefined) return alikeAt.nowhere;
  return path === otherPath ? alikeAt.sameFile : alikeAt.elsewhere;
}

function isNear(one: Placed, other: Placed, by: { readonly symbol: boolean }): boolean {
  const [a, b] = [one.finding, other.finding];
  // The same line of code, wherever it was moved.
  if (one.context !== undefined && one.context === other.context) return true;
  if (a.path === undefined || a.path !== b.path) return false;
  if (by.symbol) return a.symbol !== undefined && a.symbol.toLowerCase() === b.symbol?.toLowerCase();
  return a.line !== undefined && b.line !== undefined && Math.abs(a.line - b.line) <= nearLines;
}

function isOtherKind(one: Said, other: Said): boolean {
  const [a, b] = [one.placed.finding.kind, other.placed.finding.kind];
  return a !== undefined && b !== undefined && a.trim().toLowerCase() !== b.trim().toLowerCase();
}

/** An earlier finding at the place where it is by now. */
export function placedNow({ finding }: Tracked, changes: Changes | undefined): Placed {
  const { path: before, line: lineBefore, context, ...rest } = finding;
  if (before === undefined || changes === undefined) return { finding, context };
  const path = changes.pathNow(before) ?? before;
  const line = lineBefore === undefined ? undefined : changes.lineNow(before, lineBefore);
  return {
    finding: { ...rest, path, ...(line === undefined ? {} : { line }) },
    context,
  };
}
