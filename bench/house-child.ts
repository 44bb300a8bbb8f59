/** The whole house in a process of its own, with agents that answer at once (the gate's may be a process), as `main.ts` composes it. */
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pino } from "pino";
import type { Agent, AgentSays, Family, WorkOrder } from "../src/ports-agents.ts";
import { built } from "./built.ts";
import { tellParent } from "./measure.ts";

/** What the parent passes as one JSON argument. */
export interface HouseOrder {
  readonly dir: string;
  readonly apiUrl: string;
  readonly appId: number;
  readonly privateKey: string;
  readonly secret: string;
  readonly port: number;
  /** The gate's agent: a real process, so that its start is seen, or an answer at once. */
  readonly gate: "process" | "instant";
}
/** One sign of an agent: it was asked, its process was started, spoke for the first time, or it answered. */
export interface AgentNews {
  readonly role: WorkOrder["role"];
  readonly is: "asked" | "started" | "spoke" | "answered";
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
  /** Milliseconds so far in which git was at work, here or at the forge: the tool's time, not ours. */
  readonly gitMs: number;
}

const order = JSON.parse(process.argv[2] ?? "") as HouseOrder;
const { openForgehand } = await built("main");
const { scriptedAgent } = await built("scripted");
const { systemClock } = await built("clock");

const inGit = watchGit();
whenStarted((child) => {
  if (child.spawnargs.some((word) => word.includes("scripted-agent"))) tell("gate", "started");
});
const fine = { ok: true, reason: "" };
const proceed = {
  decision: "proceed",
  where: fine,
  what: fine,
  acceptance: fine,
  ambiguity: fine,
  gapComment: "",
};
const pass = { verdict: "pass", findings: [], summary: "does what the ticket asks" };
const tell = (role: WorkOrder["role"], is: AgentNews["is"]): void =>
  tellParent({
    role,
    is,
    at: performance.timeOrigin + performance.now(),
    gitMs: inGit(),
  } satisfies AgentNews);

mkdirSync(order.dir, { recursive: true });
const scenes = join(order.dir, "scenes.json");
writeFileSync(scenes, JSON.stringify([{ role: "gate", steps: [{ answer: proceed }] }]));

const answers = { gate: proceed, build: null, review: pass, mediate: null } as const;
function agent(name: string, family: Family, model: string): Agent {
  const played = scriptedAgent({
    name,
    family,
    model,
    scenes,
    searchPath: process.env["PATH"] ?? "",
    clock: systemClock(),
  });
  return {
    ...played,
    work: async function* (given, signal): AsyncGenerator<AgentSays> {
      tell(given.role, "asked");
      if (given.role === "gate" && order.gate === "process") {
        let hasSpoken = false;
        for await (const said of played.work(given, signal)) {
          if (!hasSpoken) tell("gate", "spoke");
          hasSpoken = true;
          if (said.type === "result") tell("gate", "answered");
          yield said;
        }
        return;
      }
      yield { type: "session", id: given.runId };
      yield { type: "model", id: model };
      if (given.role === "build") writeFileSync(join(given.cwd, "done.txt"), `${given.runId}\n`);
      tell(given.role, "answered");
      yield {
        type: "result",
        outcome: {
          is: "done",
          text: "done",
          structured: given.role === "advise" || given.role === "plan" ? null : answers[given.role],
        },
      };
    },
  };
}

const house = await openForgehand({
  environment: {
    github: {
      appId: order.appId,
      privateKey: order.privateKey,
      webhookSecrets: [order.secret],
      apiUrl: order.apiUrl,
    },
    database: join(order.dir, "forgehand.db"),
    dataDir: order.dir,
    host: "127.0.0.1",
    port: order.port,
    logLevel: "silent",
    concurrency: 3,
    runtimes: { "claude-code": "claude", codex: "codex" },
  },
  agents: new Map([
    ["claude-code", agent("claude-code", "anthropic", "claude-opus-5-5")],
    ["codex", agent("codex", "openai", "gpt-5.5")],
  ]),
  log: pino({ level: process.env["BENCH_LOG"] ?? "silent" }, pino.destination(2)),
});
tellParent({ url: house.url });

/** Calls with every process that this one has started, and with when it began to start it. */
function whenStarted(hear: (child: ChildProcess, begun: number) => void): void {
  subscribe("child_process", (message) => {
    const { process: child } = message as { readonly process: ChildProcess };
    const begun = performance.now();
    // The channel speaks before the process is there; afterwards what it runs is known too.
    queueMicrotask(() => {
      if (child.pid !== undefined) hear(child, begun);
    });
  });
}

/**
 * Follows git, as a process of this one and from asking the forge's for branches to its answer; answers how long we
 * waited for any of them, overlaps counted once.
 */
function watchGit(): () => number {
  let open = 0;
  let since = 0;
  let total = 0;
  const begin = (at: number): void => {
    if (open === 0) since = at;
    open += 1;
  };
  const end = (): void => {
    open -= 1;
    if (open === 0) total += performance.now() - since;
  };
  whenStarted((child, begun) => {
    if (!child.spawnfile.endsWith("git")) return;
    begin(begun);
    child.once("exit", end);
  });
  const asked = (name: string, then: () => void): void =>
    subscribe(`undici:request:${name}`, (message) => {
      const { request } = message as { readonly request: { readonly path: string } };
      if (request.path.endsWith("/git-upload-pack")) then();
    });
  asked("create", () => begin(performance.now()));
  asked("trailers", end);
  asked("error", end);
  return () => total + (open > 0 ? performance.now() - since : 0);
}
