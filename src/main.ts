import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { systemClock } from "./adapters/clock.ts";
import { peerUser } from "./adapters/peer-user.ts";
import { watchDatabase } from "./adapters/database-watch.ts";
import { isDead, thisProcess } from "./adapters/owner.ts";
import { openHousing } from "./adapters/sandboxes/quarters.ts";
import { sweep } from "./adapters/processes/agent-process.ts";
import { openTicketSummaries, ticketLogPlaces } from "./ticket-summaries.ts";
import { openOwnWorkflows } from "./adapters/workflows/own-workflows.ts";
import { openAgentSessions } from "./linear-side.ts";
import { openNotifications } from "./notify-side.ts";
import { githubHome } from "./home-github.ts";
import { openHostSide } from "./host-side.ts";
import type { Home, OpenHome } from "./home.ts";
import { aboutTickets } from "./about-tickets.ts";
import { openWork, type AtWork } from "./at-work.ts";
import type { Tracing } from "./config-observability.ts";
import type { ServerBundles } from "./config-servers.ts";
import type { Environment } from "./config-environment.ts";
import { runVerbs, summariesOf, type Engine, type RunRow } from "./engine/index.ts";
import { Problem, problemOf } from "./problems.ts";
import type { Clock } from "./ports.ts";
import type { LinearBoardRules } from "./config-linear-file.ts";
import type { Agent, Prices } from "./ports-agents.ts";
import { dayCapsOf, dayDefaultUsd } from "./shell/day.ts";
import { openRunDesk } from "./run-desk.ts";
import { snapshotsBeside } from "./workflow-snapshots.ts";
import { dayCapMark, openDayCap, type DayCap } from "./shell/day-cap.ts";
import { openDashboard } from "./shell/dashboard.ts";
import { openIntake } from "./shell/intake.ts";
import { lookEvery, type Loop } from "./shell/loop.ts";
import { openCommands } from "./shell/commands.ts";
import type { OrdersOptions } from "./shell/orders.ts";
import { openOutbox } from "./shell/outbox.ts";
import { haltable } from "./shell/haltable.ts";
import { haltBeforeStart } from "./shell/halts.ts";
import { openLookFirst } from "./shell/look-first.ts";
import { openSelfUpdates } from "./shell/self-update.ts";
import type { Updates } from "./shell/updates.ts";
import { openQuestions } from "./shell/questions.ts";
import { releaseOf } from "./shell/pages/release.ts";
import { openReconcile } from "./shell/reconcile.ts";
import { openRights } from "./shell/rights.ts";
import { rulesReader } from "./shell/rules-reader.ts";
import { openSchedule } from "./shell/schedule.ts";
import { summaryMark } from "./shell/summaries.ts";
import { retireDaily } from "./retention.ts";
import { openTimers } from "./shell/timers.ts";
import type { HostLimits, RunReport, Workshop } from "./shell/workshop.ts";
import { openSqlite, type Sql } from "./sql.ts";
import { makeLease } from "./store/database.ts";
import { openStore, type Store } from "./store/store.ts";
import { bringUpToDate } from "./upgrade.ts";
import { openStandby, type Standby } from "./standby.ts";
import { openObserving, type Observing } from "./observing.ts";
import { openCommitTimes } from "./telemetry/commit-times.ts";
import type { Delivery } from "./webhooks/github.ts";
import { createWeb, type Web, type WebOptions } from "./web/app.ts";

