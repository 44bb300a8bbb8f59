/** What a scrape is answered. Nothing is counted, and no library loaded, where nobody scrapes. */
import type { Registry } from "prom-client";
import type { Purse } from "../store/reservations.ts";
import type { Store } from "../store/store.ts";
import type { Tally } from "../store/tally.ts";
import { countOf, spentIn, summed, valuesIn } from "./count.ts";
import { beginning, type Position } from "../store/follow.ts";
import type { CommitTimes } from "./commit-times.ts";
import { bounded, metrics, type Metric, type MetricName, type Sample } from "./metrics.ts";

/** As the forge last said. */
export interface RateLimit {
  readonly installation: string;
  readonly resource: string;
  readonly limit: number;
  readonly remaining: number;
}
export interface ScrapeParts {
  readonly store: Pick<
    Store,
    "follow" | "positionOf" | "tallies" | "addTallies" | "standing" | "sessionsById" | "spendingSince"
  >;
  readonly now: () => number;
  readonly build: { readonly version: string; readonly node: string };
  readonly limits: {
    readonly agents: number;
    readonly dayWarnUsd: number;
    readonly dayStopUsd: number;
    readonly tenantDayUsd: number | undefined;
  };
  readonly commits: CommitTimes;
  /** Spans that left, and those that were refused. */
  readonly spans: () => { readonly sent: number; readonly refused: number };
  readonly rateLimits: () => readonly RateLimit[];
  readonly log: { error(fields: object, message: string): void };
}
export interface Scraped {
  readonly contentType: string;
  readonly text: string;
}
export interface Scraper {
  /** `accept` as the scraper said it. */
  scrape(accept: string): Promise<Scraped>;
  /** Ends what still counts behind a scrape. */
  stop(): Promise<void>;
}

const follower = "metrics";
/** Rows of each kind counted within a scrape; what is older is counted behind it, bit by bit. */
const batch = 1_000;
const dayMs = 86_400_000;

/** Scrapes take turns: each tells what was counted by then. */
export function openScraper(parts: ScrapeParts): Scraper {
  let last: Promise<unknown> = Promise.resolve();
  let behind: Promise<void> | undefined;
  let isEnding = false;
  let processes: Promise<Processes> | undefined;
  const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return await mine;
  };
  /** The rest of a long history, in turns with whoever scrapes meanwhile. */
  const catchUp = async (): Promise<void> => {
    for (let isAll = false; !isAll && !isEnding;) {
      isAll = (await inTurn(() => countOnce(parts))).isAll;
      // Whatever else this process has to do comes between.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    scrape: async (accept) => {
      processes ??= openProcesses();
      const { render } = await processes;
      const { counted, scraped } = await inTurn(async () => {
        const totals = await countOnce(parts);
        return {
          counted: totals,
          scraped: await render(await samplesOf(parts, totals), wantsOpenMetrics(accept)),
        };
      });
      if (!counted.isAll && !isEnding)
        behind ??= catchUp()
          .catch((error: unknown) => parts.log.error({ error }, "figures could not be counted"))
          .finally(() => {
            behind = undefined;
          });
      return scraped;
    },
    stop: async () => {
      isEnding = true;
      await behind;
      await last;
    },
  };
}

/** Prometheus asks for both and prefers one by its weight; in doubt the older one is everybody's. */
export function wantsOpenMetrics(accept: string): boolean {
  const weightOf = (type: string): number =>
    Math.max(
      0,
      ...accept.split(",").map((range) => {
        const [name = "", ...settings] = range.split(";").map((part) => part.trim().toLowerCase());
        if (name !== type) return 0;
        const weight = Number(settings.find((one) => one.startsWith("q="))?.slice(2) ?? "1");
        return Number.isFinite(weight) ? weight : 0;
      }),
    );
  return weightOf("application/openmetrics-text") > weightOf("text/plain");
}

interface CountedTotals {
  readonly tallies: readonly Tally[];
  readonly known: Map<string, Set<string>>;
  readonly position: Position;
  readonly isAll: boolean;
}
/** Counts what is fresh, once for ever. */
async function countOnce({ store, now }: ScrapeParts): Promise<CountedTotals> {
  const tallies = await store.tallies();
  const known = valuesIn(tallies);
  const before = (await store.positionOf(follower)) ?? beginning;
  const { fresh, position } = await store.follow(before, { now: now(), limit: batch });
  const added = countOf(fresh, known);
  if (JSON.stringify(position) !== JSON.stringify(before)) await store.addTallies(follower, added, position);
  return { tallies: summed([...tallies, ...added]), known, position, isAll: fresh.isAll };
}

