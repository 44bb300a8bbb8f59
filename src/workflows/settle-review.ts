/** What comes of a review: the sittings as one round, weighed beside the rounds before. */
import { z } from "zod";
import type { Step } from "../engine/node.ts";
import { Trouble, type Worktree } from "../ports.ts";
import { parseDiff } from "../review/diff.ts";
import { roundSchema, trackFindings, type Round } from "../review/findings.ts";
import { blockersTakenOut, mediate, mediationSchema } from "../review/mediate.ts";
import { agreementIn, hear, type Absent, type Heard } from "../review/panel.ts";
import { needsPerson as gates } from "../review/needs-person.ts";
import { settleRound, toReproduce, weigh, withEvidence, type Weighed } from "../review/round.ts";
import { unreadReasons } from "../review/unread.ts";
import { attributesIn } from "./attributes.ts";
import { passEvidence } from "./evidence.ts";
import { headOf, inCold } from "./judge.ts";
import { reportSchema, type TicketInput } from "./report.ts";
import { reproduceAll } from "./reproduce.ts";
import type { Opened, Sitting } from "./seats.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

/** What a review leaves behind: the event, and the findings for the pull request and the next brief. */
export const reviewOutput = z.object({
  event: reportSchema,
  ...roundSchema.omit({ head: true }).shape,
  families: z.object({ builder: z.string(), reviewer: z.string() }),
  models: z.array(z.string()),
  /** Who settled a dispute, and how. */
  mediation: mediationSchema.extend({ by: z.string() }).optional(),
});
export type ReviewOutput = z.infer<typeof reviewOutput>;

export const settledReview = z.object({
  output: reviewOutput,
  /** Why a mediator is to be asked before it ends so. */
  dispute: z.string().optional(),
  /** What the reviewers said, and what people should know of how. */
  summary: z.string(),
  /** The commit the head grew from, and its files. */
  at: z.object({ base: z.string(), tree: z.string().optional() }).optional(),
  /** What keeps a passed change from merging without a person, whoever passes it. */
  needsPerson: z.array(z.string()),
});
export type SettledReview = z.infer<typeof settledReview>;

/** A review that has no verdict. */
export const blockedReview = (
  head: string,
  why: string,
  seen: Pick<ReviewOutput, "families" | "models">,
): ReviewOutput => ({
  event: { type: "review.blocked", head, why },
  findings: [],
  families: seen.families,
  models: seen.models,
});

/** Makes one round of what the reviewers said. */
export async function settleReview(
  work: TicketWork,
  input: TicketInput,
  { opened, sittings }: { readonly opened: Opened; readonly sittings: readonly Sitting[] },
  step: Step,
): Promise<SettledReview> {
  const head = headOf(input);
  const facts = await work.facts(input.ticket);
  const seen = seenIn(facts.builtBy(head), sittings);
  const panel = hear(heardFrom(opened, sittings), facts.review.quorum);
  if (panel.is === "blocked")
    return { output: blockedReview(head, panel.why, seen), needsPerson: [], summary: "" };
  return await inCold(work, input, { remote: facts.remote, name: `settle-${step.run}` }, async (tree) => {
    const { diff } = tree;
    const since = await sinceLast(work, tree, facts.rounds);
    const { rounds, review: weights } = facts;
    const first = settleRound({ head, rounds, opinions: panel.opinions, diff, since, weights });
    const shown = await reproduceAll(work, input, facts, toReproduce(first), step);
    const weighed = weigh(withEvidence(first, shown), rounds, weights);
    const needsPerson = [
      ...(await gates(diff, { ...weights, attributes: await attributesIn(tree.path) })),
      ...unreadReasons(parseDiff(diff)),
      ...weighed.late.map(({ finding }) => `a blocker was raised late and not shown: ${finding.title}`),
      ...blockersTakenOut([...rounds, weighed.round]),
    ];
    const titleOf = titlesIn([...rounds, weighed.round]);
    const summary = [
      ...panel.opinions.map(({ reviewer, verdict }) =>
        opened.seats.length === 1 ? verdict.summary : `${reviewer}: ${verdict.summary}`,
      ),
      ...remarks(opened, panel.absent, weighed, titleOf),
    ].join("\n\n");
    const mediation = mediate(weights.mediator, facts.cycles + 1, weighed);
    const at = { base: tree.base, tree: tree.tree };
    const event: ReviewOutput["event"] =
      weighed.is === "pass"
        ? await passed(work, input, { run: step.run, at, weighed, summary, needsPerson, facts })
        : mediation.is === "continue"
          ? { type: "review.failed", head, summary }
          : // A dispute ends with a person, unless a mediator ends it otherwise.
            { type: "review.blocked", head, why: mediation.why };
    return {
      output: { event, ...kept(weighed.round), ...seen },
      needsPerson,
      summary,
      at,
      ...(weighed.is === "fail" && mediation.is === "ask" ? { dispute: mediation.why } : {}),
    };
  });
}

