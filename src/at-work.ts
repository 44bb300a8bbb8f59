/** The engine with its three workflows, the agents and commands that work in them, and the log of what they say. */
import type { Logger } from "pino";
import { withinSchemas } from "./adapters/agents/answer-schema.ts";
import { isDead, type thisProcess } from "./adapters/owner.ts";
import { sweep } from "./adapters/processes/agent-process.ts";
import { runCommand } from "./adapters/processes/command.ts";
import { runMarks, type RunMarks } from "./adapters/processes/run-marks.ts";
import type { Premises } from "./adapters/sandboxes/premises.ts";
import type { openHousing } from "./adapters/sandboxes/quarters.ts";
import type { openOwnWorkflows } from "./adapters/workflows/own-workflows.ts";
import type { Environment } from "./config-environment.ts";
import type { ServerBundles } from "./config-servers.ts";
import {
  openEngine,
  type AnyWorkflow,
  type Engine,
  type EngineOptions,
  type RunRow,
} from "./engine/index.ts";
import { homeFor } from "./host.ts";
import type { Clock } from "./ports.ts";
import type { Agent } from "./ports-agents.ts";
import { remedyFor } from "./problems-database.ts";
import type { SessionLog } from "./session-logs.ts";
import { ticketWork, type TicketWorkOptions } from "./shell/ticket-work.ts";
import type { Workshop } from "./shell/workshop.ts";
import type { Sql } from "./sql.ts";
import { ticketOfRun } from "./state-machine/ticket.ts";
import { openTicketLog } from "./ticket-summaries.ts";
import { build } from "./workflows/build.tsx";
import { gate } from "./workflows/gate.tsx";
import { review } from "./workflows/review.tsx";
import { ticketHost } from "./workflows/ticket-host.ts";
import type { TicketWork } from "./workflows/work.ts";

export interface WorkParts {
  readonly environment: Environment;
  /** Whether a run may be carried on now. */
  readonly takes: (run: RunRow) => boolean;
  /** By runtime name. */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly bundles?: ServerBundles;
  readonly log: Logger;
  readonly shop: Workshop;
  readonly sql: Sql;
  readonly owner: ReturnType<typeof thisProcess>;
  readonly clock: Clock;
  readonly searchPath: string;
  readonly premises: Premises;
  readonly recover: ReturnType<typeof openHousing>["recover"];
  readonly workflows: Awaited<ReturnType<typeof openOwnWorkflows>>;
  readonly pokes: ReadonlyMap<string, () => void>;
}

/** Who works for tickets, what they say, and what becomes of it. */
export interface AtWork {
  readonly marks: RunMarks;
  readonly sessions: SessionLog;
  readonly work: TicketWork;
  readonly engine: Engine;
  /** Of those that work for tickets. */
  readonly workflowNamed: (name: string) => AnyWorkflow | undefined;
}

/** Who works for tickets, and the engine that has them work. */
export function openWork(parts: WorkParts): AtWork {
  const { environment, log, shop, sql, owner, clock, searchPath, premises, recover, workflows, pokes } =
    parts;
  const { store } = shop;
  const marks = runMarks(environment.database);
  const bundles = parts.bundles ?? new Map();
  const sessions = openTicketLog(environment, bundles, clock, log);
  const command: TicketWorkOptions["command"] = async (order, signal) => {
    const home = await homeFor(environment.dataDir, store, order.runId);
    const host = { searchPath, home, premises, clock };
    return await runCommand({ ...order, runId: marks.of(order.runId) }, host, signal);
  };
  const work = ticketWork({
    shop,
    agents: new Map([...parts.agents].map(([name, agent]) => [name, marks.agent(withinSchemas(agent))])),
    workspace: shop.workspace,
    log: sessions,
    workflows,
    bundles,
    command,
    // A reviewer's words are nobody's: they run where something confines them, or not at all.
    reproduce: premises.sandbox.name === "local" ? undefined : command,
  });
  const ours: readonly AnyWorkflow[] = [gate(work), build(work), review(work)];
  const engine = openEngine({
    sql,
    clock,
    random: Math.random,
    owner,
    isDead,
    workflows: ours,
    takes: parts.takes,
    host: ticketHost(work),
    // Costs a second render of every tree; tests run with it.
    checkDeterminism: process.env["NODE_ENV"] === "test",
    log,
    remedyOf: (error) => remedyFor(error, environment.database),
    sweep: async (runs) => {
      await sweep(...runs.map((run) => marks.of(run)));
      await recover((message) => log.warn(message));
    },
    // The runs of a ticket share its worktree.
    laneOf: ticketOfRun,
    onAttempt: attemptsLogged(log, clock),
    onLeft: () => {
      shop.poke("intake");
      pokes.get("summaries")?.();
    },
  });
  return { marks, sessions, work, engine, workflowNamed: (name) => ours.find((one) => one.name === name) };
}

/** Attempts at work whose beginning is remembered; a run has few at once. */
const maxBegun = 10_000;

/** One line for each attempt that ends, with how long it took here. */
function attemptsLogged(log: Logger, clock: Clock): NonNullable<EngineOptions["onAttempt"]> {
  const begun = new Map<string, number>();
  return ({ run, leaf, iteration, attempt, status, error }) => {
    const key = `${run}/${leaf}@${iteration}#${attempt}`;
    if (status === "running" || status === "waiting") {
      if (begun.size < maxBegun && !begun.has(key)) begun.set(key, clock.now());
      return;
    }
    const since = begun.get(key);
    begun.delete(key);
    const ms = since === undefined ? undefined : clock.now() - since;
    log.info({ run, leaf, iteration, attempt, status, failed: error !== undefined, ms }, "attempt");
  };
}
