import { evidenceOf } from "../review/evidence.ts";
import type { Finding } from "../review/verdict.ts";
import type { Sha } from "../state-machine/ticket.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

/** A pass as it is about to be reported. */
interface Pass {
  readonly ticket: string;
  readonly head: string;
  readonly summary: string;
  readonly needsPerson: readonly string[];
  readonly findings: readonly Finding[];
  readonly rules: WorkFacts["review"];
}

/** What the verdict of this run stands on; who reviewed is read from its sessions, which are over by now. */
export async function passEvidence(
  work: TicketWork,
  run: string,
  tree: { readonly base: Sha; readonly tree?: Sha | undefined },
  { ticket, rules, ...pass }: Pass,
): Promise<ReturnType<typeof evidenceOf>> {
  const facts = await work.facts(ticket);
  const { polishBlocks, protectedPaths, largest, mediator, panel, quorum } = rules;
  return evidenceOf({
    ...pass,
    base: tree.base,
    tree: tree.tree ?? null,
    builders: facts.makersOf(pass.head),
    reviewers: facts.reviewersIn(run),
    rules: {
      polishBlocks,
      protectedPaths: [...protectedPaths],
      largest: { ...largest },
      mediator: { at: mediator.at, how: mediator.how, runtime: mediator.runtime ?? null },
      panel: panel.map(({ name, persona }) => ({ name, persona: persona ?? null })),
      quorum: quorum ?? null,
    },
  });
}
