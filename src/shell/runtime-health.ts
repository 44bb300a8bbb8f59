import type { RuntimeTrouble } from "../store/runtimes.ts";
import type { Down, RuntimeHealth } from "../workflows/roles.ts";
import type { Workshop } from "./workshop.ts";

const minuteMs = 60_000;
/** What no second try heals, and every ticket would meet again: how long until one asks again. */
const standing: Readonly<Record<string, number>> = {
  quota: 30 * minuteMs,
  "logged-out": 15 * minuteMs,
  "runtime-absent": 15 * minuteMs,
  "other-version": 15 * minuteMs,
  "protocol-version": 15 * minuteMs,
  "runtime-misconfigured": 15 * minuteMs,
  // Tried three times in one attempt already, and as likely as not a trouble that passes.
  stalled: 5 * minuteMs,
};
/** Trouble that passes counts as none until there is so much of it in a row, on whichever tickets. */
const mostFailures = 3;
const passingMs = 5 * minuteMs;

interface Failure {
  readonly code: string;
  readonly how: "blocked" | "retry";
  readonly retryAt: number | undefined;
  /** In a row, this one included. */
  readonly failures: number;
}

/** Until when a runtime that failed so is left out; an instant that has passed: not at all. */
export function downUntil({ code, how, retryAt, failures }: Failure, now: number): number {
  // A model it does not know, or a rule it cannot keep, says nothing of the next order.
  if (how === "blocked") return now + (standing[code] ?? 0);
  if (retryAt !== undefined && retryAt > now + passingMs) return retryAt;
  return failures >= mostFailures ? now + passingMs : now;
}

/** Which runtimes are to be left out, as of their troubles. */
export const downAmong = (troubles: readonly RuntimeTrouble[], now: number): readonly Down[] =>
  troubles
    .filter((trouble) => trouble.downUntil > now)
    .map(({ runtime, code, why, since, downUntil: until }) => ({ runtime, code, why, since, until }));

/** The troubles of runtimes, kept in the store: a restart forgets none. */
export function runtimeHealth({ store, clock }: Pick<Workshop, "store" | "clock">): RuntimeHealth {
  return {
    down: async () =>
      new Map(
        downAmong(await store.runtimeTroubles(), clock.now()).map((down) => [down.runtime, down] as const),
      ),
    worked: (runtime) => store.runtimeWorked(runtime),
    failed: async (runtime, { code, why, how, retryAt }) => {
      const at = clock.now();
      await store.runtimeFailed({ runtime, code, why, at }, (failures) =>
        downUntil({ code, how, retryAt, failures }, at),
      );
    },
  };
}
