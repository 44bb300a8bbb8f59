import { existsSync } from "node:fs";
import type { AgentOrder, AgentSaid, Host, HostAgent } from "../../engine/host.ts";
import { bundledPersonas } from "../../config-persona.ts";
import { narrowed, readWay, roleNames, wayOf } from "../../config-roles.ts";
import { serversOf, type ServerBundles } from "../../config-servers.ts";
import { Trouble, type Clock } from "../../ports.ts";
import type { Agent, AgentLimits, WorkOrder } from "../../ports-agents.ts";
import type { SessionLog } from "../../session-logs.ts";
import { usdOf } from "../../pricing.ts";
import { redact } from "../../secrets.ts";
import { orderMark } from "../processes/agent-process.ts";
import { withinSchemas } from "../agents/answer-schema.ts";
import { runInShell } from "../processes/command.ts";
import type { RunMarks } from "../processes/run-marks.ts";

export interface HostOptions {
  /** Where a run works whose row names no folder. */
  readonly folder: string;
  /** By the names a workflow calls them. */
  readonly agents: ReadonlyMap<string, Agent>;
  /** Mark every process of a run, so that `sweep` finds whom a dead process left. */
  readonly marks: RunMarks;
  readonly searchPath: string;
  /** HOME of shell commands. */
  readonly home: string;
  readonly clock: Clock;
  /** MCP servers that tasks may name; none when left out. */
  readonly bundles?: ServerBundles;
  /** Of one turn of an agent, where its task says nothing else. */
  readonly limits?: Partial<AgentLimits>;
  readonly snapshots?: Host["snapshots"];
  readonly fingerprint?: NonNullable<Host["fingerprint"]>;
  readonly worktrees?: Host["worktrees"];
  /** Keeps what the runtimes of a run say as they say it; it is kept nowhere when left out. */
  readonly logOf?: (run: string) => SessionLog;
}

const turnLimits: AgentLimits = { turnMs: 60 * 60_000, stallMs: 5 * 60_000, outputTokens: 100_000, usd: 5 };
/** A command without a limit of its own. */
const commandMs = 60 * 60_000;
/** Kept of each stream of a command. */
const tailBytes = 64 * 1024;

/** This machine for workflows: a shell without secrets, the agents of this host, nothing that outlives its run. */
export function openHost(options: HostOptions): Host {
  const { folder, agents, marks, searchPath, home } = options;
  let orders = 0;
  const markOf = (run: string): string => orderMark(marks.of(run), (orders += 1));
  return {
    folder,
    shell: async ({ command, folder: cwd, run, timeoutMs = commandMs }, signal) => {
      if (!existsSync(cwd)) throw gone(cwd);
      const order = { command, cwd, timeoutMs, runId: markOf(run), tailBytes, place: "shared" } as const;
      return await runInShell(order, { searchPath, home }, signal);
    },
    agents: new Map(
      [...agents].map(([name, agent]) => [name, hostAgent(name, withinSchemas(agent), markOf, options)]),
    ),
    redact,
    snapshots: options.snapshots,
    worktrees: options.worktrees,
    ...(options.fingerprint === undefined ? {} : { fingerprint: options.fingerprint }),
  };
}

const gone = (folder: string): Error =>
  Object.assign(new Error(`${folder} does not exist, so there is nowhere to work`), { permanent: true });

function hostAgent(
  name: string,
  agent: Agent,
  markOf: (run: string) => string,
  { clock, limits, logOf, bundles = new Map() }: HostOptions,
): HostAgent {
  return {
    name,
    work: async function* (order: AgentOrder, signal): AsyncGenerator<AgentSaid> {
      const { key, folder, resume, access, schema, run, usd } = order;
      const { text, role, model, ...equipment } = equipped(name, order, bundles);
      const log = logOf?.(run);
      const work: WorkOrder = {
        role,
        prompt: text,
        cwd: folder,
        resume,
        access,
        schema,
        runId: markOf(run),
        model,
        ...equipment,
        limits: { ...turnLimits, ...limits, ...(usd === undefined ? {} : { usd }) },
        place: "shared",
        keep: (line, from) => log?.add(key, from, line),
      };
      let seen = model;
      try {
        for await (const said of agent.work(work, signal)) {
          if (said.type === "model") seen = said.id;
          yield said.type === "usage"
            ? {
                ...said,
                usage: { ...said.usage, usd: usdOf(said.usage, seen, clock.now(), limits?.prices).usd },
              }
            : said;
        }
      } finally {
        log?.closeAll();
      }
    },
  };
}

/** What a task asks for beside its prompt: personas are the bundled ones, servers those that the operator offers. */
function equipped(name: string, { prompt, access, model, way }: AgentOrder, bundles: ServerBundles) {
  const { tier, effort, persona, mcp = [], tools } = readWay(way ?? {});
  const worn = persona === undefined ? undefined : bundledPersonas().get(persona);
  if (persona !== undefined && worn === undefined) {
    const there = [...bundledPersonas().keys()].join(", ");
    throw new Trouble("persona-missing", `there is no persona \`${persona}\`; there is ${there}`, {
      permanent: true,
    });
  }
  const found = wayOf({ models: {}, tiers: {} }, name, tier ?? worn?.tier);
  const asked = roleNames.find((one) => one === way?.role);
  return {
    text: worn === undefined ? prompt : `Who you are in this work:\n${worn.text}\n\n${prompt}`,
    role: asked ?? ("build" as const),
    model: model ?? found.model,
    effort: effort ?? found.effort,
    mcp: serversOf(bundles, mcp, access),
    tools: narrowed([worn?.tools, tools]),
  };
}