type Samples = ReadonlyMap<MetricName, readonly (Sample & { readonly name?: string })[]>;

async function samplesOf(parts: ScrapeParts, totals: CountedTotals): Promise<Samples> {
  const { store, limits, build } = parts;
  const now = parts.now();
  const [standing, purses, open] = await Promise.all([
    store.standing(now),
    store.spendingSince(now - (now % dayMs)),
    store.sessionsById(totals.position.openSessions),
  ]);
  const { known } = totals;
  const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
  const each = (label: string, counted: readonly { readonly name: string; readonly n: number }[]) =>
    counted.map(({ name, n }) => ({ labels: { [label]: name }, value: n }));
  const since = (at: number | undefined): number => (at === undefined ? 0 : Math.max(0, now - at) / 1_000);
  const samples = new Map<MetricName, readonly Sample[]>([
    ["forgehand_build_info", [{ labels: { ...build }, value: 1 }]],
    ["forgehand_inbox_waiting", one(standing.inboxWaiting)],
    ["forgehand_inbox_parked", one(standing.inboxParked)],
    ["forgehand_inbox_lag_seconds", one(since(standing.oldestItemAt))],
    ["forgehand_tickets", [...each("state", standing.tickets), ...closedIn(totals.tallies)]],
    ["forgehand_outbox_waiting", each("type", standing.outbox)],
    ["forgehand_outbox_lag_seconds", one(since(standing.oldestDueAt))],
    ["forgehand_runs_open", each("status", standing.runs)],
    ["forgehand_agents", perRuntime(open, known)],
    ["forgehand_agents_limit", one(limits.agents)],
    ["forgehand_day_usd", dayOf(purses)],
    ["forgehand_day_cap_usd", capsOf(limits)],
    ["forgehand_halts", each("of", standing.halts)],
    ["forgehand_metrics_behind", one(totals.isAll ? 0 : 1)],
    ["forgehand_commit_seconds", histogramOf("forgehand_commit_seconds", parts.commits.tallies())],
    [
      "forgehand_spans_total",
      Object.entries(parts.spans()).map(([outcome, value]) => ({ labels: { outcome }, value })),
    ],
    [
      "forgehand_runtime_down",
      standing.runtimes.map(({ runtime, downUntil }) => ({
        labels: { runtime: bounded(known, "runtime", runtime) },
        value: downUntil > now ? 1 : 0,
      })),
    ],
    [
      "forgehand_runtime_failures",
      standing.runtimes.map(({ runtime, failures }) => ({
        labels: { runtime: bounded(known, "runtime", runtime) },
        value: failures,
      })),
    ],
    ...limitsOf(parts.rateLimits(), known),
  ]);
  // What is at work has spent already; before its model is known nobody can say under which name.
  const spending = open.filter(({ model }) => model !== null).flatMap((session) => spentIn(session, known));
  const kept = summed([...totals.tallies, ...spending]);
  for (const [name, { kind, from }] of Object.entries(metrics) as [MetricName, Metric][]) {
    if (from !== "kept") continue;
    samples.set(
      name,
      kind === "histogram" ? histogramOf(name, kept) : kept.filter(({ metric }) => metric === name),
    );
  }
  return samples;
}

/** Closed tickets pile up and nobody waits for them: what came into their states, less what left. */
function closedIn(tallies: readonly Tally[]): readonly Sample[] {
  const lines = tallies.filter(({ metric }) => metric === "forgehand_transitions_total");
  const sum = (side: "from" | "to", state: string): number =>
    lines.reduce((all, { labels, value }) => (labels[side] === state ? all + value : all), 0);
  return ["Done", "Cancelled"].map((state) => ({
    labels: { state },
    value: sum("to", state) - sum("from", state),
  }));
}

function perRuntime(
  open: readonly { readonly runtime: string }[],
  known: Map<string, Set<string>>,
): readonly Sample[] {
  return summed(
    open.map(({ runtime }) => ({
      metric: "forgehand_agents",
      labels: { runtime: bounded(known, "runtime", runtime) },
      value: 1,
    })),
  );
}

const dayOf = (purses: readonly Purse[]): readonly Sample[] => [
  { labels: { kind: "spent" }, value: purses.reduce((sum, { spentUsd }) => sum + spentUsd, 0) },
  { labels: { kind: "reserved" }, value: purses.reduce((sum, { reservedUsd }) => sum + reservedUsd, 0) },
];

