/** An agent that neither built nor reviewed says how rounds that do not converge are to end. */
import type { Step } from "../engine/node.ts";
import { Trouble } from "../ports.ts";
import { trackFindings, type Round } from "../review/findings.ts";
import {
  blockersTakenOut,
  chooseMediators,
  mediationJsonSchema,
  readMediation,
  type MediatorAnswer,
} from "../review/mediate.ts";
import { familyNamed, judgePairings } from "../review/pairing.ts";
import { partsOf } from "../review/parts.ts";
import { weigh, withDropped, type Weighed } from "../review/round.ts";
import { redact } from "../secrets.ts";
import { agentFilesIn, restoreCold, writtenSince } from "./agent-files.ts";
import { askInChain } from "./ask-chain.ts";
import { headOf, inCold } from "./judge.ts";
import { mediatePrompt } from "./prompts.ts";
import type { TicketInput } from "./report.ts";
import { kept, passed, titlesIn, type ReviewOutput, type SettledReview } from "./settle-review.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

/** What the mediator made of a dispute. Whatever is not plainly an answer goes to a person. */
export async function mediateReview(
  work: TicketWork,
  input: TicketInput,
  settled: SettledReview,
  step: Step,
): Promise<ReviewOutput> {
  const facts = await work.facts(input.ticket);
  const round: Round = { head: headOf(input), ...kept({ head: "", ...settled.output }) };
  const weighed = weigh(round, facts.rounds, facts.review);
  const { by, answer } = await asked(work, input, { facts, settled, weighed }, step);
  return await concluded(work, input, { facts, settled, weighed, run: step.run }, { by, ...answer });
}

interface Given {
  readonly facts: WorkFacts;
  readonly settled: SettledReview;
  readonly weighed: Weighed;
}
interface Spoken {
  readonly by: string;
  readonly answer: MediatorAnswer;
}
const escalated = (why: string, by = "nobody"): Spoken => ({
  by,
  answer: { decision: "escalate", drop: [], why: redact(why) },
});

async function asked(
  work: TicketWork,
  input: TicketInput,
  { facts, settled, weighed }: Given,
  step: Step,
): Promise<Spoken> {
  const builders = facts.builtBy(headOf(input));
  const chosen = chooseMediators({
    builders,
    reviewers: settled.output.families.reviewer.split(" and ").map(familyNamed),
    fixed: facts.review.mediator.runtime,
    candidates: [...work.agents.values()].map(({ name, family }) => ({ name, family })),
  });
  if (chosen.is === "nobody") return escalated(chosen.why);
  const holding = new Set(weighed.holding.map(({ id }) => id));
  const { tier } = chosen;
  const seated: WorkFacts =
    tier === undefined ? facts : { ...facts, assign: (role, own) => facts.assign(role, { ...own, tier }) };
  const order = { remote: facts.remote, name: `mediate-${step.run}` };
  return await inCold(work, input, order, async (tree) => {
    const { diff } = tree;
    const restored = agentFilesIn(diff);
    await restoreCold(work, tree, restored, step);
    const nonce = work.nonce();
    const titleOf = titlesIn([...facts.rounds, weighed.round]);
    const parts = partsOf(diff);
    const dispute = {
      why: settled.dispute ?? "",
      diff: parts[0]?.diff ?? "",
      parts: parts.length,
      holding: weighed.holding,
      history: trackFindings([...facts.rounds, weighed.round]),
      contradictions: (weighed.round.contradictions ?? []).map(
        ({ id, against, why }) => `${id} (${titleOf(id)}) against ${against} (${titleOf(against)}): ${why}`,
      ),
    };
    try {
      const { outcome, family, models, runtime } = await askInChain(
        work,
        seated,
        {
          role: "mediate",
          chain: chosen.runtimes,
          brief: () => mediatePrompt(seated, nonce, dispute),
          flaw: (answer) => {
            const read = readMediation(answer, holding);
            return "flaw" in read ? read.flaw : undefined;
          },
          cwd: tree.path,
          access: "read",
          schema: mediationJsonSchema,
          resume: () => undefined,
        },
        step,
      );
      const by = `${runtime} (${models.join(", ") || "unknown model"})`;
      const written = await writtenSince(work.workspace, tree, restored);
      if (written.length > 0)
        return escalated(`the mediator wrote files: ${written.slice(0, 5).join(", ")}`, by);
      if (outcome.is === "failed") return escalated(`the mediator did not finish: ${outcome.why}`, by);
      const pairing = judgePairings(builders, family);
      if (pairing.is === "blocked") return escalated(`the mediator may not judge: ${pairing.why}`, by);
      const read = readMediation(outcome, holding);
      if ("flaw" in read) return escalated(read.flaw, by);
      return { by, answer: { ...read, why: redact(read.why) } };
    } catch (error) {
      // Who cannot be asked settles nothing; what passes by itself is tried again.
      if (error instanceof Trouble && error.permanent)
        return escalated(`the mediator cannot be asked: ${error.message}`);
      throw error;
    }
  });
}

/** The review as it ends now. */
async function concluded(
  work: TicketWork,
  input: TicketInput,
  { facts, settled, weighed, run }: Given & { readonly run: string },
  mediation: NonNullable<ReviewOutput["mediation"]>,
): Promise<ReviewOutput> {
  const { output, summary, dispute, at } = settled;
  const { head } = weighed.round;
  const { decision, drop, why } = mediation;
  const blocked = (reason: string): ReviewOutput => ({
    ...output,
    mediation,
    event: { type: "review.blocked", head, why: reason },
  });
  if (decision === "escalate" || at === undefined)
    return blocked([dispute, why].filter(Boolean).join("; mediator: "));
  const pass = { run, at, facts };
  if (decision === "approve-with-caveat") {
    const needsPerson = [...settled.needsPerson, `the mediator passed it with a caveat: ${why}`];
    const said = `${summary}\n\nMediator: approved with a caveat. ${why}`;
    const event = await passed(work, input, { ...pass, weighed, summary: said, needsPerson });
    return { ...output, mediation, event };
  }
  const trimmed = weigh(withDropped(weighed.round, new Set(drop), why), facts.rounds, facts.review);
  const titleOf = titlesIn([...facts.rounds, weighed.round]);
  const said = `${summary}\n\nMediator: out of scope are ${drop.map(titleOf).join("; ")}. ${why}`;
  const needsPerson = [
    ...new Set([...settled.needsPerson, ...blockersTakenOut([...facts.rounds, trimmed.round])]),
  ];
  return {
    ...output,
    ...kept(trimmed.round),
    mediation,
    event:
      trimmed.is === "pass"
        ? await passed(work, input, { ...pass, weighed: trimmed, summary: said, needsPerson })
        : { type: "review.failed", head, summary: said },
  };
}
