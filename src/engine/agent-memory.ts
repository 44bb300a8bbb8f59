import { createHash } from "node:crypto";
import { z } from "zod";
import { signKinds } from "./headway.ts";
import type { AgentUsage } from "./host.ts";
import type { Json } from "./node.ts";

const count = z.number().default(0);
const usageSchema = z.object({
  inputTokens: count,
  cachedInputTokens: count,
  outputTokens: count,
  reasoningTokens: count,
  usd: z.number().optional(),
});
const memorySchema = z.object({
  agent: z.string(),
  session: z.string().optional(),
  models: z.array(z.string()).default([]),
  /** Names the prompt that the session was given. */
  prompt: z.string().default(""),
  /** What was wrong with its last answer. */
  problem: z.string().optional(),
  /** Why it seemed to get nowhere in this session, oldest first. */
  signs: z.array(z.object({ is: z.enum(signKinds), why: z.string() })).default([]),
  /** Of every attempt at this leaf and iteration so far. */
  usage: usageSchema.prefault({}),
});
/** What an agent task keeps from one attempt to the next: who works, in which session, and what it has used. */
export type AgentMemory = z.infer<typeof memorySchema>;

/** What an agent task remembered; undefined when it was no agent task, or none had begun. */
export function readMemory(memory: unknown): AgentMemory | undefined {
  const parsed = memorySchema.safeParse(memory);
  return parsed.success ? parsed.data : undefined;
}

/** As rows keep it: what is undefined is left out. */
export const writeMemory = (memory: AgentMemory): Json => ({ ...memory, usage: { ...memory.usage } });

export const newMemory = (agent: string, usage: AgentMemory["usage"] = noUsage): AgentMemory => ({
  agent,
  models: [],
  prompt: "",
  signs: [],
  usage,
});

export const noUsage: AgentMemory["usage"] = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

/** Field by field; dollars are unknown only where nobody gave any. */
export function addUsage(
  one: AgentMemory["usage"],
  other: Omit<AgentUsage, "usd"> & { readonly usd?: number | undefined },
): AgentMemory["usage"] {
  const usd =
    one.usd === undefined && other.usd === undefined ? undefined : (one.usd ?? 0) + (other.usd ?? 0);
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cachedInputTokens: one.cachedInputTokens + other.cachedInputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
    ...(usd === undefined ? {} : { usd }),
  };
}

/** In words for people. */
export function usageInWords({ inputTokens, outputTokens, usd }: AgentMemory["usage"]): string {
  const tokens = `${inputTokens} tokens in, ${outputTokens} out`;
  return usd === undefined ? tokens : `${tokens}, $${usd.toFixed(4)}`;
}

export const nameOf = (prompt: string): string =>
  createHash("sha256").update(prompt).digest("hex").slice(0, 16);
