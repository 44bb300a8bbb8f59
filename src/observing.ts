/** Figures and traces of one forgehand: both only look on. */
import type { Environment } from "./config-environment.ts";
import type { Tracing } from "./config-observability.ts";
import type { Clock } from "./ports.ts";
import type { HostLimits, Log } from "./shell/workshop.ts";
import type { Store } from "./store/store.ts";
import type { CommitTimes } from "./telemetry/commit-times.ts";
import { openScraper, type RateLimit } from "./telemetry/scrape.ts";
import { openTracer } from "./telemetry/tracing.ts";
import { ownVersion } from "./version.ts";
import type { MetricsDoor } from "./web/rooms/metrics.ts";

export interface Observing {
  readonly metrics: MetricsDoor;
  /** The trace of a ticket; undefined while traces are off. */
  traceOf(ticket: string): string | undefined;
  stop(): Promise<void>;
}

export async function openObserving(parts: {
  readonly environment: Environment;
  readonly tracing?: Tracing | undefined;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly commits: CommitTimes;
  readonly limits: HostLimits;
  /** What each installation has left, as the forge last said. */
  readonly rateLimits: () => readonly RateLimit[];
}): Promise<Observing> {
  const { store, clock, log, commits, limits, rateLimits, tracing } = parts;
  const version = ownVersion();
  const tracer = tracing && (await openTracer({ tracing, version, store, clock, log }));
  const scraper = openScraper({
    store,
    now: () => clock.now(),
    build: { version, node: process.version },
    limits,
    commits,
    spans: () => tracer?.counts() ?? { sent: 0, refused: 0 },
    rateLimits,
    log,
  });
  return {
    metrics: { token: parts.environment.metricsToken, scrape: scraper.scrape },
    traceOf: (ticket) => tracer?.traceOf(ticket),
    stop: async () => {
      await Promise.all([scraper.stop(), tracer?.stop()]);
    },
  };
}
