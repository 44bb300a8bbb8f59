/** What was spent, on whom and for what; for the page, its CSV and `forgehand cost`. */
import { seenBy, type Viewer } from "../../ports-dashboard.ts";
import type {
  CostDay,
  CostRow,
  CostsAsked,
  CostsView,
  CostsViews,
  Projected,
} from "../../ports-dashboard-costs.ts";
import type { CostPart, CostSum } from "../../store/costs.ts";
import type { Store } from "../../store/store.ts";

const dayMs = 86_400_000;
/** Rows of a table; a file may have more. */
const mostRows = 50;
/** A chart of more days is none to look at. */
const mostDays = 400;
/** Parts of a day's bar that have a name; the others are one. */
const mostParts = 8;
/** Before so much of a day is over, its pace says nothing. */
const leastOfDay = 1 / 24;
/** A month goes on as these days did. */
const lastDays = 7;

export interface CostsParts {
  readonly store: Pick<Store, "costsBy" | "costParts" | "mergedIn">;
  readonly now: number;
  readonly caps: { readonly warnUsd: number; readonly stopUsd: number };
}
export const costsViews = (parts: () => CostsParts): CostsViews => ({
  costs: (viewer, asked) => costsView(parts(), viewer, asked),
});

const dayOf = (at: number): number => Math.floor(at / dayMs);
const named = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10);

/** Days are those of UTC, as the caps of a day are. */
export async function costsView(
  { store, now, caps }: CostsParts,
  viewer: Viewer,
  { by, stack, since, limit = mostRows }: CostsAsked,
): Promise<CostsView> {
  const repos = seenBy(viewer);
  const to = dayOf(now);
  const from = Math.min(to, Math.max(dayOf(since), to - mostDays + 1));
  const span = { from, to, repos };
  const [sums, daySums, stacked, merged, recent] = await Promise.all([
    store.costsBy(by, span, limit + 1),
    store.costsBy("day", span, mostDays),
    store.costParts(stack, span),
    store.mergedIn(span),
    store.costsBy("day", { ...span, from: Math.min(monthStart(now), to - lastDays) }, mostDays),
  ]);
  const total = daySums.map(rowOf).reduce(added, nothing);
  return {
    by,
    stack,
    from: named(from),
    to: named(to),
    rows: sums.slice(0, limit).map(rowOf),
    isCut: sums.length > limit,
    total,
    ...daysOf(from, to, stacked),
    merged,
    usdPerMerged: merged === 0 ? undefined : total.usd / merged,
    usdPerFailed: total.failed === 0 ? undefined : total.failedUsd / total.failed,
    cachedShare: total.inputTokens === 0 ? undefined : total.cachedTokens / total.inputTokens,
    ...projected(now, new Map(recent.map(({ key, usd }) => [Number(key), usd]))),
    caps: viewer.rights === "operator" ? caps : undefined,
    now,
  };
}

const rowOf = ({ key, ...sum }: CostSum): CostRow => ({
  ...sum,
  name: typeof key === "number" ? named(key) : key,
});
const nothing: CostRow = {
  name: "",
  usd: 0,
  guessedUsd: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  sessions: 0,
  failed: 0,
  failedUsd: 0,
};
const added = (one: CostRow, other: CostRow): CostRow => ({
  name: "",
  usd: one.usd + other.usd,
  guessedUsd: one.guessedUsd + other.guessedUsd,
  inputTokens: one.inputTokens + other.inputTokens,
  cachedTokens: one.cachedTokens + other.cachedTokens,
  outputTokens: one.outputTokens + other.outputTokens,
  sessions: one.sessions + other.sessions,
  failed: one.failed + other.failed,
  failedUsd: one.failedUsd + other.failedUsd,
});

/** Every day has its bar, those of nothing too; the dearest parts lie at the bottom. */
function daysOf(
  from: number,
  to: number,
  stacked: readonly CostPart[],
): { readonly parts: readonly string[]; readonly days: readonly CostDay[] } {
  const byPart = Map.groupBy(stacked, ({ part }) => part);
  const dearest = [...byPart]
    .map(([part, some]) => ({ part, usd: some.reduce((sum, { usd }) => sum + usd, 0) }))
    .toSorted((a, b) => b.usd - a.usd || (a.part < b.part ? -1 : 1))
    .map(({ part }) => part);
  const own = dearest.slice(0, mostParts);
  const parts = dearest.length > mostParts ? [...own, "others"] : own;
  const byDay = Map.groupBy(stacked, ({ day }) => day);
  const days = Array.from({ length: to - from + 1 }, (_, index) => {
    const sums = parts.map(() => 0);
    for (const { part, usd } of byDay.get(from + index) ?? []) {
      const at = own.indexOf(part);
      sums.splice(at, 1, (sums.at(at) ?? 0) + usd);
    }
    return { day: named(from + index), usd: sums.reduce((sum, usd) => sum + usd, 0), parts: sums };
  });
  return { parts: parts.map((part) => (part === "" ? "unknown model" : part)), days };
}

const monthStart = (now: number): number => {
  const date = new Date(now);
  return dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1));
};

/** The day goes on at the pace it had; the days after it as the last ones before it were. */
function projected(
  now: number,
  usdOn: ReadonlyMap<number, number>,
): { readonly today: Projected; readonly month: Projected } {
  const today = dayOf(now);
  const usd = usdOn.get(today) ?? 0;
  const gone = (now % dayMs) / dayMs;
  const wholeDay = gone < leastOfDay ? undefined : usd / gone;
  const before = Array.from({ length: lastDays }, (_, back) => usdOn.get(today - 1 - back) ?? 0);
  const usual = before.reduce((sum, one) => sum + one, 0) / lastDays;
  const first = monthStart(now);
  const spent = [...usdOn].reduce((sum, [day, one]) => (day >= first ? sum + one : sum), 0);
  const date = new Date(now);
  const next = dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1));
  const rest = (wholeDay ?? Math.max(usd, usual)) - usd + usual * (next - today - 1);
  return {
    today: { usd, projectedUsd: wholeDay },
    month: { usd: spent, projectedUsd: spent + rest },
  };
}
