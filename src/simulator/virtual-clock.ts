import type { Clock, Instant } from "../ports.ts";

/** A clock that stands still until it is turned. */
export interface VirtualClock extends Clock {
  /**
   * Turns the clock forward. Whoever waits is woken in order, each at its own instant, and may wait again before the
   * next one is woken.
   */
  advance(byMs: number): Promise<void>;
  /** Instants somebody waits for, soonest first. */
  waiting(): readonly Instant[];
}
interface Sleeper {
  readonly at: Instant;
  wake(): void;
}

/** A clock for tests and rehearsals: time passes only by `advance`. */
export function virtualClock(start: Instant): VirtualClock {
  let now = start;
  // Sorted by instant; who came first stays first among equals.
  const sleepers: Sleeper[] = [];
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return {
    now: () => now,
    until: (instant, signal) =>
      new Promise<void>((resolve, reject) => {
        signal?.throwIfAborted();
        if (instant <= now) return resolve();
        const abort = (): void => {
          sleepers.splice(sleepers.indexOf(sleeper), 1);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          at: instant,
          wake: () => {
            signal?.removeEventListener("abort", abort);
            resolve();
          },
        };
        const later = sleepers.findIndex((other) => other.at > instant);
        sleepers.splice(later === -1 ? sleepers.length : later, 0, sleeper);
        signal?.addEventListener("abort", abort, { once: true });
      }),
    advance: async (byMs) => {
      if (!(byMs >= 0)) throw new RangeError(`a clock turns forward only, not by ${byMs} ms`);
      const end = now + byMs;
      await settle();
      for (let next = sleepers[0]; next !== undefined && next.at <= end; next = sleepers[0]) {
        sleepers.shift();
        now = Math.max(now, next.at);
        next.wake();
        await settle();
      }
      now = Math.max(now, end);
      await settle();
    },
    waiting: () => sleepers.map(({ at }) => at),
  };
}