/** The event of a head that passed, with what it stands on. */
export async function passed(
  work: TicketWork,
  input: TicketInput,
  pass: {
    readonly run: string;
    readonly at: NonNullable<SettledReview["at"]>;
    readonly weighed: Weighed;
    readonly summary: string;
    readonly needsPerson: readonly string[];
    readonly facts: WorkFacts;
  },
): Promise<Extract<ReviewOutput["event"], { readonly type: "review.passed" }>> {
  const { run, at, weighed, summary, facts } = pass;
  const needsPerson = [...pass.needsPerson];
  const { head, findings } = weighed.round;
  const about = { ticket: input.ticket, head, summary, needsPerson, findings, rules: facts.review };
  const evidence = await passEvidence(work, run, at, about);
  return { type: "review.passed", head, summary, needsPerson, evidence };
}

/** A round as an output keeps it. */
export const kept = ({ findings, earlier, contradictions }: Round): Omit<Round, "head"> => ({
  findings,
  ...(earlier === undefined ? {} : { earlier }),
  ...(contradictions === undefined ? {} : { contradictions }),
});

/** Finds what a finding is called by its id. */
export function titlesIn(rounds: readonly Round[]): (id: string) => string {
  const titles = new Map(trackFindings(rounds).map(({ id, finding }) => [id, finding.title]));
  return (id) => titles.get(id) ?? id;
}

/** What changed since the head of the last round; undefined where there is none, or where it is not to be had any more. */
async function sinceLast(
  work: TicketWork,
  tree: Worktree,
  rounds: readonly Round[],
): Promise<string | undefined> {
  const last = rounds.at(-1)?.head;
  if (last === undefined) return undefined;
  if (last === tree.head) return "";
  try {
    return await work.workspace.diff({ ...tree, base: last });
  } catch (error) {
    // Nobody keeps a head that was pushed over. Everything counts as changed then, so that nothing loses its weight.
    if (error instanceof Trouble) return undefined;
    throw error;
  }
}

const heardFrom = (opened: Opened, sittings: readonly Sitting[]): readonly Heard[] =>
  opened.seats.map(({ name }) => {
    const own = sittings.filter(({ seat }) => seat === name).map(({ answer }) => answer);
    const missing = Math.max(0, opened.parts - own.length);
    return {
      reviewer: name,
      verdicts: [
        ...own,
        ...Array.from({ length: missing }, () => ({ is: "blocked" as const, why: "it did not answer" })),
      ],
    };
  });

function seenIn(
  builders: readonly string[],
  sittings: readonly Sitting[],
): Pick<ReviewOutput, "families" | "models"> {
  const reviewers = [...new Set(sittings.map(({ family }) => family))].filter((one) => one !== "unknown");
  return {
    families: {
      builder: builders.join(" and ") || "unknown",
      reviewer: reviewers.join(" and ") || "unknown",
    },
    models: [...new Set(sittings.flatMap(({ models }) => models))],
  };
}

/** What people should know of how the verdict came about. */
function remarks(
  { seats, parts }: Opened,
  absent: readonly Absent[],
  { round, late, holding }: Weighed,
  titleOf: (id: string) => string,
): readonly string[] {
  const { consensus, divergent, unaddressed } = agreementIn(round, titleOf);
  const listed = (what: string, titles: readonly string[]): readonly string[] =>
    titles.length === 0 ? [] : [`${what}: ${titles.slice(0, 10).join("; ")}`];
  const carried = (round.earlier ?? []).filter(({ id }) => holding.some((one) => one.id === id));
  return [
    ...(parts > 1 ? [`The change was too large for one review and was read in ${parts} parts.`] : []),
    ...absent.map(({ reviewer, why }) => `${reviewer} gave no verdict that counts: ${why}`),
    ...(seats.length > 1 ? [...listed("Consensus", consensus), ...listed("Divergent", divergent)] : []),
    ...listed("Unaddressed", unaddressed),
    ...listed(
      "Still open",
      carried.map(({ id, why }) => `${titleOf(id)} (${why})`),
    ),
    ...listed(
      "Raised late, without weight",
      late.map(({ finding }) => finding.title),
    ),
    ...listed(
      "Contradiction",
      (round.contradictions ?? []).map(
        ({ id, against, why }) => `${titleOf(id)} against ${titleOf(against)}: ${why}`,
      ),
    ),
  ];
}
