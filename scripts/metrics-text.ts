import { metrics, type Metric } from "../src/telemetry/metrics.ts";
import { cell } from "./regions.ts";

/** The table of figures in `docs/observability.md`. */
export const metricsText = (): string =>
  [
    "| Figure | Kind | Labels | What it says | Since |",
    "|---|---|---|---|---|",
    ...(Object.entries(metrics) as [string, Metric][]).map(
      ([name, { kind, labels, help, from }]) =>
        `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${cell(help)} | ${from} |`,
    ),
  ].join("\n");
