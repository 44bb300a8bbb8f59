/** One attempt of an agent at a question: what its turns share, and what outlives the process. */
import { z } from "zod";
import { signKinds } from "../engine/headway.ts";
import type { Json, Step } from "../engine/node.ts";
import type { Agent, AgentOutcome, Role, WorkOrder } from "../ports-agents.ts";
import { ticketOfRun } from "../state-machine/ticket.ts";
import { modelsSeen } from "./models-seen.ts";
import type { Equipment } from "./roles.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

/** What an agent is asked. */
export interface Question {
  readonly role: Role;
  readonly runtime: string;
  /** The whole task, as it stands by these facts. */
  readonly brief: (facts: WorkFacts) => string;
  readonly cwd: string;
  readonly access: WorkOrder["access"];
  readonly schema: WorkOrder["schema"];
  readonly resume: string | undefined;
  readonly equipment: Equipment;
  /** Equal only while no file changes; a question that only reads has none. */
  readonly fingerprint?: (() => Promise<string>) | undefined;
  /** What is wrong with an answer, to have it corrected. */
  readonly flaw?: ((answer: Extract<AgentOutcome, { is: "done" }>) => string | undefined) | undefined;
}

const count = z.number().int().min(0).default(0);
const memorySchema = modelsSeen.extend({
  session: z.string().optional(),
  /** It has acted in this session, so it knows the brief. */
  begun: z.boolean().default(false),
  /** How many orders of people it has heard. */
  heard: count,
  /** How many it was being told; more than it heard when the process died in between. */
  saying: count,
  /** Turns that ended unfinished, one after the other. */
  unfinished: count,
  /** Why it seemed to get nowhere, oldest first. */
  signs: z.array(z.object({ is: z.enum(signKinds), why: z.string() })).default([]),
});
export type Memory = z.infer<typeof memorySchema>;

/** What an earlier attempt remembered, in whatever shape; a new memory where there is none. */
export function readMemory(memory: unknown): Memory {
  const kept = memorySchema.safeParse(memory);
  return kept.success ? kept.data : memorySchema.parse({ models: [] });
}

export interface Talk {
  readonly work: TicketWork;
  readonly step: Step;
  /** As they were when it began. */
  readonly facts: WorkFacts;
  readonly question: Question;
  readonly agent: Agent;
  /** Names the session's row. */
  readonly key: string;
  readonly memory: Memory;
  /** Of all fences in this attempt. */
  readonly nonce: string;
}

/** Keeps the memory for the next attempt. */
export const remember = ({ step, memory }: Talk): Promise<void> => step.remember(asJson(memory));

/** As rows keep it: what is undefined is left out. */
function asJson({ session, configured, ...rest }: Memory): Json {
  return {
    ...rest,
    ...(session === undefined ? {} : { session }),
    ...(configured === undefined ? {} : { configured }),
  };
}

/** The facts of this moment. */
export const factsNow = ({ work, step }: Talk): Promise<WorkFacts> => work.facts(ticketOfRun(step.run));

/** Only who writes is told what people say: a judge judges by itself. */
export const listens = ({ question }: Talk): boolean => question.role === "build";
