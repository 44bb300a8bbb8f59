/** One round: what several reviewers say of one head, seen beside what was said of the heads before. Pure. */
import {
  fingerprint,
  isOpen,
  trackFindings,
  type Evidence,
  type Raised,
  type Round,
  type Settled,
  type Tracked,
} from "./findings.ts";
import { changesIn, contextAt, shownIn, type Changes, type Shown } from "./places.ts";
import { contradictionsIn, grouped, placedNow, recognise, type Back, type Placed } from "./recognise.ts";
import { isBlocking, type Answer, type Finding, type Verdict } from "./verdict.ts";

/** What one reviewer answered. */
export interface Opinion {
  readonly reviewer: string;
  readonly verdict: Extract<Verdict, { readonly is: "pass" | "fail" }>;
}
export interface RoundOrder {
  readonly head: string;
  /** Rounds before this one, oldest first. */
  readonly rounds: readonly Round[];
  readonly opinions: readonly Opinion[];
  /** The whole change. */
  readonly diff: string;
  /** What changed since the head of the last round; undefined where there is none, or where that cannot be told. */
  readonly since: string | undefined;
  readonly weights: Weights;
}
export interface Weights {
  readonly polishBlocks: boolean;
}

/** Settles what every finding is after this round, new ones and those of before. */
export function settleRound(order: RoundOrder): Round {
  const { head, rounds, opinions, diff, since, weights } = order;
  const known = trackFindings(rounds);
  const changes = since === undefined ? undefined : changesIn(since);
  const named = namedIn(opinions, shownIn(diff));
  const matches = recognise(named, known, changes);
  const taken = new Set(matches.flatMap((match) => match?.id ?? []));
  const raised = new Map<string, Raised>();
  const backs: Back[] = [];
  for (const [index, { finding, context, by }] of named.entries()) {
    const print = fingerprint(finding, context);
    const match = matches[index] ?? known.find(({ id }) => id === print && !taken.has(id) && !raised.has(id));
    const id = match?.id ?? nameFor(print, [...raised.keys(), ...known.map((one) => one.id)]);
    const isFresh = rounds.length === 0 || changes === undefined || freshIn(changes, finding);
    const is = stateOf(match, isFresh, finding, weights);
    const { evidence } = match?.finding ?? {};
    raised.set(id, {
      ...finding,
      id,
      is,
      ...(context === undefined ? {} : { context }),
      ...(by.length < 2 && opinions.length < 2 ? {} : { by: [...by] }),
      // What a command showed holds for the code it was shown on.
      ...(evidence?.shows !== "the finding" || isFresh ? {} : { evidence }),
    });
    backs.push({ id, finding, context, firstRound: match?.firstRound, isBack: match?.is === "fixed" });
  }
  const left = known.filter((one) => isOpen(one) && !raised.has(one.id));
  return {
    head,
    findings: [...raised.values()],
    earlier: left.map((one) => settle(one, opinions, changes)),
    contradictions: [...contradictionsIn(backs, known, changes)],
  };
}

/** The same words at another place of a file are another finding, and no finding takes the name of one that is known. */
function nameFor(print: string, used: readonly string[]): string {
  let name = print;
  for (let twin = 2; used.includes(name); twin += 1) name = `${print}-${twin}`;
  return name;
}

/** Late blockers with a command that would show them: to be run before the round is weighed. */
export const toReproduce = ({ findings }: Round): readonly Raised[] =>
  findings.filter(
    ({ is, grade, reproduce, evidence }) =>
      is === "late" && grade === "blocker" && reproduce !== undefined && evidence === undefined,
  );

/** The same round with what the commands showed. */
export const withEvidence = (round: Round, evidence: ReadonlyMap<string, Evidence>): Round => ({
  ...round,
  findings: round.findings.map((one) => {
    const shown = one.id === undefined ? undefined : evidence.get(one.id);
    return shown === undefined ? one : { ...one, evidence: shown };
  }),
});

/** The same round without those that a mediator took out of scope. */
export const withDropped = (round: Round, dropped: ReadonlySet<string>, why: string): Round => ({
  ...round,
  findings: round.findings.map((one) =>
    one.id !== undefined && dropped.has(one.id) ? { ...one, is: "dropped" as const } : one,
  ),
  earlier: round.earlier?.map((one) => (dropped.has(one.id) ? { ...one, is: "dropped" as const, why } : one)),
});

export interface Weighed {
  readonly is: "pass" | "fail";
  /** As it is kept: each finding says whether it blocks. */
  readonly round: Round;
  /** What holds the change back. */
  readonly holding: readonly Tracked[];
  /** Graded as blockers, and without weight because they came late and nothing showed them. */
  readonly late: readonly Tracked[];
}

/** Does this round pass? Decided by what is still open, not by what the reviewers call their verdict. */
export function weigh(round: Round, rounds: readonly Round[], weights: Weights): Weighed {
  const tracked = trackFindings([...rounds, round]);
  const holding = holdingIn(tracked, weights);
  const ids = new Set(holding.map(({ id }) => id));
  return {
    is: holding.length === 0 ? "pass" : "fail",
    round: {
      ...round,
      findings: round.findings.map((one) => ({ ...one, blocks: one.id !== undefined && ids.has(one.id) })),
    },
    holding,
    late: tracked.filter(
      (one) => isOpen(one) && one.isLate && one.finding.grade === "blocker" && !ids.has(one.id),
    ),
  };
}

