import { z } from "zod";
import { roundSchema } from "../review/findings.ts";
import { mediationSchema } from "../review/mediate.ts";

/** What stands beside the event in the output of a run of ours. */
const outputSchema = z.object({
  findings: roundSchema.shape.findings.default([]),
  earlier: roundSchema.shape.earlier,
  contradictions: roundSchema.shape.contradictions,
  mediation: mediationSchema.extend({ by: z.string() }).optional(),
  flaky: z.boolean().default(false),
});
export type RunOutput = z.infer<typeof outputSchema>;

/** Reads a settled run's output; undefined when it has none, or one of another make. */
export function readOutput(output: unknown): RunOutput | undefined {
  const parsed = outputSchema.safeParse(output);
  return parsed.success ? parsed.data : undefined;
}
