import { randomBytes } from "node:crypto";
import type { RepoConfig } from "../config.ts";
import { seatsOf } from "../config-panel.ts";
import type { ServerBundles } from "../config-servers.ts";
import { Trouble, type Workspace } from "../ports.ts";
import type { Agent } from "../ports-agents.ts";
import type { SessionLog } from "../session-logs.ts";
import { usdOf } from "../pricing.ts";
import { familyNamed, madeByGit } from "../review/pairing.ts";
import type { HeadUpdate, TicketEvent } from "../state-machine/event.ts";
import { ticketOfRun } from "../state-machine/ticket.ts";
import type { SessionSummary } from "../store/sessions.ts";
import type { Line } from "../store/ledger.ts";
import type { Stored } from "../store/tickets.ts";
import { readOutput, type RunOutput } from "../workflows/output.ts";
import type { SessionRecorder, TicketWork, WorkFacts } from "../workflows/work.ts";
import { assigning } from "./assign.ts";
import { builtHead, buildersOf, didWork, familiesBehind, familiesLeft } from "./built-by.ts";
import { threadsOf } from "./open-threads.ts";
import { ordersTold } from "./orders-told.ts";
import { furtherOf } from "./further.ts";
import { footingOf } from "./stack.ts";
import { revertKey, suspendedGlobs } from "./suspended.ts";
import { runMoney } from "./run-money.ts";
import { runtimeHealth } from "./runtime-health.ts";
import { reviewsIn, workersOf } from "./workers.ts";
import { hookedOf, type Workshop } from "./workshop.ts";

export interface TicketWorkOptions {
  readonly shop: Workshop;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly workspace: Workspace;
  readonly log: SessionLog;
  readonly command: TicketWork["command"];
  readonly reproduce?: TicketWork["reproduce"];
  readonly workflows: TicketWork["workflows"];
  readonly bundles: ServerBundles;
}

/** What the workflows of a ticket work with, read from the store whenever a task asks. */
export function ticketWork(options: TicketWorkOptions): TicketWork {
  const { shop, agents, workspace, command, reproduce, workflows } = options;
  return {
    facts: (ticket) => factsOf(options, ticket),
    threads: (ticket) => threadsOf(shop, ticket),
    agents,
    workspace,
    clock: shop.clock,
    sessions: recorder(options),
    health: runtimeHealth(shop),
    money: runMoney(shop),
    workflows,
    command,
    reproduce,
    prodded: async ({ id, run, how, why }) => {
      await shop.store.receive({
        id: `prod:${id}`,
        source: "performer",
        name: "agent.prodded",
        ticket: ticketOfRun(run),
        body: JSON.stringify({ type: "agent.prodded", run, how, why, actor: "run" }),
        receivedAt: shop.clock.now(),
      });
      shop.poke("intake");
    },
    nonce: () => randomBytes(16).toString("hex"),
  };
}

