/** What the serving process knows of itself and of its host, for pages. */
import { stat } from "node:fs/promises";
import { isTested } from "./adapters/agents/versions.ts";
import { diskUse } from "./adapters/disk-use.ts";
import { kept } from "./adapters/kept.ts";
import type { Environment } from "./config-environment.ts";
import type { Home } from "./home.ts";
import type { Clock } from "./ports.ts";
import type { Agent, Prices } from "./ports-agents.ts";
import type { HostSide, LoopStanding, RuntimeSeen } from "./ports-host.ts";
import { tableDay } from "./pricing.ts";
import { redact } from "./secrets.ts";
import { readUpdate, versionsFolder } from "./update/state.ts";
import { ownVersion } from "./version.ts";

/** A disk is measured, and runtimes are asked, no more often than this. */
const freshMs = 10 * 60_000;

export interface HostParts {
  readonly environment: Environment;
  readonly home: Pick<Home, "desk" | "budgets">;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly prices: Prices;
  readonly clock: Clock;
  readonly loops: () => readonly LoopStanding[];
}

export function openHostSide({ environment, home, agents, prices, clock, loops }: HostParts): HostSide {
  const now = (): number => clock.now();
  const folder = versionsFolder(environment.dataDir);
  return {
    version: ownVersion(),
    startedAt: now(),
    feed: environment.github === undefined ? "local" : (environment.feed?.is ?? "webhook"),
    loops,
    budgets: () => home.budgets?.() ?? [],
    disk: kept({ freshMs, now }, () => diskUse(environment, now())),
    runtimes: kept({ freshMs, now }, () => Promise.all([...agents.values()].map(seen))),
    lastOutput: async (path) => {
      try {
        return (await stat(path)).mtimeMs;
      } catch {
        return undefined;
      }
    },
    update: () => {
      const state = readUpdate(folder);
      if (state === undefined) return undefined;
      const { version, from, step, by, at, why } = state;
      return { version, from, step, by, at, why: why === undefined ? undefined : redact(why) };
    },
    priceTable: tableDay,
    ownPrices: prices.size,
    channels: (environment.notify ?? []).map(({ id, label }) => ({ id, label })),
    desk: home.desk,
  };
}

async function seen({ name, tested, probe }: Agent): Promise<RuntimeSeen> {
  try {
    const { found, version, why } = await probe();
    return {
      name,
      version,
      why: found ? why : (why ?? "it is not installed"),
      isTested: tested === undefined || version === undefined ? undefined : isTested(version, tested),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { name, version: undefined, why: redact(why), isTested: undefined };
  }
}
