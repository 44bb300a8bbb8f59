import { z } from "zod";
import type { RuntimeName } from "../state-machine/ticket.ts";
import { trackFindings, type Round, type Tracked } from "./findings.ts";
import type { Builder, Family } from "./pairing.ts";
import { firstProblem, jsonIn } from "./verdict.ts";

/** How rounds that do not converge are settled: by an agent who mediates, by a person, or by going on until the breaker. */
export interface Mediator {
  readonly at: number;
  readonly how: "ask" | "escalate" | "continue";
  /** Who mediates, where that is fixed. */
  readonly runtime?: string | undefined;
}

export type Mediation =
  | { readonly is: "continue" }
  | { readonly is: "ask" | "escalate"; readonly why: string };

/** Asked when a review fails: `cycle` counts this failure too. Demands that contradict each other are settled at once. */
export function mediate(
  mediator: Mediator,
  cycle: number,
  { round, holding }: { readonly round: Round; readonly holding: readonly Tracked[] },
): Mediation {
  const contradictions = round.contradictions ?? [];
  if (mediator.how === "continue" || (cycle < mediator.at && contradictions.length === 0))
    return { is: "continue" };
  const named = holding.slice(0, 5).map(({ finding, is }) => `${finding.title} (${is})`);
  const open = named.join("; ") || "nothing named";
  return {
    is: mediator.how,
    why:
      contradictions.length > 0
        ? `the reviews contradict each other: ${contradictions[0]?.why ?? ""}; still open: ${open}`
        : `builder and reviewer do not agree after ${cycle} rounds; still open: ${open}`,
  };
}

interface Candidate {
  readonly name: RuntimeName;
  readonly family: Family;
}

/** Who may mediate, first choice first: the fixed one; else a third family; else who did not build, at its most capable. */
export function chooseMediators(options: {
  readonly builders: readonly Builder[];
  readonly reviewers: readonly Family[];
  readonly fixed: RuntimeName | undefined;
  readonly candidates: readonly Candidate[];
}):
  | {
      readonly is: "chosen";
      readonly runtimes: readonly RuntimeName[];
      readonly tier: "high" | undefined;
    }
  | { readonly is: "nobody"; readonly why: string } {
  const { builders, reviewers, fixed, candidates } = options;
  if (fixed !== undefined) {
    const isBuilder = candidates.some(({ name, family }) => name === fixed && builders.includes(family));
    return isBuilder
      ? { is: "nobody", why: `the mediator \`${fixed}\` is of a family that built the change` }
      : { is: "chosen", runtimes: [fixed], tier: undefined };
  }
  const others = candidates.filter(({ family }) => family !== "unknown" && !builders.includes(family));
  const thirds = others.filter(({ family }) => !reviewers.includes(family));
  const names = (list: readonly Candidate[]): readonly RuntimeName[] => list.map(({ name }) => name);
  if (thirds.length > 0) return { is: "chosen", runtimes: names(thirds), tier: undefined };
  if (others.length > 0) return { is: "chosen", runtimes: names(others), tier: "high" };
  return { is: "nobody", why: "no runtime of a family that did not build the change can mediate" };
}

export const mediationSchema = z.object({
  decision: z.enum(["scope-trim", "approve-with-caveat", "escalate"]),
  /** Findings that are out of scope. */
  drop: z.array(z.string().max(64)).max(200),
  why: z.string().trim().min(1).max(4_000),
});
export type MediatorAnswer = z.infer<typeof mediationSchema>;

/** Blockers that are there and weigh nothing only because an agent said so: a person is to see that before anything is merged. */
export const blockersTakenOut = (rounds: readonly Round[]): readonly string[] =>
  trackFindings(rounds)
    .filter(({ is, finding }) => is === "dropped" && finding.grade === "blocker")
    .map(({ finding }) => `the mediator took a blocker out of scope: ${finding.title}`);

/** What the mediator is asked for. */
export const mediationJsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["decision", "drop", "why"],
  properties: {
    decision: { type: "string", enum: [...mediationSchema.shape.decision.options] },
    drop: { type: "array", items: { type: "string" } },
    why: { type: "string" },
  },
} as const;

/** Reads the mediator's answer; what is not plainly one is told with its flaw. */
export function readMediation(
  answer: { readonly structured: unknown; readonly text: string },
  holding: ReadonlySet<string>,
): MediatorAnswer | { readonly flaw: string } {
  const parsed = mediationSchema.safeParse(answer.structured ?? jsonIn(answer.text));
  if (!parsed.success) return { flaw: `the mediator's answer is malformed: ${firstProblem(parsed.error)}` };
  const { decision, drop } = parsed.data;
  const unknown = drop.find((id) => !holding.has(id));
  if (decision === "scope-trim" && drop.length === 0)
    return { flaw: "the mediator trims the scope without naming a finding" };
  if (decision === "scope-trim" && unknown !== undefined)
    return { flaw: `the mediator drops \`${unknown.slice(0, 64)}\`, which holds nothing back` };
  return parsed.data;
}
