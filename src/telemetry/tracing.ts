/**
 * Sends traces, from rows and after the fact: nothing in the way of the work knows of them, and whatever process comes
 * next goes on where this one stopped.
 */
import type { Tracing } from "../config-observability.ts";
import type { Clock } from "../ports.ts";
import type { Position } from "../store/follow.ts";
import type { Store } from "../store/store.ts";
import type { Exporter } from "./otlp.ts";
import { newestTraces, spansOf } from "./spans.ts";
import { traceIdOf } from "./trace.ts";

export interface TracerParts {
  readonly tracing: Tracing;
  readonly version: string;
  readonly store: Pick<Store, "follow" | "newest" | "positionOf" | "keepPosition" | "surroundings">;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
}
export interface Tracer {
  counts(): { readonly sent: number; readonly refused: number };
  /** The trace a ticket is in, as far as it was followed. */
  traceOf(ticket: string): string;
  /** What has ended by now is sent before, if it can be sent soon. */
  stop(): Promise<void>;
}

const follower = "traces";
/** Rows of each kind in one look; with what hangs on them some hundreds of spans. */
const batch = 200;
const lookMs = 2_000;
/** How soon it is tried again while the collector is away: doubling up to this. */
const maxWaitMs = 60_000;
/** Tickets whose newest trace is remembered for log lines. */
const maxKnown = 10_000;
/** What is left to send at the end may take so long. */
const lastMs = 5_000;

/** Follows from now on: what ended before traces were first turned on is not told. */
export async function openTracer(parts: TracerParts): Promise<Tracer> {
  const { store, clock, log } = parts;
  const ending = new AbortController();
  const counts = { sent: 0, refused: 0 };
  const known = new Map<string, string>();
  let exporter: Promise<Exporter> | undefined;
  let failures = 0;
  const open = async (): Promise<Exporter> =>
    (await import("./otlp.ts")).openExporter(parts.tracing, parts.version);

  const remember = (traces: ReadonlyMap<string, string>): void => {
    for (const [ticket, trace] of traces) {
      known.delete(ticket);
      known.set(ticket, trace);
    }
    for (const ticket of known.keys()) {
      if (known.size <= maxKnown) break;
      known.delete(ticket);
    }
  };
  /** Answers whether there may be more at once. */
  const once = async (): Promise<"more" | "all" | "away"> => {
    const position = (await store.positionOf(follower)) ?? (await begin());
    const { fresh, position: next } = await store.follow(position, { now: clock.now(), limit: batch });
    if (JSON.stringify(next) === JSON.stringify(position)) return "all";
    const around = await store.surroundings(fresh);
    remember(newestTraces(around));
    const spans = spansOf(fresh, around);
    if (spans.length > 0) {
      const sent = await (await (exporter ??= open())).send(spans);
      if (sent.is === "again") {
        if (failures === 0)
          log.warn({ why: sent.why }, "traces could not be sent; none is lost, it is tried again");
        return "away";
      }
      if (sent.is === "refused")
        log.error({ why: sent.why, spans: spans.length }, "the collector refuses spans; they are left out");
      counts[sent.is] += spans.length;
    }
    await store.keepPosition(follower, next);
    return fresh.isAll ? "all" : "more";
  };
  const begin = async (): Promise<Position> => {
    const now = await store.newest(clock.now());
    await store.keepPosition(follower, now);
    return now;
  };
  const drain = async (): Promise<"all" | "away"> => {
    for (;;) {
      const is = await once();
      if (is !== "more") return is;
    }
  };
  const work = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const is = await drain().catch((error: unknown) => {
        log.error(
          { error: error instanceof Error ? error.message : String(error) },
          "traces rest after trouble",
        );
        return "away" as const;
      });
      failures = is === "away" ? failures + 1 : 0;
      const waitMs = Math.min(maxWaitMs, lookMs * 2 ** Math.min(failures, 10));
      await clock.until(clock.now() + waitMs, ending.signal).catch(() => undefined);
    }
  };
  // Kept at once, so that nothing is missed that happens before the first look.
  if ((await store.positionOf(follower)) === undefined) await begin();
  const running = work();
  return {
    counts: () => ({ ...counts }),
    traceOf: (ticket) => known.get(ticket) ?? traceIdOf(ticket, 0),
    stop: async () => {
      ending.abort();
      await running;
      const enough = new AbortController();
      await Promise.race([
        drain().catch(() => undefined),
        clock.until(clock.now() + lastMs, enough.signal).catch(() => undefined),
      ]);
      enough.abort();
      await (await exporter)?.close().catch(() => undefined);
    },
  };
}
