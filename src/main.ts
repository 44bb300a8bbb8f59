import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { serve, type ServerType } from "@hono/node-server";
import type { Logger } from "pino";
import { vocabulary } from "../bootstrap/labels.ts";
import { systemClock } from "./adapters/clock.ts";
import { watchDatabase } from "./adapters/database-watch.ts";
import { openGitHub } from "./adapters/github/app.ts";
import { githubHooks } from "./adapters/github/hooks.ts";
import { githubTracker } from "./adapters/github/issues.ts";
import { githubVoice } from "./adapters/github/voice.ts";
import { githubCi } from "./adapters/github/ci.ts";
import { githubForge } from "./adapters/github/github.ts";
import { isDead, thisProcess } from "./adapters/owner.ts";
import { openHousing } from "./adapters/sandboxes/quarters.ts";
import { sweep } from "./adapters/processes/agent-process.ts";
import { openTicketSummaries, ticketLogPlaces } from "./ticket-summaries.ts";
import { openOwnWorkflows } from "./adapters/workflows/own-workflows.ts";
import { connectTrackers, openAgentSessions, type ConnectedTrackers } from "./linear-side.ts";
import { openWork, type AtWork } from "./at-work.ts";
import { openGit } from "./host.ts";
import type { ServerBundles } from "./config-servers.ts";
import { requireGitHub, type Environment } from "./config-environment.ts";
import { migrateEngine, runVerbs, type Engine, type RunRow } from "./engine/index.ts";
import { Problem, problemOf } from "./problems.ts";
import type { Clock, Repo } from "./ports.ts";
import type { LinearBoardRules } from "./config-linear-file.ts";
import type { Agent, Prices } from "./ports-agents.ts";
import { redact } from "./secrets.ts";
import { dayCapsOf, dayDefaultUsd } from "./shell/day.ts";
import { openDashboard } from "./shell/dashboard.ts";
import { openIntake } from "./shell/intake.ts";
import { lookEvery } from "./shell/loop.ts";
import { openOrders } from "./shell/orders.ts";
import { openOutbox } from "./shell/outbox.ts";
import { haltable } from "./shell/haltable.ts";
import { openQuestions } from "./shell/questions.ts";
import { openReconcile } from "./shell/reconcile.ts";
import { rulesReader } from "./shell/rules-reader.ts";
import { openSchedule } from "./shell/schedule.ts";
import { summaryMark } from "./shell/summaries.ts";
import { retireDaily } from "./retention.ts";
import { openTimers } from "./shell/timers.ts";
import type { HostLimits, RepoRules, RunReport, Workshop } from "./shell/workshop.ts";
import { openSqlite, type Sql } from "./sql.ts";
import { makeLease, migrate } from "./store/database.ts";
import type { KnownRepo } from "./store/repos.ts";
import { openStore, type Store } from "./store/store.ts";
import { openGitHubWebhooks, type Delivery } from "./webhooks/github.ts";
import { createWeb, type Web } from "./web/app.ts";
import { createServer } from "./webhooks/server.ts";

export interface ForgehandOptions {
  readonly environment: Environment;
  /** By runtime name; the names are what `runtime/*` labels may pick. */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly log: Logger;
  /** MCP servers that repositories may name; none when left out. */
  readonly bundles?: ServerBundles;
  /** The operator's own prices of models. */
  readonly prices?: Prices;
  /** What the operator says of Linear's boards; everything that is installed for every workspace when left out. */
  readonly linearRules?: LinearBoardRules;
  readonly clock?: Clock;
  readonly onStep?: Workshop["onStep"];
  /** Between two reconciliations. */
  readonly reconcileMs?: number;
}
export interface Forgehand {
  /** Where webhooks are taken: `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly store: Store;
  readonly engine: Engine;
  readonly shop: Workshop;
  /** Nothing to read, nothing to send, nobody at work. */
  idle(): Promise<boolean>;
  /** Reconciles now. */
  reconcile(): void;
  /** Stops taking work, lets runs go on for a while, gives the database back. */
  stop(drainMs: number): Promise<void>;
}

const reconcileDefaultMs = 5 * 60_000;
/** Rows that another process (a command) left are noticed this soon. */
const inboxLookMs = 500;

