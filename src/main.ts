import { join } from "node:path";
import { systemClock } from "./adapters/clock.ts";
import { thisProcess } from "./adapters/owner.ts";
import { openHousing } from "./adapters/sandboxes/quarters.ts";
import { sweep } from "./adapters/processes/agent-process.ts";
import { openOwnWorkflows } from "./adapters/workflows/own-workflows.ts";
import { githubHome } from "./home-github.ts";
import { openHostSide } from "./host-side.ts";
import { aboutTickets } from "./about-tickets.ts";
import { openWork, type AtWork } from "./at-work.ts";
import { summariesOf, type RunRow } from "./engine/index.ts";
import { dayCapsOf, dayDefaultUsd } from "./shell/day.ts";
import { openRunDesk } from "./run-desk.ts";
import { snapshotsBeside } from "./workflow-snapshots.ts";
import { dayCapMark, openDayCap, type DayCap } from "./shell/day-cap.ts";
import { type Loop } from "./shell/loop.ts";
import { haltable } from "./shell/haltable.ts";
import { rulesReader } from "./shell/rules-reader.ts";
import type { HostLimits, RunReport, Workshop } from "./shell/workshop.ts";
import { openObserving } from "./observing.ts";
import { openCommitTimes } from "./telemetry/commit-times.ts";
import { openDatabase } from "./open-database.ts";
import { start, type Forgehand, type ForgehandOptions } from "./serving.ts";
import { ticketPages } from "./web-side.ts";

import type { Clock } from "./ports.ts";
import type { Home } from "./home.ts";
import type { Sql } from "./sql.ts";
import type { Store } from "./store/store.ts";

export type { Forgehand, ForgehandOptions } from "./serving.ts";

const reconcileDefaultMs = 5 * 60_000;
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
    let atWork: AtWork | undefined;
    const shop = makeShop({
      options,
      store,
      sql,
      clock,
      home,
      dayCap,
      workflows,
      pokes,
      loops,
      atWork: () => atWork,
    });
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
    const observing = await openObserving({
      ...options,
      store,
      clock,
      commits,
      limits: shop.limits,
      rateLimits: () =>
        (shop.host?.budgets() ?? []).map(({ of, name, limit, left }) => ({
          installation: of,
          resource: name,
          limit,
          remaining: left,
        })),
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

interface ShopParts {
  readonly options: ForgehandOptions;
  readonly store: Store;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly home: Home;
  readonly dayCap: DayCap;
  readonly workflows: Awaited<ReturnType<typeof openOwnWorkflows>>;
  readonly pokes: ReadonlyMap<string, () => void>;
  readonly loops: ReadonlyMap<string, Loop>;
  /** Undefined until somebody is. */
  readonly atWork: () => AtWork | undefined;
}

/** What the shell works with, of everything that was opened. */
function makeShop(parts: ShopParts): Workshop {
  const { options, store, sql, clock, home, dayCap, workflows, pokes, loops } = parts;
  const { environment, log } = options;
  const prices = options.prices ?? new Map();
  const { atWork } = parts;
  return {
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
      prices,
      clock,
      loops: () => [...loops.values()].map((loop) => loop.standing()),
    }),
    prices,
    runtimes: [...options.agents.keys()],
    operators: environment.operators,
    updates: options.updates,
    workflows: () => workflows.names(),
    remoteOf: home.remoteOf,
    rulesOf: home.rulesOf,
    reportOf: async (run) => reportIn(await atWork()?.engine.run(run)),
    summariesOf: (runs) => sql.read(() => summariesOf(runs)),
    ...(home.onboard === undefined ? {} : { onboard: home.onboard }),
    runDesk: openRunDesk({
      sql,
      database: environment.database,
      workflowNamed: (name) => atWork()?.workflowNamed(name),
      snapshots: snapshotsBeside(environment.database),
      sweep: async (runs) => {
        const marks = atWork()?.marks;
        if (marks !== undefined) await sweep(...runs.map(marks.of));
      },
      poke: () => atWork()?.engine.poke(),
    }),
    detailsUrl: ticketPages(environment.access?.publicUrl),
    poke: (loop) => pokes.get(loop)?.(),
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
  };
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