/** Open findings that hold a change back. A late one does when it is a blocker and a command showed it. */
export const holdingIn = (tracked: readonly Tracked[], weights: Weights): readonly Tracked[] =>
  tracked.filter(
    (one) =>
      isOpen(one) &&
      (one.isLate
        ? one.finding.grade === "blocker" && one.finding.evidence?.shows === "the finding"
        : isBlocking(one.finding.grade, weights)),
  );

interface Named extends Placed {
  readonly finding: Finding;
  readonly by: readonly string[];
}

/** What the reviewers name, each complaint once, in its gravest words. */
function namedIn(opinions: readonly Opinion[], shown: Shown): readonly Named[] {
  const all = opinions.flatMap(({ reviewer, verdict }) =>
    saidOnce(verdict.findings).map((finding) => ({
      finding,
      by: reviewer,
      context: contextAt(shown, finding.path, finding.line),
    })),
  );
  return grouped(all).flatMap((group) => {
    const said = group.flatMap((index) => all[index] ?? []);
    const [gravest] = said.toSorted((one, two) => weight[two.finding.grade] - weight[one.finding.grade]);
    if (gravest === undefined) return [];
    const reproduce = said.find((one) => one.finding.reproduce !== undefined)?.finding.reproduce;
    const finding = reproduce === undefined ? gravest.finding : { ...gravest.finding, reproduce };
    return [{ finding, context: gravest.context, by: [...new Set(said.map(({ by }) => by))] }];
  });
}

const weight = { blocker: 2, polish: 1, future: 0 } as const;

/** One reviewer's words, each once at its place: of those said twice the gravest. */
function saidOnce(findings: readonly Finding[]): readonly Finding[] {
  const said = new Map<string, Finding>();
  for (const finding of findings) {
    const place = JSON.stringify([fingerprint(finding), finding.line ?? null]);
    const before = said.get(place);
    if (before === undefined || weight[finding.grade] > weight[before.grade]) said.set(place, finding);
  }
  return [...said.values()];
}

/** A complaint about no place at all is about the change as it now is. */
const freshIn = (changes: Changes, { path, line }: Finding): boolean =>
  path === undefined ? !changes.isEmpty : changes.isFresh(path, line);

function stateOf(
  match: Tracked | undefined,
  isFresh: boolean,
  finding: Finding,
  weights: Weights,
): Raised["is"] {
  if (match === undefined) return isFresh ? "new" : "late";
  // Out of scope is out of scope, whatever is built.
  if (match.is === "dropped") return "dropped";
  if (isFresh) return isOpen(match) ? "open" : "reopened";
  // On the same code it was mended before, or weighed less: it could have been said then.
  const isGraver = isBlocking(finding.grade, weights) && !isBlocking(match.finding.grade, weights);
  return match.is === "fixed" || match.isLate || isGraver ? "late" : "open";
}

/** What became of an open finding that no reviewer names again. */
function settle(one: Tracked, opinions: readonly Opinion[], changes: Changes | undefined): Settled {
  const answers = opinions.flatMap(({ verdict }) => verdict.earlier.filter(({ id }) => id === one.id));
  const { path, line } = placedNow(one, changes).finding;
  const place = { ...(path === undefined ? {} : { path }), ...(line === undefined ? {} : { line }) };
  const said = (is: Answer["is"]): Answer | undefined => answers.find((answer) => answer.is === is);
  const end = (is: Settled["is"], why: string): Settled => ({ id: one.id, is, why, ...place });
  const present = said("present");
  if (present !== undefined) return end("open", present.why || "still present");
  const fixed = said("fixed");
  const unsure = said("unsure");
  if (fixed !== undefined && unsure === undefined)
    return canBeFixed(one, changes, fixed)
      ? end("fixed", fixed.why || "fixed")
      : end("open", "said to be fixed, but nothing has changed there since");
  if (unsure !== undefined) return end("open", unsure.why || "the reviewer is not sure");
  if (changes === undefined) return end("fixed", "nobody found it again");
  return hasMoved(one, changes)
    ? end("fixed", "its place has changed, and nobody found it again")
    : { ...end("open", "nobody spoke of it, and nothing has changed there since"), unaddressed: true };
}

/** Nothing is mended where nothing changes: neither in its file nor in the one that is named as the cure. */
function canBeFixed({ finding }: Tracked, changes: Changes | undefined, answer: Answer): boolean {
  if (changes === undefined) return true;
  if (answer.path !== undefined && changes.paths.has(answer.path)) return true;
  return finding.path === undefined ? !changes.isEmpty : changes.paths.has(finding.path);
}

const hasMoved = ({ finding: { path, line } }: Tracked, changes: Changes): boolean =>
  path === undefined ? !changes.isEmpty : changes.isTouched(path, line);
