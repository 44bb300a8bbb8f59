/** The dashboard for Grafana: pure data, every query over a figure that a scrape tells. */
import type { MetricName, processMetrics } from "./metrics.ts";

type Figure = MetricName | (typeof processMetrics)[number] | `${MetricName}_bucket`;
interface Query {
  readonly expr: string;
  readonly legend: string;
}
interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly type: "timeseries" | "stat";
  readonly queries: readonly Query[];
}

/** Names are written through this, so that a misspelt one does not compile. */
const of = (figure: Figure, labels = ""): string => (labels === "" ? figure : `${figure}{${labels}}`);
const each = "$__rate_interval";
const perMinute = (figure: Figure, by: string): Query => ({
  expr: `60 * sum by (${by}) (rate(${of(figure)}[${each}]))`,
  legend: by
    .split(", ")
    .map((label) => `{{${label}}}`)
    .join(" "),
});
const now = (figure: Figure, by: string): Query => ({
  expr: by === "" ? `max(${of(figure)})` : `sum by (${by}) (${of(figure)})`,
  legend: by === "" ? "" : `{{${by}}}`,
});
const quantile = (share: number, figure: `${MetricName}_bucket`, by = ""): Query => ({
  expr: `histogram_quantile(${share}, sum by (le${by === "" ? "" : `, ${by}`}) (rate(${of(figure)}[${each}])))`,
  legend: `p${share * 100}${by === "" ? "" : ` {{${by}}}`}`,
});
const panel = (title: string, unit: string, ...queries: readonly Query[]): Panel => ({
  title,
  unit,
  type: "timeseries",
  queries,
});
const stat = (title: string, unit: string, query: Query): Panel => ({
  title,
  unit,
  type: "stat",
  queries: [query],
});

const rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
  {
    title: "Right now",
    panels: [
      stat("Version", "string", {
        expr: of("forgehand_build_info"),
        legend: "{{version}} on Node {{node}}",
      }),
      stat("Agents at work", "short", { expr: `sum(${of("forgehand_agents")}) or vector(0)`, legend: "" }),
      stat("Agents at most", "short", now("forgehand_agents_limit", "")),
      stat("Halts", "short", { expr: `sum(${of("forgehand_halts")}) or vector(0)`, legend: "" }),
      stat("Runtimes left out", "short", {
        expr: `sum(${of("forgehand_runtime_down")}) or vector(0)`,
        legend: "",
      }),
      stat("Still counting old rows", "bool", now("forgehand_metrics_behind", "")),
    ],
  },
  {
    title: "Tickets",
    panels: [
      panel("Tickets by state", "short", now("forgehand_tickets", "state")),
      panel("Steps a minute, by where they lead", "short", perMinute("forgehand_transitions_total", "to")),
    ],
  },
  {
    title: "Inbox and outbox",
    panels: [
      panel("Deliveries a minute", "short", perMinute("forgehand_deliveries_total", "source, outcome")),
      panel(
        "What waits longest",
        "s",
        { ...now("forgehand_inbox_lag_seconds", ""), legend: "inbox" },
        { ...now("forgehand_outbox_lag_seconds", ""), legend: "outbox" },
      ),
      panel(
        "Waiting",
        "short",
        { ...now("forgehand_inbox_waiting", ""), legend: "inbox" },
        { ...now("forgehand_inbox_parked", ""), legend: "inbox, set aside" },
        { ...now("forgehand_outbox_waiting", "type"), legend: "outbox {{type}}" },
      ),
      panel(
        "Effects that failed or were tried again, a minute",
        "short",
        {
          expr: `60 * sum by (type) (rate(${of("forgehand_effects_total", 'outcome="failed"')}[${each}]))`,
          legend: "failed {{type}}",
        },
        { ...perMinute("forgehand_effect_retries_total", "type"), legend: "again {{type}}" },
      ),
    ],
  },
  {
    title: "Runs and agents",
    panels: [
      panel("Runs that are not over", "short", now("forgehand_runs_open", "status")),
      panel("Runs that ended, a minute", "short", perMinute("forgehand_runs_total", "workflow, status")),
      panel(
        "How long runs take",
        "s",
        quantile(0.5, "forgehand_run_seconds_bucket", "workflow"),
        quantile(0.95, "forgehand_run_seconds_bucket", "workflow"),
      ),
      panel(
        "How long runs wait to begin",
        "s",
        quantile(0.95, "forgehand_run_queue_seconds_bucket", "workflow"),
      ),
      panel(
        "Agents' turns that ended, a minute",
        "short",
        perMinute("forgehand_agent_sessions_total", "runtime, outcome"),
      ),
      panel("Agents at work on average", "short", {
        expr: `sum by (runtime, model) (rate(${of("forgehand_agent_seconds_total")}[${each}]))`,
        legend: "{{runtime}} {{model}}",
      }),
      panel("Failures of runtimes in a row", "short", now("forgehand_runtime_failures", "runtime")),
    ],
  },
  {
    title: "Money and tokens",
    panels: [
      panel(
        "Today against its caps",
        "currencyUSD",
        now("forgehand_day_usd", "kind"),
        now("forgehand_day_cap_usd", "cap"),
      ),
      panel("Dollars an hour", "currencyUSD", {
        expr: `3600 * sum by (runtime, model) (rate(${of("forgehand_usd_total")}[${each}]))`,
        legend: "{{runtime}} {{model}}",
      }),
      panel("Tokens a minute", "short", perMinute("forgehand_tokens_total", "kind")),
    ],
  },
  {
    title: "The forge",
    panels: [
      panel("Requests that are left", "percentunit", {
        expr: `${of("forgehand_rate_limit_remaining")} / ${of("forgehand_rate_limit")}`,
        legend: "{{installation}} {{resource}}",
      }),
      panel("Spans of traces, a minute", "short", perMinute("forgehand_spans_total", "outcome")),
    ],
  },
  {
    title: "The process",
    panels: [
      panel(
        "Commits of the database",
        "s",
        quantile(0.5, "forgehand_commit_seconds_bucket"),
        quantile(0.99, "forgehand_commit_seconds_bucket"),
      ),
      panel("Lag of the event loop (p99)", "s", now("nodejs_eventloop_lag_p99_seconds", "")),
      panel(
        "Memory",
        "bytes",
        { ...now("process_resident_memory_bytes", ""), legend: "resident" },
        { ...now("nodejs_heap_size_used_bytes", ""), legend: "heap" },
      ),
      panel("Processor", "percentunit", {
        expr: `sum(rate(${of("process_cpu_seconds_total")}[${each}]))`,
        legend: "",
      }),
      panel("Open files", "short", now("process_open_fds", "")),
      stat("Up since", "dateTimeFromNow", {
        expr: `1000 * max(${of("process_start_time_seconds")})`,
        legend: "",
      }),
    ],
  },
];

