import { existsSync } from "node:fs";
import { z } from "zod";
import { asset } from "../../assets.ts";
import { Trouble, type Clock } from "../../ports.ts";
import type { Agent, AgentSays, Family, WorkOrder } from "../../ports-agents.ts";
import { agentEnvironment } from "./environment.ts";
import { endedWithoutAnswer, processFailure } from "./failure.ts";
import { runProcess, type ProcessOrder } from "../processes/agent-process.ts";
import { inQuarters, type Furnisher, type Lodged } from "../sandboxes/lodging.ts";
import type { Quarters } from "../sandboxes/premises.ts";
import { runConfined } from "../sandboxes/run-confined.ts";

/** How a scripted agent is told what to play: the first scene that fits the order. */
export interface ScriptedOptions {
  readonly name: string;
  readonly family: Family;
  /** The model id it claims to run on. */
  readonly model: string;
  /** JSON file of scenes: `{ role?, prompt?, file?, steps }[]`, see `scripted-agent.mjs`. */
  readonly scenes: string;
  readonly searchPath: string;
  readonly clock: Clock;
  /** Where it lives and works; where we do when left out. */
  readonly quarters?: Quarters | undefined;
  /** A script of node's that reads its part on stdin and speaks as `AgentSays`; ours when left out. */
  readonly program?: string | undefined;
}

const usage = z.object({
  inputTokens: z.number(),
  cachedInputTokens: z.number(),
  outputTokens: z.number(),
  reasoningTokens: z.number(),
  usd: z.number().optional(),
});
const says = z.discriminatedUnion("type", [
  z.object({ type: z.literal("session"), id: z.string() }),
  z.object({ type: z.literal("model"), id: z.string() }),
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool"), name: z.string(), detail: z.string() }),
  z.object({ type: z.literal("usage"), usage }),
  z.object({
    type: z.literal("result"),
    outcome: z.discriminatedUnion("is", [
      z.object({ is: z.literal("done"), text: z.string(), structured: z.unknown() }),
      z.object({
        is: z.literal("failed"),
        how: z.enum(["retry", "blocked", "give-up", "unfinished"]),
        code: z.string(),
        why: z.string(),
        retryAt: z.number().optional(),
      }),
    ]),
  }),
]);

/** What plays where no other program is named. */
const usualProgram = asset("adapters/agents/scripted-agent.mjs");

/** An agent for tests and the demo: a real process that plays a written part through the same port. */
export function scriptedAgent(options: ScriptedOptions): Agent {
  const { name, family, model, scenes, searchPath, clock, quarters, program = usualProgram } = options;
  const runtime = {
    name,
    title: name,
    binary: process.execPath,
    install: "npm install forgehand",
    login: "none",
  };
  const furnisher: Furnisher = {
    furnish: async () => ({
      files: {},
      kept: [],
      env: agentEnvironment({ home: "", searchPath, tmp: "/tmp", own: {} }),
      read: [program, scenes],
    }),
    upstream: async () => {
      throw new Trouble("no-model", `${name} is scripted and asks no model`, { permanent: true });
    },
  };
  return {
    name,
    family,
    probe: async () => ({
      found: existsSync(scenes),
      version: "scripted",
      why: existsSync(scenes) ? undefined : `no scenes at ${scenes}`,
    }),
    work: (order, signal) =>
      inQuarters(quarters, order, runtime, furnisher, clock, (place) => play(order, place, signal)),
  };

  async function* play(
    order: WorkOrder,
    place: Lodged | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<AgentSays> {
    const part = {
      scenes,
      model,
      role: order.role,
      prompt: order.prompt,
      resume: order.resume ?? null,
      runId: order.runId,
    };
    const started: ProcessOrder = {
      file: process.execPath,
      args: [program],
      cwd: order.cwd,
      env: place?.env ?? agentEnvironment({ home: order.cwd, searchPath, tmp: "/tmp", own: {} }),
      stdin: JSON.stringify(part),
      runId: order.runId,
      stallMs: order.limits.stallMs,
      turnMs: order.limits.turnMs,
      place: order.place,
      keep: order.keep,
    };
    const running =
      place === undefined ? runProcess(started, clock, signal) : runConfined(place, started, clock, signal);
    let answered = false;
    for await (const said of running) {
      if (said.type === "end") {
        if (answered) continue;
        const outcome =
          processFailure(said.end, runtime) ?? endedWithoutAnswer(said.end, runtime, clock.now());
        yield { type: "result", outcome };
        continue;
      }
      const parsed = says.safeParse(tryJson(said.line));
      if (!parsed.success) continue;
      answered ||= parsed.data.type === "result";
      yield parsed.data as AgentSays;
    }
  }
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
