import type { Logger } from "pino";
import { watchDatabase } from "./adapters/database-watch.ts";
import { thisProcess } from "./adapters/owner.ts";
import { sweep } from "./adapters/processes/agent-process.ts";
import { openTicketSummaries, ticketLogPlaces } from "./ticket-summaries.ts";
import { openAgentSessions } from "./linear-side.ts";
import { openNotifications } from "./notify-side.ts";
import type { Home, OpenHome } from "./home.ts";
import { type AtWork } from "./at-work.ts";
import type { Tracing } from "./config-observability.ts";
import type { ServerBundles } from "./config-servers.ts";
import type { Environment } from "./config-environment.ts";
import { type Engine } from "./engine/index.ts";
import type { Clock } from "./ports.ts";
import type { LinearBoardRules } from "./config-linear-file.ts";
import type { Agent, Prices } from "./ports-agents.ts";
import { openIntake } from "./shell/intake.ts";
import { lookEvery, type Loop } from "./shell/loop.ts";
import { openOutbox } from "./shell/outbox.ts";
import { haltBeforeStart } from "./shell/halts.ts";
import { openLookFirst } from "./shell/look-first.ts";
import { openSelfUpdates } from "./shell/self-update.ts";
import type { Updates } from "./shell/updates.ts";
import { openQuestions } from "./shell/questions.ts";
import { openReconcile } from "./shell/reconcile.ts";
import { openSchedule } from "./shell/schedule.ts";
import { summaryMark } from "./shell/summaries.ts";
import { retireDaily } from "./retention.ts";
import { openTimers } from "./shell/timers.ts";
import type { Workshop } from "./shell/workshop.ts";
import { type Sql } from "./sql.ts";
import { type Store } from "./store/store.ts";
import { type Standby } from "./standby.ts";
import { type Observing } from "./observing.ts";
import type { Delivery } from "./webhooks/github.ts";
import { openWeb } from "./web-side.ts";

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

/** Rows that another process (a command) left are noticed this soon. */
const inboxLookMs = 500;

export interface Parts extends AtWork {
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

/** Every loop, opened and known by its name; none has begun. */
async function openLoops(parts: Parts) {
  const { options, shop, engine, sql, pokes, work, marks } = parts;
  const { environment } = options;
  const first = {
    intake: openIntake(shop),
    outbox: openOutbox(shop),
    schedule: openSchedule(shop),
    timers: openTimers(shop),
  };
  const reconcile = openReconcile(shop);
  const goOn = (): void => void parts.standby.look().then(engine.poke, () => undefined);
  const lookingFirst = openLookFirst(shop, goOn);
  const updating = options.updates && openSelfUpdates(shop, options.updates, goOn);
  const { agents, sessions } = work;
  const summaries = openTicketSummaries({ sql, shop, environment, marks, agents, sessions });
  const questions = openQuestions({ shop, work, sweep: (run) => sweep(marks.of(run)) });
  const agentSessions = openAgentSessions(shop);
  const notifications = await openNotifications(shop, environment, sql);
  for (const [name, loop] of Object.entries({ ...first, summaries, questions })) pokes.set(name, loop.poke);
  pokes.set("engine", engine.poke);
  pokes.set("sessions", agentSessions.poke);
  const standing = { ...first, reconcile, questions, lookingFirst, ...(updating && { updating }) };
  for (const [name, loop] of Object.entries(standing)) parts.loops.set(name, loop);
  return { ...first, reconcile, lookingFirst, updating, summaries, questions, agentSessions, notifications };
}

/** Begins to listen and to work. */
export async function start(parts: Parts): Promise<Forgehand> {
  const { options, shop, home, engine, sql, owner, pokes } = parts;
  const { store, clock } = shop;
  const { log } = options;
  await home.git.prune();
  // Nobody is at work yet: what is open or set aside for a summary, a process that died has left.
  await store.endLostSessions();
  await store.releaseAll(`${summaryMark}/`);
  const loops = await openLoops(parts);
  const { intake, outbox, schedule, timers, reconcile, lookingFirst, updating, summaries } = loops;
  const { questions, agentSessions, notifications } = loops;
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
  for (const loop of Object.values(loops)) loop?.poke();
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
