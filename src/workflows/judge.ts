/** One reviewer, cold, at one part of a change. */
import type { Step } from "../engine/node.ts";
import { Trouble, type ColdTree } from "../ports.ts";
import { isOpen, trackFindings, type Tracked } from "../review/findings.ts";
import { chooseReviewers, judgePairings, type Family } from "../review/pairing.ts";
import { maxParts, partsOf } from "../review/parts.ts";
import { holdingIn } from "../review/round.ts";
import { readVerdict, verdictJsonSchema, type Finding, type Verdict } from "../review/verdict.ts";
import { redact } from "../secrets.ts";
import { agentFilesIn, restoreCold, writtenSince } from "./agent-files.ts";
import { askInChain } from "./ask-chain.ts";
import { reviewPrompt } from "./prompts.ts";
import type { TicketInput } from "./report.ts";
import { singleSeat, type Opened, type Seat, type Sitting } from "./seats.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

/** The head that a review is about. */
export function headOf({ head }: TicketInput): string {
  if (typeof head === "string") return head;
  throw new Trouble("review-headless", "A review needs a head.", { permanent: true });
}

/** Works in a cold checkout of the head, and leaves none behind. */
export async function inCold<Result>(
  work: TicketWork,
  input: TicketInput,
  order: { readonly remote: WorkFacts["remote"]; readonly name: string },
  perform: (tree: ColdTree) => Promise<Result>,
): Promise<Result> {
  const tree = await work.workspace.checkoutCold(input.ticket, order.remote, headOf(input), order.name);
  try {
    return await perform(tree);
  } finally {
    await work.workspace.dropCold(tree);
  }
}

/** Says who is asked and in how many parts; or why nobody is. */
export async function openReview(work: TicketWork, input: TicketInput): Promise<Opened> {
  const head = headOf(input);
  const facts = await work.facts(input.ticket);
  const seats = seatsOf(facts);
  const made = makersOf(facts, head);
  const unseen = made.author === "git" ? "git" : "unknown";
  const builder = made.builders.join(" and ") || unseen;
  const quorum = Math.min(facts.review.quorum ?? seats.length, seats.length);
  const nobody = (why: string): Opened => ({ head, seats: [], parts: 0, quorum, builder, why });
  for (const seat of seats) {
    const chosen = reviewersFor(work, facts, made, seat);
    if (chosen.is === "blocked")
      return nobody(seats.length === 1 ? chosen.why : `${seat.name}: ${chosen.why}`);
  }
  const diff = await work.workspace.headDiff(facts.remote, head);
  const parts = partsOf(diff).length;
  if (parts === 0) return nobody("the head changes nothing: there is nothing to review");
  if (parts > maxParts)
    return nobody(
      `the change is too large to be reviewed: ${diff.length} characters, more than ${maxParts} parts; split the ticket`,
    );
  return { head, seats, parts, quorum, builder };
}

const seatsOf = ({ review }: WorkFacts): Seat[] =>
  review.panel.length === 0 ? [singleSeat] : [...review.panel];

/** Whose work is to be judged: of the host alone, with git, or of whoever was seen at work. */
type Makers = Pick<Parameters<typeof chooseReviewers>[0], "builders" | "author">;

function makersOf(facts: WorkFacts, head: string): Makers {
  const builders = facts.builtBy(head);
  return { builders, author: facts.gitMade === head && builders.length === 0 ? "git" : "models" };
}

/**
 * Why nobody would be left to judge what this runtime makes of the work that others left in the worktree; undefined where
 * somebody is.
 */
export async function whyUnjudged(
  work: TicketWork,
  ticket: TicketInput["ticket"],
  runtime: string,
): Promise<string | undefined> {
  const facts = await work.facts(ticket);
  const family = work.agents.get(runtime)?.family ?? "unknown";
  const left = facts.leftBy();
  // What is not known beforehand is judged by what is seen at work.
  if (family === "unknown" || left.every((one) => one === family)) return undefined;
  const builders = [...new Set([...left, family])];
  const chosen = seatsOf(facts).map((seat) => reviewersFor(work, facts, { builders }, seat));
  const blocked = chosen.find(({ is }) => is === "blocked");
  return blocked?.is === "blocked" ? blocked.why : undefined;
}

function reviewersFor(work: TicketWork, facts: WorkFacts, made: Makers, seat: Seat) {
  const candidates = [...work.agents.values()].map(({ name, family }) => ({ name, family }));
  return chooseReviewers({
    ...made,
    fixed: seat.runtime ?? facts.runtimes.review,
    fallback: facts.assign("review").fallback,
    candidates,
  });
}

