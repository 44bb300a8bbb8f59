/** Summaries of the runs of tickets, wired to the database, the logs and whoever writes them. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { sweep } from "./adapters/processes/agent-process.ts";
import type { RunMarks } from "./adapters/processes/run-marks.ts";
import { openSessionLog } from "./adapters/logs/session-log.ts";
import { readSessionLog } from "./adapters/logs/session-log-reader.ts";
import type { Environment } from "./config-environment.ts";
import { secretValues } from "./config-secrets.ts";
import { historyOf, keepSummary, replaceSummary, unsummarised } from "./engine/index.ts";
import type { Clock } from "./ports.ts";
import type { Agent } from "./ports-agents.ts";
import type { SessionLog } from "./session-logs.ts";
import { Problem } from "./problems.ts";
import type { ServerBundles } from "./config-servers.ts";
import { redactKnown } from "./secrets.ts";
import type { LogPlaces } from "./retention.ts";
import { capsOf } from "./shell/day.ts";
import {
  openSummaries,
  summaryMark,
  type Summaries,
  type Summariser,
  type SummaryParts,
} from "./shell/summaries.ts";
import { ticketStory } from "./shell/ticket-story.ts";
import type { Log, Workshop } from "./shell/workshop.ts";
import type { Sql } from "./sql.ts";
import { ticketOfRun } from "./state-machine/ticket.ts";
import type { SessionRecorder } from "./workflows/work.ts";

export interface TicketSummaryOptions {
  readonly sql: Sql;
  readonly shop: Workshop;
  readonly environment: Environment;
  readonly marks: RunMarks;
  /** Marked already. */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly sessions: SessionRecorder;
}

/** Where the sessions of tickets are kept, and how much of them. */
export const ticketLogPlaces = ({ dataDir, logBytes }: Environment): LogPlaces => ({
  ticketLogs: resolve(dataDir, "logs"),
  runLogs: undefined,
  mostBytes: logBytes,
});

/** What is kept of the sessions of tickets, below the data folder. */
export const openTicketLog = (
  environment: Environment,
  bundles: ServerBundles,
  clock: Clock,
  log: Log,
): SessionLog =>
  openSessionLog({
    // Its path is kept with the session, for readers that stand elsewhere.
    folder: resolve(environment.dataDir, "logs"),
    clock,
    redact: redactKnown(secretValues(environment, process.env, bundles)),
    warn: (fields, message) => log.warn(fields, message),
  });

/** Throws a `Problem` when FORGEHAND_SUMMARY names a runtime that is not there. */
export function openTicketSummaries(options: TicketSummaryOptions): Summaries {
  const { sql, shop, environment, agents, marks, sessions } = options;
  const { store, clock, log } = shop;
  return openSummaries({
    clock,
    log,
    ...summaryVerbs(sql),
    tell: (row) =>
      ticketStory(
        {
          store,
          historyOf: (run) => sql.read(() => historyOf(run)),
          linesIn: (path, kinds) => readSessionLog(path, 0, kinds)?.lines,
        },
        row,
      ),
    summariser: summariserOf(environment, agents, {
      sessions,
      prices: shop.prices,
      reserve: (...wanted) => reserve(shop, ...wanted),
      release: store.release,
      sweep: () => sweep(marks.of(summaryMark)),
    }),
  });
}

/** A summary spends what the caps of the day leave, beside the run that it is of. */
async function reserve(
  { store, clock, limits, rulesOf }: Workshop,
  run: string,
  key: string,
  usd: number,
): Promise<string | undefined> {
  if ((await store.setting("halt-all")) !== undefined) return "everything is halted";
  const stored = await store.load(ticketOfRun(run));
  const repo = stored && (await store.repoById(stored.repo));
  if (stored === undefined || repo === undefined) return "its repository is gone";
  const at = clock.now();
  const caps = capsOf(rulesOf(repo).config, limits, at);
  await store.reserve({ run: key, ticket: stored.ticket.id, repo: repo.id, allowedUsd: usd, caps, at });
  const reserved = await store.reservationOf(key);
  if ((reserved?.usd ?? 0) >= usd) return undefined;
  await store.release(key);
  return `the dollars of the ${reserved?.level ?? "day"} are spent`;
}

/** What a database does for summaries. */
export const summaryVerbs = (sql: Sql): Pick<SummaryParts, "due" | "keep" | "replace"> => ({
  due: (limit) => sql.read(() => unsummarised(limit)),
  keep: (...summary) => sql.commit(() => keepSummary(...summary)),
  replace: (...summary) => sql.commit(() => replaceSummary(...summary)),
});

/** Whoever FORGEHAND_SUMMARY names; undefined when nobody is named. */
export function summariserOf(
  { summary, dataDir }: Pick<Environment, "summary" | "dataDir">,
  agents: ReadonlyMap<string, Agent>,
  rest: Omit<Summariser, "agent" | "model" | "within" | "nonce">,
): Summariser | undefined {
  if (summary === undefined) return undefined;
  const agent = agents.get(summary.runtime);
  if (agent === undefined)
    throw new Problem("environment-wrong", {
      name: "FORGEHAND_SUMMARY",
      wrong: `no runtime is called ${summary.runtime}; there is ${[...agents.keys()].join(", ")}`,
    });
  return {
    ...rest,
    agent,
    model: summary.model,
    within: async (work) => {
      const parent = resolve(dataDir, "summaries");
      await mkdir(parent, { recursive: true, mode: 0o700 });
      const folder = await mkdtemp(join(parent, "empty-"));
      try {
        return await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    nonce: () => randomBytes(16).toString("hex"),
  };
}
