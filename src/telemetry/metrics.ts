/** Every figure that a scrape tells of, as data: the page, the dashboard and the tests are made from it. */
export type Kind = "counter" | "gauge" | "histogram";
export interface Metric {
  readonly kind: Kind;
  readonly help: string;
  readonly labels: readonly string[];
  /** `kept`: counted from the database, so a restart takes nothing away; `now`: as it stands; `process`: since this process began. */
  readonly from: "kept" | "now" | "process";
  /** Upper bounds of a histogram, in seconds. */
  readonly bounds?: readonly number[];
}

/** A commit on a good disk takes a millisecond, on a bad one a tenth of a second. */
const commitBounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1] as const;
const queueBounds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600] as const;
const runBounds = [1, 5, 15, 60, 180, 600, 1_200, 2_400, 3_600, 7_200] as const;

export const metrics = {
  forgehand_build_info: {
    kind: "gauge",
    help: "1, with the version that serves and its Node",
    labels: ["version", "node"],
    from: "now",
  },
  forgehand_deliveries_total: {
    kind: "counter",
    help: "Items of the inbox that were read (a ticket changed), ignored (none did) or parked (set aside with the reason)",
    labels: ["source", "outcome"],
    from: "kept",
  },
  forgehand_inbox_waiting: {
    kind: "gauge",
    help: "Items of the inbox that nobody has read yet",
    labels: [],
    from: "now",
  },
  forgehand_inbox_parked: {
    kind: "gauge",
    help: "Items of the inbox that were set aside and wait for an operator",
    labels: [],
    from: "now",
  },
  forgehand_inbox_lag_seconds: {
    kind: "gauge",
    help: "Age of the oldest item that nobody has read yet",
    labels: [],
    from: "now",
  },
  forgehand_transitions_total: {
    kind: "counter",
    help: "Lines of the ledger by the row of the table that applied",
    labels: ["row", "from", "to"],
    from: "kept",
  },
  forgehand_tickets: {
    kind: "gauge",
    help: "Tickets in each state",
    labels: ["state"],
    from: "now",
  },
  forgehand_outbox_waiting: {
    kind: "gauge",
    help: "Effects that wait to be carried out, those that wait for something among them",
    labels: ["type"],
    from: "now",
  },
  forgehand_outbox_lag_seconds: {
    kind: "gauge",
    help: "How long the effect has been due that waits longest",
    labels: [],
    from: "now",
  },
  forgehand_effects_total: {
    kind: "counter",
    help: "Effects of tickets that are over: done, dropped or failed",
    labels: ["type", "outcome"],
    from: "kept",
  },
  forgehand_effect_retries_total: {
    kind: "counter",
    help: "Tries of effects that met trouble and were repeated",
    labels: ["type"],
    from: "kept",
  },
  forgehand_runs_open: {
    kind: "gauge",
    help: "Runs that are not over",
    labels: ["status"],
    from: "now",
  },
  forgehand_runs_total: {
    kind: "counter",
    help: "Runs that ended",
    labels: ["workflow", "status"],
    from: "kept",
  },
  forgehand_run_queue_seconds: {
    kind: "histogram",
    help: "From the start of a run to the start of its first attempt",
    labels: ["workflow"],
    from: "kept",
    bounds: queueBounds,
  },
  forgehand_run_seconds: {
    kind: "histogram",
    help: "From the start of a run to its end, waits included",
    labels: ["workflow"],
    from: "kept",
    bounds: runBounds,
  },
  forgehand_agents: {
    kind: "gauge",
    help: "Agents at work",
    labels: ["runtime"],
    from: "now",
  },
  forgehand_agents_limit: {
    kind: "gauge",
    help: "Agents that may be at work at once on this host",
    labels: [],
    from: "now",
  },
  forgehand_agent_sessions_total: {
    kind: "counter",
    help: "Invocations of agents that ended",
    labels: ["runtime", "role", "outcome"],
    from: "kept",
  },
  forgehand_agent_seconds_total: {
    kind: "counter",
    help: "Time that agents worked, of invocations that ended",
    labels: ["runtime", "model"],
    from: "kept",
  },
  forgehand_tokens_total: {
    kind: "counter",
    help: "Tokens: input (cached included), cached_input, output (reasoning included), reasoning",
    labels: ["runtime", "model", "kind"],
    from: "kept",
  },
  forgehand_usd_total: {
    kind: "counter",
    help: "Dollars that agents cost, as reported or by the table of prices",
    labels: ["runtime", "model"],
    from: "kept",
  },
  forgehand_day_usd: {
    kind: "gauge",
    help: "Dollars of today (UTC): spent, and reserved by runs that still work",
    labels: ["kind"],
    from: "now",
  },
  forgehand_day_cap_usd: {
    kind: "gauge",
    help: "Dollars of a day after which a warning is logged (warn) and nothing new starts (stop, tenant)",
    labels: ["cap"],
    from: "now",
  },
  forgehand_runtime_down: {
    kind: "gauge",
    help: "1 while a runtime is left out because of trouble in a row",
    labels: ["runtime"],
    from: "now",
  },
  forgehand_runtime_failures: {
    kind: "gauge",
    help: "Failures of a runtime in a row, up to now",
    labels: ["runtime"],
    from: "now",
  },
  forgehand_halts: {
    kind: "gauge",
    help: "Halts in force",
    labels: ["of"],
    from: "now",
  },
  forgehand_rate_limit_remaining: {
    kind: "gauge",
    help: "Requests an installation has left, as the forge last said",
    labels: ["installation", "resource"],
    from: "now",
  },
  forgehand_rate_limit: {
    kind: "gauge",
    help: "Requests an installation has in all, as the forge last said",
    labels: ["installation", "resource"],
    from: "now",
  },
  forgehand_commit_seconds: {
    kind: "histogram",
    help: "Transactions of the database, each from its begin until it is on disk",
    labels: [],
    from: "process",
    bounds: commitBounds,
  },
  forgehand_spans_total: {
    kind: "counter",
    help: "Spans of traces: sent to the collector, or refused by it for good",
    labels: ["outcome"],
    from: "process",
  },
  forgehand_metrics_behind: {
    kind: "gauge",
    help: "1 while older rows are still being counted (after an upgrade), 0 when all are",
    labels: [],
    from: "now",
  },
} as const satisfies Readonly<Record<string, Metric>>;
export type MetricName = keyof typeof metrics;
/** Dashboards and alerts count on these, too; prom-client tells them. */
export const processMetrics = [
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
  "process_start_time_seconds",
  "process_open_fds",
  "nodejs_eventloop_lag_p99_seconds",
  "nodejs_heap_size_used_bytes",
] as const;

/** One number under its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Values that one label may take: what comes from outside (models, workflows) is named so often and then `other`. */
export const maxValues = 50;
const maxChars = 80;

/**
 * Keeps labels few: a value is cut to something short and printable, and the first fifty of each label have their own
 * series. `known` is what each label was said to be so far.
 */
export function bounded(
  known: Map<string, Set<string>>,
  label: string,
  value: string | null | undefined,
): string {
  const clean = (value ?? "").replaceAll(/[^\w ./:@+-]/gu, "_").slice(0, maxChars) || "unknown";
  const values = known.get(label) ?? new Set();
  known.set(label, values);
  if (!values.has(clean) && values.size >= maxValues) return "other";
  values.add(clean);
  return clean;
}