/** Asks one reviewer about one part. What is no verdict that counts is told as such, with the reason. */
export async function judge(
  work: TicketWork,
  input: TicketInput,
  sat: { readonly opened: Opened; readonly seat: Seat; readonly part: number },
  step: Step,
): Promise<Sitting> {
  const head = headOf(input);
  const { opened, seat, part } = sat;
  const facts = seatedIn(await work.facts(input.ticket), seat);
  const made = makersOf(facts, head);
  const { builders } = made;
  const chosen = reviewersFor(work, facts, made, seat);
  const noVerdict = (why: string, family: Family = "unknown", models: readonly string[] = []): Sitting => ({
    seat: seat.name,
    part,
    family,
    models: [...models],
    answer: { is: "blocked", why: redact(why) },
  });
  if (chosen.is === "blocked") return noVerdict(chosen.why);
  const name = `${step.leaf.replaceAll("/", "-")}-${step.run}`;
  return await inCold(work, input, { remote: facts.remote, name }, async (tree) => {
    const whole = tree.diff;
    const shown = partsOf(whole);
    // Others were told how many there are: of what they were not told of nobody would say anything.
    if (shown.length !== opened.parts)
      return noVerdict(
        `the change has ${shown.length} parts, and ${opened.parts} were given out to be judged`,
      );
    // The reviewer reads of them in the diff; no head may tell its own reviewer how to behave.
    const restored = agentFilesIn(whole);
    await restoreCold(work, tree, restored, step);
    const nonce = work.nonce();
    const tracked = trackFindings(facts.rounds);
    const holding = new Set(holdingIn(tracked, facts.review).map(({ id }) => id));
    const rules = { polishBlocks: facts.review.polishBlocks, holding };
    const diff = shown[part]?.diff ?? "";
    const change = {
      diff,
      part: { number: part + 1, of: shown.length },
      earlier: askedHere(
        tracked,
        shown.map((one) => one.diff),
        part,
      ),
    };
    const { outcome, family, models } = await askInChain(
      work,
      facts,
      {
        role: "review",
        chain: chosen.runtimes,
        brief: () => reviewPrompt(facts, nonce, change),
        flaw: (answer) => {
          const read = readVerdict(answer, rules);
          return read.is === "blocked" ? read.why : undefined;
        },
        cwd: tree.path,
        access: "read",
        schema: verdictJsonSchema,
        resume: () => undefined,
      },
      step,
    );
    const written = await writtenSince(work.workspace, tree, restored);
    const told = (why: string): Sitting => noVerdict(why, family, models);
    if (written.length > 0) return told(`the reviewer wrote files: ${written.slice(0, 5).join(", ")}`);
    if (outcome.is === "failed") return told(`the reviewer did not finish: ${outcome.why}`);
    const pairing = judgePairings(builders, family);
    if (pairing.is === "blocked") return told(pairing.why);
    const verdict = readVerdict(outcome, rules);
    if (verdict.is === "blocked") return told(verdict.why);
    return { seat: seat.name, part, family, models: [...models], answer: redacted(verdict) };
  });
}

/** The same facts with the role filled as this seat says. */
const seatedIn = (facts: WorkFacts, { persona, tier }: Seat): WorkFacts => ({
  ...facts,
  assign: (role, asked) =>
    facts.assign(role, {
      ...asked,
      ...(persona === undefined ? {} : { persona }),
      ...(tier === undefined ? {} : { tier }),
    }),
});

/** Earlier findings that whoever reads this part is asked about: those in its files, and with the first part the rest. */
function askedHere(tracked: readonly Tracked[], parts: readonly string[], part: number): readonly Tracked[] {
  const holders = (path: string | undefined): readonly number[] =>
    path === undefined
      ? []
      : parts.flatMap((diff, index) =>
          diff.includes(`/${path}\n`) || diff.includes(`/${path} `) ? [index] : [],
        );
  return tracked.filter((one) => {
    if (!isOpen(one)) return false;
    const found = holders(one.finding.path);
    return found.length === 0 ? part === 0 : found.includes(part);
  });
}

type Spoken = Extract<Verdict, { readonly is: "pass" | "fail" }>;

function redacted({ is, findings, earlier, summary }: Spoken): Sitting["answer"] {
  return {
    is,
    findings: findings.map(redactedFinding),
    earlier: earlier.map((one) => ({ ...one, why: redact(one.why) })),
    summary: redact(summary),
  };
}

const redactedFinding = ({ reproduce, ...one }: Finding): Finding => ({
  ...one,
  title: redact(one.title),
  body: redact(one.body),
  ...(reproduce === undefined ? {} : { reproduce: { ...reproduce, command: redact(reproduce.command) } }),
});
