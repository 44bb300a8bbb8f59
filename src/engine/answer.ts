import { z } from "zod";
import { ApprovalAnswer, ChoiceAnswer, RankAnswer } from "./components.ts";
import { wordsOf } from "./ends.ts";
import type { Verb } from "../sql.ts";
import type { Ask } from "./node.ts";
import { answerLeaf, askOf } from "./attempts.ts";

/** What may be answered to an ask, by the words its row keeps: the workflow need not be rendered. */
function shapeOf(ask: Ask): z.ZodType {
  switch (ask.is) {
    case "approve":
      return ApprovalAnswer;
    case "choose":
      return ChoiceAnswer.extend({ choice: z.enum(ask.options) });
    case "rank":
      return RankAnswer.extend({ order: rankOf(ask.options) });
    case "question":
    case "signal":
      return z.fromJSONSchema(ask.schema as Parameters<typeof z.fromJSONSchema>[0]);
  }
}

/** Each option once, best first. */
function rankOf(options: readonly string[]): z.ZodType<string[]> {
  return z
    .array(z.string())
    .refine(
      (order) => order.length === options.length && options.every((option) => order.includes(option)),
      `name each of ${options.join(", ")} once`,
    );
}

/** The answer as it may be kept, or what is wrong with it. */
function readAnswer(
  ask: Ask,
  answer: unknown,
): { readonly is: "fit"; readonly answer: unknown } | { readonly is: "unfit"; readonly why: string } {
  const parsed = shapeOf(ask).safeParse(answer);
  return parsed.success ? { is: "fit", answer: parsed.data } : { is: "unfit", why: wordsOf(parsed.error) };
}

/** What became of an answer; one that does not fit changes nothing. */
export type Answered = "answered" | "nothing waits" | { readonly refused: string };

/** Why this person may not answer; undefined when they may. Where nobody is named, everybody may. */
function forbids({ who = [] }: Ask, by: string | undefined): string | undefined {
  if (who.length === 0 || (by !== undefined && who.includes(by))) return undefined;
  return `only ${who.join(" or ")} may answer, not ${by ?? "somebody without a name"}`;
}
const Signed = z.object({ by: z.string() });

/**
 * Answers what a leaf of a run waits for; as a verb, for processes that carry no runs. Who answers is `by`, else whom
 * the answer names: whoever calls vouches for it.
 */
export function* answerRun(
  run: string,
  leaf: string,
  answer: unknown,
  now: number,
  by: string | undefined = Signed.safeParse(answer).data?.by,
): Verb<Answered> {
  const ask = yield* askOf(run, leaf);
  if (ask === undefined) return "nothing waits";
  const forbidden = forbids(ask, by);
  if (forbidden !== undefined) return { refused: `"${leaf}" is not yours to answer: ${forbidden}` };
  const read = readAnswer(ask, answer);
  if (read.is === "unfit") return { refused: `the answer to "${leaf}" does not fit: ${read.why}` };
  return yield* answerLeaf(run, leaf, read.answer, now);
}
