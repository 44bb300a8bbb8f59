import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../ports.ts";
import type { Agent, AgentSays, WorkOrder } from "../../ports-agents.ts";
import { agentEnvironment, type AgentHost } from "./environment.ts";
import type { RuntimeFacts } from "./failure.ts";
import { hasKey, probeRuntime } from "./probe.ts";
import { testedVersions } from "./versions.ts";
import { runTurn } from "./turn.ts";
import { claudeFurnisher } from "./claude-login.ts";
import { claudeStream } from "./claude-stream.ts";
import { claudeServers, claudeToolArguments } from "./claude-tools.ts";
import { inQuarters, opensModel, type Lodged } from "../sandboxes/lodging.ts";
import type { Quarters } from "../sandboxes/premises.ts";
import { withPrivateFile } from "../private-file.ts";
import { totalsStore } from "./session-totals.ts";

export interface ClaudeCodeOptions {
  readonly binary: string;
  readonly host: AgentHost;
  /** Private folder in which the counts of each session outlive this process. */
  readonly stateDir: string;
  readonly clock: Clock;
  /** Of one call to the model, by the runtime itself; its own default waits longer than a minute even for a wrong key. */
  readonly maxRetries?: number;
  /** Where it lives and works; as whom and where we do when left out. */
  readonly quarters?: Quarters | undefined;
}

const quiet = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_TELEMETRY: "1",
  DISABLE_ERROR_REPORTING: "1",
} as const;

/** Steps in which a budget is told. */
const leastUsd = 0.0001;

/** Claude Code as an agent: one process per order, its prompt on stdin. */
export function claudeCode(options: ClaudeCodeOptions): Agent {
  const { binary, host, stateDir, clock, quarters } = options;
  const runtime = {
    name: "claude-code",
    title: "Claude Code",
    binary,
    install: "npm install -g @anthropic-ai/claude-code",
    login: `run \`${binary}\` once and log in, or set ANTHROPIC_API_KEY`,
  } satisfies RuntimeFacts & { readonly name: string };
  const env = {
    ...agentEnvironment(host),
    ...quiet,
    CLAUDE_CODE_MAX_RETRIES: String(options.maxRetries ?? 4),
  };
  const totals = totalsStore(stateDir, "claude-code");
  const furnisher = claudeFurnisher(host, env);
  return {
    name: "claude-code",
    family: "anthropic",
    tested: testedVersions["claude-code"],
    probe: () => {
      const isLent = quarters?.network === "model";
      return probeRuntime(runtime, env, () => (isLent ? opensModel(furnisher) : loggedIn(host)), clock);
    },
    work: (order, signal) =>
      inQuarters(quarters, order, runtime, furnisher, clock, (place) => workIn(place, order, signal)),
  };

  function workIn(
    place: Lodged | undefined,
    order: WorkOrder,
    signal: AbortSignal,
  ): AsyncIterable<AgentSays> {
    const servers = { folder: place?.folder ?? stateDir, name: "servers", text: claudeServers(order) };
    return withPrivateFile(servers, runtime, (path) =>
      runTurn(
        {
          runtime,
          order,
          process: { file: binary, args: claudeArguments(order, path), env: place?.env ?? env },
          place,
          stream: claudeStream(runtime, clock),
          totals,
          clock,
          priced: "by-runtime",
        },
        signal,
      ),
    );
  }
}

/** What follows `claude`. A session's dollars are reported over its whole life, but its budget counts this run only. */
export function claudeArguments(order: WorkOrder, serversPath?: string): readonly string[] {
  const { resume, schema, model, effort, limits } = order;
  const budgetUsd = Math.max(leastUsd, Math.round(limits.usd / leastUsd) * leastUsd).toFixed(4);
  return [
    "-p",
    "--output-format",
    "stream-json",
    "--verbose",
    "--permission-mode",
    order.access === "write" ? "acceptEdits" : "dontAsk",
    // Neither settings nor servers of the operator or of the repository.
    "--setting-sources",
    "",
    "--strict-mcp-config",
    ...(resume === undefined ? [] : ["--resume", resume]),
    "--max-budget-usd",
    budgetUsd,
    ...(schema === undefined ? [] : ["--json-schema", JSON.stringify(schema)]),
    ...(model === undefined ? [] : ["--model", model]),
    ...(effort === undefined ? [] : ["--effort", effort]),
    ...(serversPath === undefined ? [] : ["--mcp-config", serversPath]),
    // Lists of tools come last: they would swallow whatever follows.
    ...claudeToolArguments(order),
  ];
}

async function loggedIn(host: AgentHost): Promise<boolean> {
  if (hasKey(host.own)) return true;
  if (host.own["CLAUDE_CODE_USE_BEDROCK"] !== undefined || host.own["CLAUDE_CODE_USE_VERTEX"] !== undefined)
    return true;
  return access(join(host.home, ".claude", ".credentials.json")).then(
    () => true,
    () => false,
  );
}
