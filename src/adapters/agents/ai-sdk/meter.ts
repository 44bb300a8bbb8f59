import type { Clock } from "../../../ports.ts";
import type { AgentLimits, Usage } from "../../../ports-agents.ts";
import { dollarsAt, usdOf } from "../../../pricing.ts";
import { noUsage } from "../session-totals.ts";
import type { AiSdkEntry } from "./entry.ts";

/** Makers take no smaller limit of an answer. */
const leastTokens = 16;

/** What a turn has used, and what is left of its limits. */
export interface Meter {
  /** Counts it, and gives it back with its price where the operator named one. */
  add(usage: Usage, model: string): Usage;
  over(): "output-limit" | "budget" | undefined;
  /** Tokens that the next answer may have, so that neither limit is passed by much. */
  room(model: string, mostTokens: number): number;
}

export function turnMeter(limits: AgentLimits, prices: AiSdkEntry["prices"], clock: Clock): Meter {
  let outputTokens = 0;
  let usd = 0;
  const priced = (usage: Usage): Usage =>
    prices === undefined
      ? usage
      : { ...usage, usd: dollarsAt({ ...prices, cacheWrite: prices.cache_write }, usage) };
  const usdFor = (usage: Usage, model: string): number =>
    usdOf(priced(usage), model, clock.now(), limits.prices).usd;
  return {
    add: (usage, model) => {
      outputTokens += usage.outputTokens;
      usd += usdFor(usage, model);
      return priced(usage);
    },
    over: () => {
      if (outputTokens >= limits.outputTokens) return "output-limit";
      return usd >= limits.usd ? "budget" : undefined;
    },
    room: (model, mostTokens) => {
      const thousand = { ...noUsage, outputTokens: 1_000 };
      const usdPerToken = usdFor(thousand, model) / 1_000;
      const affordable = usdPerToken === 0 ? mostTokens : Math.floor((limits.usd - usd) / usdPerToken);
      return Math.max(leastTokens, Math.min(mostTokens, limits.outputTokens - outputTokens, affordable));
    },
  };
}