/** Opens everything on one database and starts serving. Throws a `Problem` for what an operator can put right. */
export async function openForgehand(options: ForgehandOptions): Promise<Forgehand> {
  const { environment, log } = options;
  const clock = options.clock ?? systemClock();
  const settings = requireGitHub(environment);
  const owner = thisProcess();
  const { sql, store } = await openDatabase(environment, owner, clock);
  try {
    const github = openGitHub({
      appId: settings.appId,
      privateKey: settings.privateKey,
      apiUrl: settings.apiUrl,
      userAgent: "forgehand",
      clock,
      remember: { get: (key) => store.recall(key), set: (key, value) => store.remember(key, value) },
      scrub: redact,
    });
    const identity = await github.identity();
    const searchPath = process.env["PATH"] ?? "/usr/bin:/bin";
    const { commands: premises, recover } = openHousing(environment, process.env);
    const git = await openGit({ environment, log, clock, github, searchPath, premises });
    const rulesOf = rulesReader();
    const workflows = await openOwnWorkflows(
      environment.workflows ?? join(environment.dataDir, "workflows"),
      log,
    );
    const pokes = new Map<string, () => void>();
    // It is told what the workshop wants, and the workshop asks it what became of that.
    let engine: Engine | undefined;
    const forge = githubForge(github);
    const trackers = connectTrackers({
      environment,
      store,
      clock,
      log,
      rules: options.linearRules,
      github: {
        forge,
        tracker: githubTracker(github, (repo) => vocabularyOf(rulesOf, repo)),
        voice: githubVoice(github),
      },
      labelName: ({ repo }, label) =>
        vocabularyOf(rulesOf, repo).find((one) => one.label === label)?.name ?? label,
    });
    const shop: Workshop = {
      store,
      clock,
      random: Math.random,
      log,
      forge,
      tracker: trackers.tracker,
      voice: trackers.voice,
      linear: trackers.side,
      ci: githubCi(github),
      drift: git.drift,
      hooks: githubHooks(github),
      workspace: haltable(git, store, clock),
      app: { id: identity.id, login: `${identity.slug}[bot]` },
      limits: hostLimits(options),
      prices: options.prices ?? new Map(),
      runtimes: [...options.agents.keys()],
      workflows: () => workflows.names(),
      remoteOf: (repo) => ({ repo, url: github.gitUrl(repo) }),
      rulesOf,
      reportOf: async (run) => reportIn(await engine?.run(run)),
      detailsUrl: () => undefined,
      poke: (loop) => pokes.get(loop)?.(),
      ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
    };
    const atWork = openWork({
      ...options,
      shop,
      sql,
      owner,
      clock,
      searchPath,
      premises,
      recover,
      workflows,
      pokes,
    });
    engine = atWork.engine;
    return await start({
      options,
      shop,
      trackers,
      sql,
      owner,
      pokes,
      settings,
      git,
      ...atWork,
    });
  } catch (error) {
    await store.leaveInstance(owner).catch(() => undefined);
    sql.close();
    throw error;
  }
}

const hostLimits = ({ environment, reconcileMs }: ForgehandOptions): HostLimits => ({
  agents: environment.concurrency,
  dayWarnUsd: environment.dayWarnUsd ?? dayDefaultUsd.warn,
  ...dayCapsOf(environment),
  reconcileMs: reconcileMs ?? reconcileDefaultMs,
});

/** What a run left, once it is over. */
function reportIn(row: RunRow | undefined): RunReport | undefined {
  if (row?.status !== "finished" && row?.status !== "failed" && row?.status !== "cancelled") return undefined;
  return { workflow: row.workflow, status: row.status, output: row.output, error: row.error };
}

/** The database, brought up to date, and ours alone. */
async function openDatabase(
  environment: Environment,
  owner: ReturnType<typeof thisProcess>,
  clock: Clock,
): Promise<{ sql: Sql; store: Store }> {
  try {
    mkdirSync(environment.dataDir, { recursive: true, mode: 0o700 });
    const sql = openSqlite(environment.database);
    const store = openStore(sql, runVerbs);
    try {
      // The lease first, so that a second instance never migrates under the first.
      makeLease(sql);
      const taken = await store.takeInstance(owner, isDead, clock.now());
      if (taken !== "taken") {
        throw new Problem("second-instance", {
          path: environment.database,
          pid: taken.pid,
          host: taken.host,
          since: taken.startedAt,
        });
      }
      await migrateEngine(sql);
      await migrate(sql);
      return { sql, store };
    } catch (error) {
      await store.leaveInstance(owner).catch(() => undefined);
      sql.close();
      throw error;
    }
  } catch (error) {
    throw problemOf(error, { path: environment.database }) ?? error;
  }
}

/** Our labels by the names this repository gives them. */
const vocabularyOf = (rulesOf: (repo: KnownRepo) => RepoRules, repo: Repo) =>
  vocabulary("config" in repo ? rulesOf(repo as KnownRepo).config.labels : undefined);

interface Parts extends AtWork {
  readonly options: ForgehandOptions;
  readonly shop: Workshop;
  readonly trackers: ConnectedTrackers;
  readonly sql: Sql;
  readonly owner: ReturnType<typeof thisProcess>;
  readonly pokes: Map<string, () => void>;
  readonly settings: ReturnType<typeof requireGitHub>;
  readonly git: { prune(): Promise<unknown> };
}

