/** What GitHub's answers say of how much it still answers: the last word of each client and resource. */
import type { RateBudget } from "../../ports-host.ts";

export interface Rates {
  heard(client: string, headers: Readonly<Record<string, unknown>>): void;
  told(): readonly RateBudget[];
}
/** Installations and resources kept; more of them push the oldest out. */
const most = 200;

export function openRates(now: () => number): Rates {
  const kept = new Map<string, RateBudget>();
  return {
    heard: (client, headers) => {
      const limit = Number(headers["x-ratelimit-limit"]);
      const left = Number(headers["x-ratelimit-remaining"]);
      const reset = Number(headers["x-ratelimit-reset"]);
      if (!(limit > 0) || !(left >= 0) || !(reset > 0)) return;
      const named = headers["x-ratelimit-resource"];
      const resource = typeof named === "string" ? named.slice(0, 40) : "core";
      const name = `${client === "app" ? "the App" : client.replace("-", " ")}, ${resource}`;
      kept.delete(name);
      kept.set(name, { of: "GitHub", name, limit, left, resetAt: reset * 1_000, at: now() });
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    },
    told: () => [...kept.values()],
  };
}
