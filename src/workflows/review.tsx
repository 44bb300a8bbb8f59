import { z } from "zod";
import { Task } from "../engine/task.ts";
import type { Step } from "../engine/node.ts";
import { workflow, type Workflow } from "../engine/workflow.ts";
import { Trouble } from "../ports.ts";
import { trackFindings } from "../review/findings.ts";
import { mediate } from "../review/mediate.ts";
import { needsPerson } from "../review/needs-person.ts";
import { chooseReviewers, judgePairing } from "../review/pairing.ts";
import { decidePanel } from "../review/panel.ts";
import { findingSchema, readVerdict, verdictJsonSchema, type Finding } from "../review/verdict.ts";
import { redact } from "../secrets.ts";
import { agentFilesIn, restoreCold, writtenSince } from "./agent-files.ts";
import { askInChain } from "./ask-chain.ts";
import { attributesIn } from "./attributes.ts";
import { passEvidence } from "./evidence.ts";
import { reviewPrompt } from "./prompts.ts";
import { reportSchema, ticketInput, type TicketInput } from "./report.ts";
import type { TicketWork } from "./work.ts";

/** What a review leaves behind: the event, and the findings for the pull request and the next brief. */
export const reviewOutput = z.object({
  event: reportSchema,
  findings: z.array(findingSchema),
  families: z.object({ builder: z.string(), reviewer: z.string() }),
  models: z.array(z.string()),
});
export type ReviewOutput = z.infer<typeof reviewOutput>;

/** Another family judges exactly this head, cold and read-only. */
export const review = (work: TicketWork): Workflow<TicketInput, ReviewOutput> =>
  workflow({
    name: "review",
    input: ticketInput,
    output: reviewOutput,
    render: (ctx) => (
      <Task id="judge" output={reviewOutput} perform={(step) => judge(work, ctx.input, step)} />
    ),
    result: (ctx) => {
      const judged = ctx.latest("judge", reviewOutput);
      if (judged === undefined)
        throw new Trouble("review-unread", "The review ended without an answer.", { permanent: true });
      return judged;
    },
  });

async function judge(work: TicketWork, input: TicketInput, step: Step): Promise<ReviewOutput> {
  const { head } = input;
  if (typeof head !== "string")
    throw new Trouble("review-headless", "A review needs a head.", { permanent: true });
  const facts = await work.facts(input.ticket);
  const builders = facts.builtBy(head);
  const families = { builder: builders.join(" and ") || "unknown", reviewer: "unknown" };
  const blocked = (why: string, models: readonly string[] = []): ReviewOutput => ({
    event: { type: "review.blocked", head, why: redact(why) },
    findings: [],
    families,
    models: [...models],
  });
  const candidates = [...work.agents.values()].map(({ name, family }) => ({ name, family }));
  const { fallback } = facts.assign("review");
  const chosen = chooseReviewers({ builders, fixed: facts.runtimes.review, fallback, candidates });
  if (chosen.is === "blocked") return blocked(chosen.why);
  const tree = await work.workspace.checkoutCold(input.ticket, facts.remote, head, `review-${step.run}`);
  try {
    const diff = await work.workspace.diff(tree);
    const attributes = await attributesIn(tree.path);
    // The reviewer reads of them in the diff; no head may tell its own reviewer how to behave.
    const restored = agentFilesIn(diff);
    await restoreCold(work, tree, restored, step);
    const nonce = work.nonce();
    const { outcome, family, models } = await askInChain(
      work,
      facts,
      {
        role: "review",
        chain: chosen.runtimes,
        brief: (now) => reviewPrompt(now, nonce, diff),
        flaw: (answer) => {
          const read = readVerdict(answer, facts.review);
          return read.is === "blocked" ? read.why : undefined;
        },
        cwd: tree.path,
        access: "read",
        schema: verdictJsonSchema,
        resume: () => undefined,
      },
      step,
    );
    families.reviewer = family;
    const written = await writtenSince(work.workspace, tree, restored);
    if (written.length > 0)
      return blocked(`the reviewer wrote files: ${written.slice(0, 5).join(", ")}`, models);
    if (outcome.is === "failed") return blocked(`the reviewer did not finish: ${outcome.why}`, models);
    const pairings = builders.map((builder) => judgePairing({ builder, reviewer: family }));
    const pairing = pairings.find((one) => one.is === "blocked");
    if (pairing !== undefined) return blocked(pairing.why, models);
    const verdict = decidePanel([readVerdict(outcome, facts.review)]);
    if (verdict.is === "blocked") return blocked(verdict.why, models);
    const findings: Finding[] = verdict.findings.map((one) => ({
      ...one,
      title: redact(one.title),
      body: redact(one.body),
    }));
    const summary = redact(verdict.summary);
    const rest = { findings, families, models: [...models] };
    if (verdict.is === "pass") {
      const needs = [...(await needsPerson(diff, { ...facts.review, attributes }))];
      const pass = { ticket: input.ticket, head, summary, needsPerson: needs, findings, rules: facts.review };
      const evidence = await passEvidence(work, step.run, tree, pass);
      return { event: { type: "review.passed", head, summary, needsPerson: needs, evidence }, ...rest };
    }
    const history = trackFindings([...facts.rounds, { head, findings }]);
    const mediation = mediate(facts.review.mediator, facts.cycles + 1, history);
    if (mediation.is === "escalate")
      return { event: { type: "review.blocked", head, why: mediation.why }, ...rest };
    return { event: { type: "review.failed", head, summary }, ...rest };
  } finally {
    await work.workspace.dropCold(tree);
  }
}
