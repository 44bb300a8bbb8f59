/** What the review of a ticket works with, for a change that belongs to no ticket: the same ports, and a memory of its own. */
import { randomBytes } from "node:crypto";
import type { RepoConfig } from "../config.ts";
import type { PanelSeat } from "../config-panel.ts";
import type { Persona } from "../config-persona.ts";
import { issueValues } from "../config-issue.ts";
import { renderPrompt } from "../config-template.ts";
import type { Clock, Workspace } from "../ports.ts";
import type { Agent, Prices } from "../ports-agents.ts";
import { usdOf } from "../pricing.ts";
import type { Builder } from "../review/pairing.ts";
import { assigning } from "../shell/assign.ts";
import type { Down, RuntimeHealth } from "../workflows/roles.ts";
import type { SessionRecorder, TicketWork, WorkFacts } from "../workflows/work.ts";

/** A change and everything that decides how it is reviewed. */
export interface ChangeOrder {
  /** What people call it: `main...feature`. */
  readonly name: string;
  /** What it is for, in its author's words. */
  readonly title: string;
  readonly body: string;
  /** Where the sealed change is fetched from, and under which commits. */
  readonly url: string;
  readonly base: string;
  readonly head: string;
  readonly branch: string;
  readonly config: RepoConfig;
  readonly personas: ReadonlyMap<string, Persona>;
  readonly houseRules: string | undefined;
  /** Empty: as the repository fills the role. */
  readonly panel: readonly PanelSeat[];
  /** Undefined: whoever is here, in their order. */
  readonly runtime: string | undefined;
  readonly builders: readonly Builder[];
  readonly agents: ReadonlyMap<string, Agent>;
  readonly prices: Prices;
  readonly usd: number;
}
/** What lives on this host for one review. */
export interface ChangeHost {
  readonly workspace: Workspace;
  readonly clock: Clock;
  readonly command: TicketWork["command"];
  /** Nothing is left to spend: the run is to end. */
  readonly stop: () => Promise<void>;
  /** A line for the person who waits. */
  readonly tell: (line: string) => void;
}
export interface Bill {
  usd: number;
}

/** Agents are left out this long; longer than any review. */
const outMs = 24 * 3_600_000;
/** Trouble in a row that passes by itself, until somebody else takes over. */
const mostTrouble = 2;

export const changeTicket = "change";

/** The work of one review, its bill, and nothing that outlives it. */
export function changeWork(
  order: ChangeOrder,
  host: ChangeHost,
): { readonly work: TicketWork; readonly bill: Bill } {
  const bill: Bill = { usd: 0 };
  const { workspace, clock, command, tell } = host;
  const facts = factsOf(order);
  const work: TicketWork = {
    facts: async () => facts,
    threads: async () => [],
    agents: order.agents,
    workspace,
    clock,
    sessions: recorder(order, host, bill),
    health: health(clock),
    money: {
      left: async () => order.usd - bill.usd,
      spent: async () => {
        await host.stop();
        return "told";
      },
    },
    workflows: { names: () => [], load: async () => undefined, named: () => undefined },
    command,
    prodded: async ({ how, why }) => tell(`the reviewer was ${how}: ${why}`),
    nonce: () => randomBytes(16).toString("hex"),
  };
  return { work, bill };
}

