import { z } from "zod";
import type { Gap } from "../state-machine/event.ts";
import { firstProblem, jsonIn } from "./verdict.ts";

const part = z.object({
  ok: z.boolean(),
  reason: z.string().max(2000),
  choices: z.array(z.string().max(1000)).max(50).nullish(),
});
const answerSchema = z.object({
  decision: z.enum(["proceed", "flag"]),
  where: part,
  what: part,
  acceptance: part,
  ambiguity: part,
  gapComment: z.string().max(5000).nullish(),
});

const partJson = {
  type: "object",
  additionalProperties: false,
  required: ["ok", "reason", "choices"],
  properties: {
    ok: { type: "boolean" },
    reason: { type: "string" },
    choices: { type: ["array", "null"], items: { type: "string" } },
  },
} as const;

/** What the gate agent is asked for. */
export const gateJsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["decision", "where", "what", "acceptance", "ambiguity", "gapComment"],
  properties: {
    decision: { type: "string", enum: ["proceed", "flag"] },
    where: partJson,
    what: partJson,
    acceptance: partJson,
    ambiguity: partJson,
    gapComment: { type: ["string", "null"] },
  },
} as const;

export type GateAnswer =
  | { readonly is: "proceed" }
  | { readonly is: "flag"; readonly gaps: readonly Gap[]; readonly comment: string }
  | { readonly is: "malformed"; readonly why: string };

/** Reads the gate's answer; a flag without a comment for the author is malformed. */
export function readGateAnswer(answer: { readonly structured: unknown; readonly text: string }): GateAnswer {
  const raw = answer.structured ?? jsonIn(answer.text);
  const parsed = answerSchema.safeParse(raw);
  if (!parsed.success)
    return { is: "malformed", why: `the gate's answer is malformed: ${firstProblem(parsed.error)}` };
  const { decision, where, what, acceptance, ambiguity, gapComment } = parsed.data;
  if (decision === "proceed") return { is: "proceed" };
  const comment = gapComment?.trim() ?? "";
  if (comment === "")
    return { is: "malformed", why: "the gate flagged the ticket without saying what is missing" };
  const named = [
    ["Where", where],
    ["What", what],
    ["Acceptance", acceptance],
    ["Ambiguity", ambiguity],
  ] as const;
  const gaps = named
    .filter(([, { ok }]) => !ok)
    .map(([about, { reason, choices }]) => ({ about, missing: reason, ...choicesIn(choices ?? []) }));
  return { is: "flag", gaps, comment };
}

/** As many as people read, and as long. */
const mostChoices = 6;
const longestChoice = 100;

/** Two or more answers to pick from, or none: of one there is no choice, and what would read as a command is no answer. */
function choicesIn(said: readonly string[]): Pick<Gap, "choices"> {
  const plain = said
    .map((one) => one.replaceAll(/\s+/gu, " ").trim())
    .filter((one) => one !== "" && one.length <= longestChoice && !/^[/@]/u.test(one));
  const isFirst = (one: string, at: number): boolean =>
    plain.findIndex((other) => other.toLowerCase() === one.toLowerCase()) === at;
  const choices = plain.filter(isFirst).slice(0, mostChoices);
  return choices.length < 2 ? {} : { choices };
}
