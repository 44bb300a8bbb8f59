import { z } from "zod";
import type { AgentSays, Family } from "../ports-agents.ts";
import { families, familyOfAll } from "../review/pairing.ts";

/** What is known of the models behind a piece of work: those observed, else the one its operator's configuration names. */
export const modelsSeen = z.object({
  models: z.array(z.string()),
  configured: z.object({ model: z.string(), family: z.enum(families) }).optional(),
});
export type ModelsSeen = z.infer<typeof modelsSeen>;

/** What a session's row is told of its model. */
export interface ModelOnRecord {
  readonly model: string;
  readonly family: Family;
  readonly modelBy: "observed" | "configured";
}

/** Takes in one word about a model; undefined when it teaches nothing, because a better one was there before. */
export function sawModel(
  seen: ModelsSeen,
  said: Extract<AgentSays, { type: "model" }>,
): ModelOnRecord | undefined {
  if (said.configured === undefined) {
    if (!seen.models.includes(said.id)) seen.models.push(said.id);
    return { model: said.id, family: familyOfAll(seen.models), modelBy: "observed" };
  }
  if (seen.models.length > 0) return undefined;
  seen.configured = { model: said.id, family: said.configured };
  return { model: said.id, family: said.configured, modelBy: "configured" };
}

/** The one family behind the work. What was observed always outweighs what was configured. */
export const familySeen = ({ models, configured }: ModelsSeen): Family =>
  models.length > 0 ? familyOfAll(models) : (configured?.family ?? "unknown");

/** The models behind the work, by name. */
export const namesSeen = ({ models, configured }: ModelsSeen): readonly string[] =>
  models.length > 0 || configured === undefined ? models : [configured.model];