function factsOf(order: ChangeOrder): WorkFacts {
  const { panel, name, title, body, personas, branch, agents } = order;
  const config = reviewing(order);
  const { limits } = config;
  const repo = {
    id: 1,
    owner: "local",
    name: "change",
    installation: 0,
    defaultBranch: branch,
    private: true,
  };
  const runtime = order.runtime ?? hereOnly(config.runtime.roles.review, agents);
  const first = runtime ?? [...agents.keys()][0] ?? config.runtime.default;
  const weights = {
    polishBlocks: config.review.strict,
    protectedPaths: config.paths.protected,
    largest: { files: config.review.max_files, lines: config.review.max_lines },
    // There is no next round that somebody could mediate.
    mediator: { at: limits.mediator_at, how: "continue" as const, runtime: undefined },
    // A runtime that the repository names may not be here, or another was asked for.
    panel: panel.map(({ runtime: named, ...seat }) => {
      const own = order.runtime === undefined ? hereOnly(named, agents) : undefined;
      return own === undefined ? seat : { ...seat, runtime: own };
    }),
    quorum: config.review.quorum,
  };
  return {
    ref: `(none; a change by itself, ${name})`,
    title,
    body,
    remote: { repo, url: order.url },
    branch: "change",
    published: order.head,
    pullIsOpen: false,
    headIsForeign: true,
    hooks: {},
    hookMs: config.hooks.timeout_seconds * 1_000,
    commands: {
      setup: undefined,
      test: undefined,
      lint: undefined,
      build: undefined,
      timeoutMs: config.commands.timeout_minutes * 60_000,
    },
    runtimes: { gate: first, build: first, review: runtime, plan: first, mediate: first },
    assign: assigning({ config, personas, bundles: new Map() }),
    limits: {
      turnMs: limits.turn_minutes * 60_000,
      stallMs: limits.stall_minutes * 60_000,
      outputTokens: limits.output_tokens,
      continuations: limits.unreviewed,
      repeats: limits.repeated_calls,
      prices: order.prices,
    },
    review: weights,
    cycles: 0,
    rounds: [],
    orders: [],
    standing: [],
    update: undefined,
    conflictsWithBase: false,
    redChecks: undefined,
    earlier: [],
    houseRules: order.houseRules,
    further: furtherOf(config, order, { title, body }),
    builtBy: () => order.builders,
    leftBy: () => [],
    workflow: undefined,
    makersOf: () => [],
    reviewersIn: () => [],
    resume: () => undefined,
  };
}

/** The repository's configuration as far as it concerns a review outside of any ticket. */
function reviewing({ config, runtime }: ChangeOrder): RepoConfig {
  return {
    ...config,
    runtime: {
      ...config.runtime,
      // Servers of tools are for the operator's tickets; a reviewer here has the checkout alone.
      mcp: {},
      // Who asks for one runtime means this one.
      ...(runtime === undefined ? {} : { fallback: { every: [] } }),
    },
  };
}

const hereOnly = (name: string | undefined, agents: ReadonlyMap<string, unknown>): string | undefined =>
  name !== undefined && agents.has(name) ? name : undefined;

function furtherOf(
  config: RepoConfig,
  { name, branch }: ChangeOrder,
  { title, body }: { readonly title: string; readonly body: string },
): WorkFacts["further"] {
  const template = config.prompts.review;
  if (template === undefined) return {};
  const values = {
    ticket: { ref: name, title: name, url: "", author: "" },
    repo: { owner: "", name: "", default_branch: branch },
    run: { attempt: 1, round: 1, branch: "change" },
    issue: issueValues({ id: name, ref: name, title, body, url: "", state: "In Review", branch: "change" }),
    attempt: null,
  };
  return { review: renderPrompt(template, values) };
}

/** Counts what is spent, and tells what keeps the reviewer from its work. */
function recorder({ prices }: ChangeOrder, { clock, tell }: ChangeHost, bill: Bill): SessionRecorder {
  const models = new Map<string, string>();
  return {
    open: async ({ runtime }) => tell(`${runtime} reviews`),
    saw: async (key, { model }) => {
      if (model !== undefined) models.set(key, model);
    },
    acted: async () => undefined,
    usage: async (key, usage) => {
      bill.usd += usdOf(usage, models.get(key), clock.now(), prices).usd;
    },
    builtIn: async () => ({ models: [], family: "unknown", session: undefined }),
    log: (_key, kind, text) => {
      if (kind === "waiting") tell(text);
    },
    close: async (_key, _outcome, why) => {
      if (why !== undefined) tell(why);
    },
  };
}

/** Who cannot work is left out for the rest of this review. */
function health(clock: Clock): RuntimeHealth {
  const out = new Map<string, Down>();
  const trouble = new Map<string, number>();
  return {
    down: async () => out,
    worked: async (runtime) => {
      trouble.delete(runtime);
    },
    failed: async (runtime, { code, why, how, retryAt }) => {
      const times = (trouble.get(runtime) ?? 0) + 1;
      trouble.set(runtime, times);
      if (how === "retry" && retryAt === undefined && times < mostTrouble) return;
      const since = clock.now();
      out.set(runtime, { runtime, code, why, since, until: since + outMs });
    },
  };
}