async function factsOf(options: TicketWorkOptions, id: string): Promise<WorkFacts> {
  const { shop, agents } = options;
  const { store } = shop;
  const stored = await store.load(id);
  const repo = stored && (await store.repoById(stored.repo));
  const spec = stored?.ticket.spec === undefined ? undefined : await store.specOf(stored.ticket.spec);
  if (stored === undefined || repo === undefined || spec === undefined) {
    throw new Trouble("ticket-unreleased", `${stored?.ref ?? id} has no released spec to work from`, {
      permanent: true,
    });
  }
  const { config, personas } = shop.rulesOf(repo);
  const lines = await store.linesOf(id);
  const build = runtimeFor(stored, config, agents);
  const { ticket } = stored;
  const footing = ticket.upon && (await footingOf(store, ticket.upon));
  const [sessions, rounds, suspended, revert] = await Promise.all([
    store.sessionsOf(id),
    roundsOf(shop, lines),
    suspendedGlobs(store, repo.id),
    store.recall(revertKey(id)),
  ]);
  const gitMade = revert === undefined ? undefined : gitMadeHead(stored, { lines, sessions });
  return {
    ref: stored.ref,
    title: spec.title,
    body: spec.body,
    remote: { ...shop.remoteOf(repo), ...(ticket.upon === undefined ? {} : { upon: ticket.upon.head }) },
    branch: stored.branch,
    published: stored.ticket.head,
    pullIsOpen: stored.ticket.pull !== undefined,
    headIsForeign: isForeign(stored, lines),
    hooks: hookedOf(config),
    hookMs: config.hooks.timeout_seconds * 1_000,
    commands: {
      setup: config.commands.setup,
      test: config.commands.test,
      lint: config.commands.lint,
      build: config.commands.build,
      timeoutMs: config.commands.timeout_minutes * 60_000,
    },
    runtimes: runtimesOf(config, build),
    assign: assigning({ config, personas, bundles: options.bundles }),
    limits: { ...limitsOf(config, stored), prices: shop.prices },
    review: {
      polishBlocks: config.review.strict,
      protectedPaths: [...config.paths.protected, ...(gitMade === undefined ? suspended : [])],
      largest: { files: config.review.max_files, lines: config.review.max_lines },
      mediator: {
        at: config.limits.mediator_at,
        how: config.review.mediator,
        runtime: config.runtime.roles.mediate,
      },
      panel: seatsOf(config.review.panel, personas),
      quorum: config.review.quorum,
    },
    cycles: stored.ticket.counters.cycles,
    rounds,
    ...ordersTold(lines),
    conflictsWithBase: conflictsWithBase(lines),
    takes: footing?.is === "moved" ? footing.upon.head : undefined,
    redChecks: redChecksOf(stored, lines),
    update: updateOf(lines, stored.ticket.head),
    earlier: lines.flatMap(({ event }) => (event.type === "build.gave-up" ? [event.why] : [])),
    houseRules: repo.houseRules,
    further: await furtherOf({ shop, config, stored, repo }, spec),
    workflow: stored.ticket.workflow,
    gitMade,
    revert: lines.some(({ event }) => event.type === "build.delivered") ? undefined : revert,
    builtBy: (head) => familiesBehind({ lines, sessions }, head),
    leftBy: () => familiesLeft({ lines, sessions }),
    makersOf: (head) => (head === gitMade ? [madeByGit] : workersOf(buildersOf({ lines, sessions }, head))),
    reviewersIn: (run) => workersOf(reviewsIn(sessions, run)),
    resume: (runtime) => resumable(sessions, runtime),
  };
}

const runtimesOf = ({ runtime: { roles } }: RepoConfig, build: string): WorkFacts["runtimes"] => ({
  gate: roles.gate ?? build,
  build,
  review: roles.review,
  plan: roles.plan ?? build,
  mediate: roles.mediate ?? build,
});

/** The newest build's session, unless another runtime came between: it would know nothing of what that one did. */
function resumable(sessions: readonly SessionSummary[], runtime: string): string | undefined {
  const builds = sessions.filter((one) => one.role === "build" && didWork(one));
  if (builds.findLast(({ family }) => family !== null)?.runtime !== runtime) return undefined;
  return builds.findLast((one) => one.runtime === runtime && one.session !== null)?.session ?? undefined;
}

/** The label picks; without one the configuration does. */
function runtimeFor({ ticket }: Stored, config: RepoConfig, agents: ReadonlyMap<string, Agent>): string {
  const picked = ticket.runtime === undefined || ticket.runtime === "contested" ? undefined : ticket.runtime;
  const wanted = picked ?? config.runtime.roles.build ?? config.runtime.default;
  if (!agents.has(wanted)) {
    const known = [...agents.keys()].map((name) => `\`${name}\``).join(", ");
    throw new Trouble(
      "runtime-missing",
      `the runtime \`${wanted}\` is not configured on this host; there is ${known}`,
      { permanent: true },
    );
  }
  return wanted;
}

const limitsOf = ({ limits }: RepoConfig, { ticket }: Stored): WorkFacts["limits"] => ({
  turnMs: limits.turn_minutes * 60_000,
  stallMs: limits.stall_minutes * 60_000,
  outputTokens: limits.output_tokens,
  continuations: Math.max(1, limits.unreviewed - ticket.counters.unreviewed),
  repeats: limits.repeated_calls,
});

/** The last word on the newest head was that it cannot be merged with its base. */
export function conflictsWithBase(lines: readonly Line[]): boolean {
  const last = lines.findLast(({ event }) => wordsOnHead.has(event.type))?.event;
  // What failed in a merge queue is green alone: only together with the base it shows.
  return last?.type === "merge.refused" && last.how !== "policy";
}

/** Why the checks are red: those of the head, or of what a merge queue built of it. */
function redChecksOf({ ticket }: Stored, lines: readonly Line[]): string | undefined {
  const last = lines.findLast(({ event }) => wordsOnHead.has(event.type))?.event;
  if (last?.type === "merge.refused" && last.how === "checks") return last.why;
  if (ticket.checks !== "red") return undefined;
  const failed = lines.findLast(({ event }) => event.type === "checks.failed")?.event;
  if (failed?.type !== "checks.failed") return undefined;
  return failed.log === undefined ? failed.why : `${failed.why}\n\n${failed.log}`;
}
/** What tells of a head whether it can be merged, or ends all that was told. */
const wordsOnHead: ReadonlySet<TicketEvent["type"]> = new Set([
  "build.delivered",
  "head.moved",
  "merge.refused",
  "operator.reset",
  "ticket.reopened",
]);

