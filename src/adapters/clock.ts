/** The wall clock: the only place that reads the time. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../ports.ts";

/** Timers overflow above 2^31-1 ms, so long waits are slept in slices. */
const sliceMs = 2 ** 31 - 1;

/** The clock of this host. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    async until(instant, signal) {
      signal?.throwIfAborted();
      for (let leftMs = instant - Date.now(); leftMs > 0; leftMs = instant - Date.now()) {
        try {
          await sleep(Math.min(leftMs, sliceMs), undefined, { signal });
        } catch (error) {
          signal?.throwIfAborted();
          throw error;
        }
      }
    },
  };
}