/** The names that the provisioned data sources have. */
export const dataSources = { prometheus: "forgehand-prometheus", tempo: "forgehand-tempo" } as const;
const source = { type: "prometheus", uid: dataSources.prometheus };

const panelHeight = 8;
const statHeight = 4;
const width = 24;

/** As Grafana imports it. */
export function dashboard(): object {
  let y = 0;
  let id = 0;
  const panels = rows.flatMap(({ title, panels: inRow }) => {
    const isStats = inRow.every(({ type }) => type === "stat");
    const perLine = isStats ? inRow.length : 2;
    const h = isStats ? statHeight : panelHeight;
    const heading = {
      id: (id += 1),
      type: "row",
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: width, h: 1 },
    };
    y += 1;
    const placed = inRow.map((one, at) => ({
      id: (id += 1),
      type: one.type,
      title: one.title,
      datasource: source,
      gridPos: {
        x: (at % perLine) * (width / perLine),
        y: y + Math.floor(at / perLine) * h,
        w: width / perLine,
        h,
      },
      fieldConfig: {
        defaults: { unit: one.unit, min: one.unit === "dateTimeFromNow" ? undefined : 0 },
        overrides: [],
      },
      options:
        one.type === "stat"
          ? {
              reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
              textMode: one.unit === "string" ? "name" : "value",
            }
          : {
              legend: { displayMode: "list", placement: "bottom" },
              tooltip: { mode: "multi", sort: "desc" },
            },
      targets: one.queries.map(({ expr, legend }, nth) => ({
        refId: String.fromCodePoint(65 + nth),
        datasource: source,
        expr,
        legendFormat: legend,
      })),
    }));
    y += Math.ceil(inRow.length / perLine) * h;
    return [heading, ...placed];
  });
  return {
    uid: "forgehand",
    title: "forgehand",
    tags: ["forgehand"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "browser",
    templating: { list: [] },
    annotations: { list: [] },
    links: [],
    panels,
  };
}