/** How the host made this head from one that it had before. */
function updateOf(lines: readonly Line[], head: string | undefined): HeadUpdate | undefined {
  const moved = lines.findLast(
    ({ event }) => event.type === "head.moved" && event.head === head && event.update !== undefined,
  )?.event;
  return moved?.type === "head.moved" ? moved.update : undefined;
}

/** The first and only delivery of a ticket that takes a merge back, unless an agent had a part in it. */
export function gitMadeHead(
  { ticket }: Stored,
  past: { readonly lines: readonly Line[]; readonly sessions: readonly SessionSummary[] },
): string | undefined {
  const heads = past.lines.flatMap(({ event }) => (event.type === "build.delivered" ? [event.head] : []));
  const made = builtHead(past.lines, ticket.head);
  const isOnly = heads.length === 1 && heads[0] === made && ticket.workflow === undefined;
  return isOnly && familiesBehind(past, ticket.head).length === 0 ? ticket.head : undefined;
}

/** Somebody else pushed the head: none of our builds delivered it. */
function isForeign({ ticket }: Stored, lines: readonly Line[]): boolean {
  const head = builtHead(lines, ticket.head);
  return (
    head !== undefined && !lines.some(({ event }) => event.type === "build.delivered" && event.head === head)
  );
}

/** Every review that came to a round, also where it ended with a person. */
async function roundsOf(shop: Workshop, lines: readonly Line[]): Promise<WorkFacts["rounds"]> {
  const verdicts = lines.flatMap(({ event }) =>
    event.type === "review.failed" || event.type === "review.passed" || event.type === "review.blocked"
      ? [event]
      : [],
  );
  const rounds = await Promise.all(
    verdicts.map(async ({ run, head, type }) => {
      const output = readOutput((await shop.reportOf(run))?.output);
      const isVoid = type === "review.blocked" && output?.earlier === undefined;
      return isVoid ? undefined : roundIn(head, output);
    }),
  );
  return rounds.filter((round) => round !== undefined);
}

const roundIn = (head: string, output: RunOutput | undefined): WorkFacts["rounds"][number] => ({
  head,
  findings: output?.findings ?? [],
  ...(output?.earlier === undefined ? {} : { earlier: output.earlier }),
  ...(output?.contradictions === undefined ? {} : { contradictions: output.contradictions }),
});

/** Rows for the bill and a log for people; a key names one invocation, so that a repeated call adds nothing new. */
function recorder({ shop, log }: TicketWorkOptions): SessionRecorder {
  const { store, clock } = shop;
  const models = new Map<string, string>();
  return {
    open: async ({ key, run, role, runtime }) => {
      await store.openSession({
        key,
        run,
        ticket: ticketOfRun(run),
        role,
        runtime,
        logPath: log.pathOf(key),
        at: clock.now(),
      });
    },
    saw: async (key, { session, model, family, modelBy }) => {
      if (model !== undefined) models.set(key, model);
      await store.changeSession(key, { session, model, family, modelBy });
    },
    acted: (key) => store.changeSession(key, { acted: 1 }),
    usage: async (key, usage) => {
      const price = usdOf(usage, models.get(key), clock.now(), shop.prices);
      await store.changeSession(key, {
        inputTokens: usage.inputTokens,
        cachedInputTokens: usage.cachedInputTokens,
        outputTokens: usage.outputTokens,
        reasoningTokens: usage.reasoningTokens,
        usd: price.usd,
        pricedBy: price.source,
        priceVersion: price.version,
      });
    },
    builtIn: async (run) => {
      const sessions = await store.sessionsOf(ticketOfRun(run));
      const builds = sessions.filter(
        (one) => one.run === run && one.role === "build" && one.model !== null && didWork(one),
      );
      const [family, ...others] = new Set(builds.map((one) => one.family));
      return {
        models: [...new Set(builds.flatMap(({ model }) => model ?? []))],
        family: family !== undefined && others.length === 0 ? familyNamed(family) : "unknown",
        session: builds.findLast(({ session }) => session !== null)?.session ?? undefined,
      };
    },
    log: log.add,
    close: async (key, outcome, why) => {
      models.delete(key);
      log.close(key);
      await store.changeSession(key, { outcome, why, endedAt: clock.now() });
    },
  };
}
