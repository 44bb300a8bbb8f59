/** What Linear's answers say of the budgets of a token: they fill up steadily, and only their headers tell how large they are. */

type What = "requests" | "complexity";
interface Level {
  readonly limit: number;
  readonly left: number;
  /** When it will be full again. */
  readonly fullAt: number;
  /** When this was said. */
  readonly at: number;
}
/** What work that can wait leaves to work that cannot, as a share of each budget. */
const reserve = 0.2;

export interface LinearBudget {
  /** Takes note of what an answer says; one without such headers changes nothing. */
  heard(headers: HeaderReader | undefined, now: number): void;
  /** Undefined when there is room for a query; else when there will be. Scans leave a reserve to all other work. */
  waitUntil(kind: "scan" | "work", complexity: number, now: number): number | undefined;
  /** What the last answer with this name cost; 0 when there was none. */
  costOf(name: string): number;
  spent(name: string, headers: HeaderReader | undefined): void;
  /** As was last said of each. */
  levels(): readonly (Level & { readonly what: What })[];
}
export interface HeaderReader {
  get(name: string): string | null;
}

const numberIn = (headers: HeaderReader, name: string): number | undefined => {
  const text = headers.get(name);
  const value = text === null || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
};

/** The budgets of one workspace. Nothing is assumed before the first answer. */
export function linearBudget(): LinearBudget {
  const levels = new Map<What, Level>();
  const costs = new Map<string, number>();
  const waitFor = (what: What, wanted: number, kind: "scan" | "work", now: number): number | undefined => {
    const level = levels.get(what);
    if (level === undefined) return undefined;
    const { limit, left, fullAt, at } = level;
    const needed = Math.min(limit, wanted + (kind === "scan" ? limit * reserve : 0));
    if (left >= needed || now >= fullAt || limit <= left) return undefined;
    const perMs = (limit - left) / Math.max(1, fullAt - at);
    const when = at + Math.ceil((needed - left) / perMs);
    return when <= now ? undefined : when;
  };
  return {
    heard: (headers, now) => {
      if (headers === undefined) return;
      for (const what of ["requests", "complexity"] as const) {
        const limit = numberIn(headers, `x-ratelimit-${what}-limit`);
        const left = numberIn(headers, `x-ratelimit-${what}-remaining`);
        const fullAt = numberIn(headers, `x-ratelimit-${what}-reset`);
        if (limit !== undefined && left !== undefined && fullAt !== undefined && limit > 0)
          levels.set(what, { limit, left, fullAt, at: now });
      }
    },
    waitUntil: (kind, complexity, now) => {
      const waits = [waitFor("requests", 1, kind, now), waitFor("complexity", complexity, kind, now)];
      const until = waits.filter((one) => one !== undefined);
      return until.length === 0 ? undefined : Math.max(...until);
    },
    costOf: (name) => costs.get(name) ?? 0,
    spent: (name, headers) => {
      const cost = headers === undefined ? undefined : numberIn(headers, "x-complexity");
      if (cost !== undefined) costs.set(name, cost);
    },
    levels: () => [...levels].map(([what, level]) => ({ what, ...level })),
  };
}