async function start(parts: Parts): Promise<Forgehand> {
  const { options, shop, engine, sql, owner, pokes, settings, work, marks } = parts;
  const { store, clock } = shop;
  const { log } = options;
  await parts.git.prune();
  // Nobody is at work yet: what is open or set aside for a summary, a process that died has left.
  await store.endLostSessions();
  await store.releaseAll(`${summaryMark}/`);
  const intake = openIntake(shop);
  const outbox = openOutbox(shop);
  const schedule = openSchedule(shop);
  const timers = openTimers(shop);
  const reconcile = openReconcile(shop);
  const all = { intake, outbox, schedule, timers };
  const { agents, sessions } = work;
  const summaries = openTicketSummaries({
    sql,
    shop,
    environment: options.environment,
    marks,
    agents,
    sessions,
  });
  const questions = openQuestions({ shop, work, sweep: (run) => sweep(marks.of(run)) });
  for (const [name, loop] of Object.entries({ ...all, summaries, questions })) pokes.set(name, loop.poke);
  pokes.set("engine", engine.poke);
  const agentSessions = openAgentSessions(shop);
  pokes.set("sessions", agentSessions.poke);
  const keep = async (delivery: Delivery): Promise<"stored" | "repeat"> => {
    const stored = await store.receive(delivery);
    if (stored === "stored") {
      agentSessions.heard(delivery);
      intake.poke();
    }
    return stored;
  };
  const github = await openGitHubWebhooks({
    appId: settings.appId,
    privateKey: settings.privateKey,
    secrets: settings.webhookSecrets,
    baseUrl: settings.apiUrl,
    deliveries: { store: keep },
    clock,
    log,
  });
  const linear = parts.trackers.webhooks(keep);
  const web = openWeb(shop, options.environment);
  let isDraining = false;
  const ready = () =>
    isDraining ? ({ ok: "no", why: "draining: runs end, nothing new is taken" } as const) : isWell;
  const app = createServer({ github, linear, web: web.app, health: () => isWell, ready, log });
  const { server, url } = await listen(app.fetch, options.environment);
  // Where `forgehand open` finds us, whatever port it became.
  await store.set("served-at", url, "forgehand", clock.now());
  const stopLooking = lookEvery(inboxLookMs, clock, intake.poke);
  // A person answers a run from another process, which cannot poke us.
  const stopWatching = watchDatabase(options.environment.database, () => sql.version(), engine.poke);
  const stopRetiring = retireDaily({ sql, clock, log, logs: ticketLogPlaces(options.environment) });
  engine.poke();
  for (const loop of Object.values(all)) loop.poke();
  reconcile.poke();
  summaries.poke();
  questions.poke();
  agentSessions.poke();
  log.info({ url, database: options.environment.database }, "serving");
  return {
    url,
    store,
    engine,
    shop,
    reconcile: reconcile.poke,
    idle: async () =>
      (await intake.idle()) &&
      (await outbox.idle()) &&
      schedule.isIdle() &&
      timers.isIdle() &&
      reconcile.isIdle() &&
      summaries.isIdle() &&
      questions.isIdle() &&
      (await agentSessions.idle()) &&
      engine.atWork().length === 0,
    stop: async (drainMs) => {
      isDraining = true;
      web.stop();
      stopLooking();
      stopWatching();
      await Promise.all([stopRetiring(), parts.trackers.stop()]);
      await Promise.all([reconcile.stop(), schedule.stop(), timers.stop(), questions.stop()]);
      await agentSessions.stop();
      await engine.down(drainMs);
      await summaries.stop();
      parts.sessions.closeAll();
      await Promise.all([intake.stop(), outbox.stop()]);
      await close(server);
      await store.leaveInstance(owner);
      sql.close();
    },
  };
}

const isWell = { ok: "yes" } as const;

/** Until now it said how it is; whoever still listens is hung up on. */
async function close(server: ServerType): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
}

/** The dashboard, for whoever reaches this port by a name of this host. */
function openWeb(shop: Workshop, { host }: Environment): Web {
  const { store, clock } = shop;
  return createWeb({
    dashboard: openDashboard(shop),
    commands: openOrders({
      store,
      policyOf: async ({ repo }) => {
        const known = await store.repoById(repo);
        if (known === undefined) throw new Error(`repository ${repo} is not known`);
        return shop.rulesOf(known).policy;
      },
      now: () => clock.now(),
      newId: () => `web:${randomUUID()}`,
      left: () => shop.poke("intake"),
    }),
    sessions: store,
    hosts: [...new Set(["127.0.0.1", "localhost", "[::1]", host.toLowerCase()])],
    now: () => clock.now(),
    secret: () => randomBytes(32).toString("base64url"),
  });
}

async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  environment: Environment,
): Promise<{ server: ServerType; url: string }> {
  const { host, port } = environment;
  return await new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (address) =>
      resolve({ server, url: `http://${host}:${address.port}` }),
    );
    server.once("error", (error: unknown) => reject(problemOf(error, { host, port }) ?? error));
  });
}