export interface ForgehandOptions {
  readonly environment: Environment;
  /** By runtime name; the names are what `runtime/*` labels may pick. */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly log: Logger;
  /** What the world is made of; the App of the environment when left out. */
  readonly home?: OpenHome;
  /** MCP servers that repositories may name; none when left out. */
  readonly bundles?: ServerBundles;
  /** The operator's own prices of models. */
  readonly prices?: Prices;
  /** What the operator says of Linear's boards; everything that is installed for every workspace when left out. */
  readonly linearRules?: LinearBoardRules;
  /** Whoever can put another version in the place of this one; nobody when left out. */
  readonly updates?: Updates;
  /** Where traces go; nowhere when left out. */
  readonly tracing?: Tracing | undefined;
  readonly clock?: Clock;
  readonly onStep?: Workshop["onStep"];
  /** Between two reconciliations. */
  readonly reconcileMs?: number;
}
export interface Forgehand {
  /** Where webhooks are taken: `http://127.0.0.1:3000`; empty where none are. */
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
export async function openForgehand(given: ForgehandOptions): Promise<Forgehand> {
  const { environment } = given;
  const traces = { of: (_ticket: string): string | undefined => undefined };
  const log = aboutTickets(given.log, (ticket) => traces.of(ticket));
  const options = { ...given, log };
  const clock = options.clock ?? systemClock();
  const owner = thisProcess();
  const commits = openCommitTimes();
  const { sql, store, standby } = await openDatabase(options, owner, clock, commits.took);
  try {
    // Where the one before us served, anybody may listen by now.
    await store.set("served-at", "", "forgehand", clock.now());
    const searchPath = process.env["PATH"] ?? "/usr/bin:/bin";
    const { commands: premises, recover } = openHousing(environment, process.env);
    const home = await (options.home ?? githubHome)({
      environment,
      store,
      clock,
      log,
      searchPath,
      premises,
      rulesOf: rulesReader(),
      linearRules: options.linearRules,
    });
    const workflows = await openOwnWorkflows(
      environment.workflows ?? join(environment.dataDir, "workflows"),
      log,
    );
    const pokes = new Map<string, () => void>();
    const loops = new Map<string, Loop>();
    const dayCap = openDayCap(dayCapsOf(environment).dayStopUsd, clock);
    dayCap.take(await store.setting(dayCapMark));
    // It is told what the workshop wants, and the workshop asks it what became of that.
    let engine: Engine | undefined;
    let atWork: AtWork | undefined;
    const shop: Workshop = {
      store,
      clock,
      random: Math.random,
      log,
      forge: home.forge,
      tracker: home.trackers.tracker,
      voice: home.trackers.voice,
      linear: home.trackers.side,
      ci: home.ci,
      drift: home.git.drift,
      changes: home.git.changes,
      hooks: home.hooks,
      pullsDeliveries: home.pullsDeliveries === true,
      workspace: haltable(home.git, store, clock),
      app: home.app,
      limits: hostLimits(options, dayCap),
      dayCap,
      hurried: new Set(),
      host: openHostSide({
        environment,
        home,
        agents: options.agents,
        prices: options.prices ?? new Map(),
        clock,
        loops: () => [...loops.values()].map((loop) => loop.standing()),
      }),
      prices: options.prices ?? new Map(),
      runtimes: [...options.agents.keys()],
      operators: environment.operators,
      updates: options.updates,
      workflows: () => workflows.names(),
      remoteOf: home.remoteOf,
      rulesOf: home.rulesOf,
      reportOf: async (run) => reportIn(await engine?.run(run)),
      summariesOf: (runs) => sql.read(() => summariesOf(runs)),
      ...(home.onboard === undefined ? {} : { onboard: home.onboard }),
      runDesk: openRunDesk({
        sql,
        database: environment.database,
        workflowNamed: (name) => atWork?.workflowNamed(name),
        snapshots: snapshotsBeside(environment.database),
        sweep: async (runs) => {
          if (atWork !== undefined) await sweep(...runs.map(atWork.marks.of));
        },
        poke: () => engine?.poke(),
      }),
      detailsUrl: ticketPages(environment.access?.publicUrl),
      poke: (loop) => pokes.get(loop)?.(),
      ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
    };
    atWork = openWork({
      ...options,
      shop,
      takes: () => !standby.isOn(),
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
    const observing = await openObserving({
      ...options,
      store,
      clock,
      commits,
      limits: shop.limits,
      rateLimits: () => [],
    });
    traces.of = observing.traceOf;
    return await start({
      observing,
      options,
      shop,
      home,
      standby,
      sql,
      owner,
      pokes,
      loops,
      ...atWork,
    });
  } catch (error) {
    await store.leaveInstance(owner).catch(() => undefined);
    sql.close();
    throw error;
  }
}

const hostLimits = ({ environment, reconcileMs }: ForgehandOptions, dayCap: DayCap): HostLimits => ({
  agents: environment.concurrency,
  dayWarnUsd: environment.dayWarnUsd ?? dayDefaultUsd.warn,
  tenantDayUsd: environment.tenantDayUsd,
  // An operator may say otherwise at any time.
  get dayStopUsd() {
    return dayCap.usd();
  },
  reconcileMs: reconcileMs ?? reconcileDefaultMs,
  extendsFrom: environment.extendsFrom,
});

/** What a run left, once it is over. */
function reportIn(row: RunRow | undefined): RunReport | undefined {
  if (row?.status !== "finished" && row?.status !== "failed" && row?.status !== "cancelled") return undefined;
  return { workflow: row.workflow, status: row.status, output: row.output, error: row.error };
}

/** The database, brought up to date, and ours alone. */
async function openDatabase(
  { environment, updates }: ForgehandOptions,
  owner: ReturnType<typeof thisProcess>,
  clock: Clock,
  onCommit: (seconds: number) => void,
): Promise<{ sql: Sql; store: Store; standby: Standby }> {
  try {
    mkdirSync(environment.dataDir, { recursive: true, mode: 0o700 });
    const sql = openSqlite(environment.database, { onCommit });
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
      await bringUpToDate(sql, { database: environment.database, now: clock.now() });
      return { sql, store, standby: await openStandby(store, updates, clock) };
    } catch (error) {
      await store.leaveInstance(owner).catch(() => undefined);
      sql.close();
      throw error;
    }
  } catch (error) {
    throw problemOf(error, { path: environment.database }) ?? error;
  }
}

interface Parts extends AtWork {
  readonly observing: Observing;
  readonly options: ForgehandOptions;
  readonly shop: Workshop;
  readonly home: Home;
  readonly standby: Standby;
  readonly sql: Sql;
  readonly owner: ReturnType<typeof thisProcess>;
  readonly pokes: Map<string, () => void>;
  readonly loops: Map<string, Loop>;
}

async function start(parts: Parts): Promise<Forgehand> {
  const { options, shop, home, engine, sql, owner, pokes, work, marks } = parts;
  const { store, clock } = shop;
  const { log } = options;
  await home.git.prune();
  // Nobody is at work yet: what is open or set aside for a summary, a process that died has left.
  await store.endLostSessions();
  await store.releaseAll(`${summaryMark}/`);
  const intake = openIntake(shop);
  const outbox = openOutbox(shop);
  const schedule = openSchedule(shop);
  const timers = openTimers(shop);
  const reconcile = openReconcile(shop);
  const all = { intake, outbox, schedule, timers };
  const goOn = (): void => void parts.standby.look().then(engine.poke, () => undefined);
  const lookingFirst = openLookFirst(shop, goOn);
  const updating = options.updates && openSelfUpdates(shop, options.updates, goOn);
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
  const standing = { ...all, reconcile, questions, lookingFirst, ...(updating && { updating }) };
  for (const [name, loop] of Object.entries(standing)) parts.loops.set(name, loop);
  const agentSessions = openAgentSessions(shop);
  pokes.set("sessions", agentSessions.poke);
  const notifications = await openNotifications(shop, options.environment, sql);
  const keep = async (delivery: Delivery): Promise<"stored" | "repeat"> => {
    const stored = await store.receive(delivery);
    if (stored === "stored") {
      agentSessions.heard(delivery);
      intake.poke();
    }
    return stored;
  };
  const refresh = (): "asked" | "underWay" => {
    const is = reconcile.isIdle() ? "asked" : "underWay";
    reconcile.poke();
    pokes.get("feed")?.();
    return is;
  };
  const web = openWeb(shop, options.environment, home, {
    refresh,
    metrics: parts.observing.metrics,
    failed: (error, request) => log.error({ ...request, err: error }, "request failed"),
  });
  let isDraining = false;
  const listening = await home.listen(keep, web.app, () =>
    isDraining ? { ok: "no", why: "draining: runs end, nothing new is taken" } : { ok: "yes" },
  );
  const { url, feed } = listening;
  if (feed !== undefined) pokes.set("feed", feed.poke);
  // Where `forgehand open` finds us, whatever port it became.
  await store.set("served-at", url, "forgehand", clock.now());
  const stopLooking = lookEvery(inboxLookMs, clock, intake.poke);
  // A person answers a run from another process, which cannot poke us.
  const stopWatching = watchDatabase(options.environment.database, () => sql.version(), engine.poke);
  const stopRetiring = retireDaily({ sql, clock, log, logs: ticketLogPlaces(options.environment) });
  await haltBeforeStart(shop);
  engine.poke();
  for (const loop of Object.values(all)) loop.poke();
  lookingFirst.poke();
  updating?.poke();
  reconcile.poke();
  summaries.poke();
  questions.poke();
  agentSessions.poke();
  notifications?.poke();
  log.info({ url, database: options.environment.database }, "serving");
  return {
    url,
    store,
    engine,
    shop,
    reconcile: () => {
      listening.feed?.poke();
      reconcile.poke();
    },
    idle: async () =>
      (await intake.idle()) &&
      (await outbox.idle()) &&
      schedule.isIdle() &&
      timers.isIdle() &&
      listening.feed?.isIdle() !== false &&
      reconcile.isIdle() &&
      summaries.isIdle() &&
      questions.isIdle() &&
      (await agentSessions.idle()) &&
      (await notifications?.idle()) !== false &&
      engine.atWork().length === 0,
    stop: async (drainMs) => {
      isDraining = true;
      web.stop();
      stopLooking();
      stopWatching();
      await Promise.all([stopRetiring(), home.trackers.stop(), listening.feed?.stop()]);
      await Promise.all([lookingFirst.stop(), updating?.stop()]);
      await Promise.all([reconcile.stop(), schedule.stop(), timers.stop(), questions.stop()]);
      await Promise.all([agentSessions.stop(), notifications?.stop()]);
      await engine.down(drainMs);
      await summaries.stop();
      parts.sessions.closeAll();
      await Promise.all([intake.stop(), outbox.stop()]);
      await listening.stop();
      await parts.observing.stop();
      await store.leaveInstance(owner);
      sql.close();
    },
  };
}

/** Where the page of a ticket is for people elsewhere; nowhere without a public address. */
const ticketPages =
  (publicUrl: string | undefined) =>
  (ticket: string): string | undefined =>
    publicUrl === undefined ? undefined : `${publicUrl}/tickets/${encodeURIComponent(ticket)}`;

/** The dashboard, for whoever reaches this port by a name of this host or by its public address. */
function openWeb(
  shop: Workshop,
  { host, access }: Environment,
  { login, writesTickets: writer }: Home,
  { refresh, failed, metrics }: Pick<OrdersOptions, "refresh"> & Pick<WebOptions, "failed" | "metrics">,
): Web {
  const { store, clock } = shop;
  const publicUrl = access?.publicUrl;
  const outside = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  return createWeb({
    dashboard: openDashboard(shop),
    commands: openCommands(shop, {
      store,
      writer,
      policyOf: async ({ repo }) => {
        const known = await store.repoById(repo);
        if (known === undefined) throw new Error(`repository ${repo} is not known`);
        return shop.rulesOf(known).policy;
      },
      now: () => clock.now(),
      newId: () => `web:${randomUUID()}`,
      mostUsd: () => shop.limits.dayStopUsd,
      releaseOf: (stored) => releaseOf(shop, stored),
      left: () => {
        for (const loop of ["intake", "schedule", "outbox"] as const) shop.poke(loop);
      },
      runDesk: shop.runDesk,
      refresh,
    }),
    failed,
    sessions: store,
    metrics,
    hosts: [...new Set(["127.0.0.1", "localhost", "[::1]", host.toLowerCase(), ...outside])],
    publicUrl,
    login,
    userOf: peerUser,
    people: openRights({
      forge: shop.forge,
      repos: store.knownRepos,
      operators: shop.operators ?? [],
      now: () => clock.now(),
    }),
    now: () => clock.now(),
    secret: () => randomBytes(32).toString("base64url"),
  });
}
