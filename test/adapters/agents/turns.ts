/** One turn of an agent: the order most tests give, and all that was said to it. */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { Agent, AgentOutcome, AgentSays, WorkOrder } from "../../../src/ports-agents.ts";

export const orderIn = (cwd: string, change: Partial<WorkOrder> = {}): WorkOrder => ({
  role: "build",
  prompt: "Do it.",
  cwd,
  resume: undefined,
  access: "write",
  schema: undefined,
  runId: randomUUID(),
  model: undefined,
  limits: { turnMs: 60_000, stallMs: 60_000, outputTokens: 100_000, usd: 5 },
  ...change,
});

/** Lets an agent work and answers all it said, with the one result it must end with. */
export async function work(
  agent: Agent,
  order: WorkOrder,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly says: readonly AgentSays[]; readonly outcome: AgentOutcome }> {
  const says: AgentSays[] = [];
  for await (const one of agent.work(order, signal)) says.push(one);
  return { says, outcome: outcomeIn(says) };
}
export function outcomeIn(says: readonly AgentSays[]): AgentOutcome {
  const last = says.at(-1);
  expect(says.filter(({ type }) => type === "result")).toHaveLength(1);
  if (last?.type !== "result") throw new Error("the last word was no result");
  return last.outcome;
}
export const usages = (says: readonly AgentSays[]) =>
  says.flatMap((one) => (one.type === "usage" ? [one.usage] : []));
export const sessionIn = (says: readonly AgentSays[]): string => {
  const session = says.find(({ type }) => type === "session");
  if (session?.type !== "session") throw new Error("it named no session");
  return session.id;
};
