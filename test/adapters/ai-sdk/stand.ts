/** A model on the loopback, a worktree, and agents that work there. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { aiSdk, type AiSdkOptions } from "../../../src/adapters/agents/ai-sdk/agent.ts";
import { aiSdkEntry, type AiSdkEntry } from "../../../src/adapters/agents/ai-sdk/entry.ts";
import type { Agent, AgentOutcome, AgentSays, Usage, WorkOrder } from "../../../src/ports-agents.ts";
import { startModelServer, type ModelServer } from "../../../src/simulator/model/server.ts";
import type { Scenario } from "../../../src/simulator/model/scenario.ts";
import { virtualClock, type VirtualClock } from "../../../src/simulator/virtual-clock.ts";

export type Maker = "anthropic" | "openai" | "openai-compatible";
export const makers: readonly Maker[] = ["anthropic", "openai", "openai-compatible"];
export const modelOf = {
  anthropic: "claude-haiku-4-5",
  openai: "gpt-5.5",
  "openai-compatible": "qwen3-coder",
} as const;
export const key = "sk-of-the-operator-0123456789";

export interface Stand {
  readonly model: ModelServer;
  readonly clock: VirtualClock;
  at(...names: readonly string[]): string;
  entry(maker: Maker, more?: Record<string, unknown>): AiSdkEntry;
  agent(maker: Maker, more?: Partial<AiSdkOptions>): Agent;
  order(scenario: string | Scenario, more?: Partial<WorkOrder>): WorkOrder;
  /** The bodies of the model's calls. */
  asked(): readonly string[];
  close(): Promise<void>;
}

export async function openStand(): Promise<Stand> {
  const model = await startModelServer();
  const clock = virtualClock(Date.UTC(2026, 10, 21));
  const folder = mkdtempSync(join(tmpdir(), "ai-sdk-"));
  const at = (...names: readonly string[]): string => join(folder, ...names);
  for (const name of ["tree", "home", "state"]) mkdirSync(at(name));
  const entry: Stand["entry"] = (maker, more) =>
    aiSdkEntry.parse({
      protocol: "ai-sdk",
      provider: maker,
      model: modelOf[maker],
      base_url: `${model.url}/v1`,
      key: "MODEL_KEY",
      ...more,
    });
  let scenarios = 0;
  return {
    model,
    clock,
    at,
    entry,
    agent: (maker, more = {}) =>
      aiSdk({
        name: "own",
        entry: entry(maker),
        host: {
          home: at("home"),
          searchPath: process.env["PATH"] ?? "/usr/bin:/bin",
          tmp: tmpdir(),
          own: { MODEL_KEY: key },
        },
        stateDir: at("state"),
        clock,
        ...more,
      }),
    order: (scenario, more = {}) => {
      const name = typeof scenario === "string" ? scenario : `s${(scenarios += 1)}`;
      if (typeof scenario !== "string") model.script(name, scenario);
      return {
        role: "build",
        prompt: `Do it. [[${name}]]`,
        cwd: at("tree"),
        resume: undefined,
        access: "write",
        schema: undefined,
        runId: randomUUID(),
        model: undefined,
        limits: { turnMs: 600_000, stallMs: 120_000, outputTokens: 100_000, usd: 5 },
        ...more,
      };
    },
    asked: () => model.calls.map(({ raw }) => raw),
    close: async () => {
      await model.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Lets it work to its end; the clock is turned whenever it says that it waits. */
export async function work(
  agent: Agent,
  order: WorkOrder,
  more: { readonly clock?: VirtualClock; readonly signal?: AbortSignal } = {},
): Promise<{ readonly says: readonly AgentSays[]; readonly outcome: AgentOutcome }> {
  const says: AgentSays[] = [];
  for await (const one of agent.work(order, more.signal ?? new AbortController().signal)) {
    says.push(one);
    if (one.type === "waiting") void more.clock?.advance(one.ms);
  }
  return { says, outcome: outcomeIn(says) };
}

export function outcomeIn(says: readonly AgentSays[]): AgentOutcome {
  expect(says.filter(({ type }) => type === "result")).toHaveLength(1);
  const last = says.at(-1);
  if (last?.type !== "result") throw new Error("the last word was no result");
  return last.outcome;
}

export const usages = (says: readonly AgentSays[]): readonly Usage[] =>
  says.flatMap((one) => (one.type === "usage" ? [one.usage] : []));
export const sessionIn = (says: readonly AgentSays[]): string => {
  const [session] = says.flatMap((one) => (one.type === "session" ? [one.id] : []));
  if (session === undefined) throw new Error("it said no session");
  return session;
};
/** Waits for a fact. */
export async function comes(fact: () => boolean): Promise<void> {
  for (let looks = 0; !fact(); looks += 1) {
    if (looks === 2_000) throw new Error("it never came");
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
}
export const tool = (name: string, input: Record<string, unknown>) => ({ tool: { name, input } });