const capsOf = ({ dayWarnUsd, dayStopUsd, tenantDayUsd }: ScrapeParts["limits"]): readonly Sample[] => [
  { labels: { cap: "warn" }, value: dayWarnUsd },
  { labels: { cap: "stop" }, value: dayStopUsd },
  ...(tenantDayUsd === undefined ? [] : [{ labels: { cap: "tenant" }, value: tenantDayUsd }]),
];

function limitsOf(limits: readonly RateLimit[], known: Map<string, Set<string>>) {
  const series = limits.map(({ installation, resource, ...rest }) => ({
    labels: {
      installation: bounded(known, "installation", installation),
      resource: bounded(known, "resource", resource),
    },
    ...rest,
  }));
  return [
    ["forgehand_rate_limit_remaining", series.map(({ labels, remaining }) => ({ labels, value: remaining }))],
    ["forgehand_rate_limit", series.map(({ labels, limit }) => ({ labels, value: limit }))],
  ] as const;
}

/** Buckets are kept each by itself and told one above the other, as the format wants them. */
export function histogramOf(
  name: MetricName,
  tallies: readonly Tally[],
): readonly (Sample & { readonly name: string })[] {
  const { bounds = [] }: Metric = metrics[name];
  const sums = tallies.filter(({ metric }) => metric === `${name}_sum`);
  const buckets = tallies.filter(({ metric }) => metric === `${name}_bucket`);
  return sums.flatMap(({ labels, value: sum }) => {
    const key = JSON.stringify(labels);
    const mine = new Map(
      buckets.flatMap(({ labels: { le = "", ...rest }, value }) =>
        JSON.stringify(rest) === key ? [[le, value] as const] : [],
      ),
    );
    let count = 0;
    const steps = [...bounds.map(String), "+Inf"].map((le) => ({
      name: `${name}_bucket`,
      labels: { ...labels, le },
      value: (count += mine.get(le) ?? 0),
    }));
    return [
      ...steps,
      { name: `${name}_sum`, labels, value: sum },
      { name: `${name}_count`, labels, value: count },
    ];
  });
}

type Registered = Parameters<Registry["registerMetric"]>[0];
interface Processes {
  render(samples: Samples, isOpenMetrics: boolean): Promise<Scraped>;
}
/** Figures of the process begin to be taken with the first scrape. */
async function openProcesses(): Promise<Processes> {
  const { collectDefaultMetrics, Registry } = await import("prom-client");
  const process = new Registry();
  collectDefaultMetrics({ register: process });
  // Telling OpenMetrics takes `_total` off a counter's own name, for good. (The types leave out what is registered.)
  const all = process.getMetricsAsArray() as unknown as { name: string }[];
  const own = all.map((metric) => ({ metric, name: metric.name }));
  return {
    render: async (samples, isOpenMetrics) => {
      const contentType = isOpenMetrics
        ? Registry.OPENMETRICS_CONTENT_TYPE
        : Registry.PROMETHEUS_CONTENT_TYPE;
      const registry = new Registry();
      registry.setContentType(contentType as typeof Registry.PROMETHEUS_CONTENT_TYPE);
      for (const { metric, name } of own) {
        metric.name = name;
        registry.registerMetric(metric as unknown as Registered);
      }
      for (const [name, metric] of Object.entries(metrics) as [MetricName, Metric][])
        register(registry, name, { metric, isOpenMetrics, samples: samples.get(name) ?? [] });
      const text = await registry.metrics();
      for (const { metric, name } of own) metric.name = name;
      return { contentType, text };
    },
  };
}

function register(
  registry: Registry,
  name: MetricName,
  {
    metric: { kind, help, labels: wanted },
    samples,
    isOpenMetrics,
  }: {
    readonly metric: Metric;
    readonly samples: readonly (Sample & { readonly name?: string })[];
    readonly isOpenMetrics: boolean;
  },
): void {
  // There the family of a counter is named without the ending, which the library puts behind each of its samples.
  const told = kind === "counter" && isOpenMetrics ? name.replace(/_total$/u, "") : name;
  const values = samples.map(({ name: metricName, labels, value }) => ({
    ...(metricName === undefined ? {} : { metricName }),
    labels: Object.fromEntries(
      [...wanted, "le"].flatMap((label) => (label in labels ? [[label, labels[label]]] : [])),
    ),
    value,
  }));
  const said = { name: told, help, type: kind, values, aggregator: "sum" };
  // The library asks no more of a metric than its name and what it says; its types know only its own classes.
  registry.registerMetric({ name: told, type: kind, get: async () => said } as unknown as Registered);
}
