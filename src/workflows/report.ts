import { z } from "zod";
import { evidenceSchema } from "../review/evidence.ts";

const head = z.string().regex(/^[0-9a-f]{40}$/u, "a commit of 40 hex digits");
const gap = z.object({
  about: z.enum(["Where", "What", "Acceptance", "Ambiguity"]),
  missing: z.string(),
  choices: z.array(z.string()).optional(),
});

/** What a run of ours may report: an event of the ticket, without the run, which the shell adds. */
export const reportSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("gate.passed") }),
  z.object({ type: z.literal("gate.flagged"), gaps: z.array(gap), comment: z.string().min(1) }),
  z.object({ type: z.literal("build.delivered"), head, summary: z.string() }),
  z.object({
    type: z.literal("build.gave-up"),
    how: z.enum(["failed", "unfinished"]),
    why: z.string(),
    turns: z.number().int().positive().optional(),
  }),
  z.object({
    type: z.literal("review.passed"),
    head,
    summary: z.string(),
    needsPerson: z.array(z.string()),
    evidence: evidenceSchema.optional(),
  }),
  z.object({ type: z.literal("review.failed"), head, summary: z.string() }),
  z.object({ type: z.literal("review.blocked"), head, why: z.string() }),
]);
export type Report = z.infer<typeof reportSchema>;

/** The input of every workflow of a ticket. */
export const ticketInput = z.object({ ticket: z.string(), head: z.string().nullish() });
export type TicketInput = z.infer<typeof ticketInput>;
