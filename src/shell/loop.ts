import type { Clock, Instant } from "../ports.ts";
import type { LoopStanding } from "../ports-host.ts";
import type { Log } from "./workshop.ts";

export interface Loop {
  /** Something changed: look again, soon. */
  poke(): void;
  /** Ends after the work under way; nothing starts any more. */
  stop(): Promise<void>;
  /** Nothing under way and nothing asked for. */
  isIdle(): boolean;
  /** How it stands, for people. */
  standing(): LoopStanding;
}

/** How long work rests that could not be recorded: long enough not to spin on a full disk, short enough to heal. */
export const restMs = 2_000;
/** Why a sleep ends before its time: without a reason an error is made for each, with a stack that nobody reads. */
const poked = "it looks before its time";

/** One worker that looks when poked or when the instant it named has come; never twice at once. */
export function openLoop(options: {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Does what is due and answers when to look again without a poke. */
  work(): Promise<Instant | undefined>;
}): Loop {
  const { name, clock, log, work } = options;
  let asked = false;
  let busy = false;
  let ended = false;
  let sleep = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let seen: Pick<LoopStanding, "lookedAt" | "wakesAt" | "trouble"> = {
    lookedAt: undefined,
    wakesAt: undefined,
    trouble: undefined,
  };

  const pass = async (): Promise<void> => {
    busy = true;
    try {
      while (asked && !ended) {
        asked = false;
        sleep.abort(poked);
        let trouble: string | undefined;
        const next = await work().catch((error: unknown) => {
          trouble = error instanceof Error ? error.message : String(error);
          log.error({ loop: name, error: trouble }, "a loop met trouble and rests");
          return clock.now() + restMs;
        });
        seen = { lookedAt: clock.now(), wakesAt: next, trouble };
        if (next !== undefined && !asked && !ended) wakeAt(next);
      }
    } finally {
      busy = false;
    }
  };
  const wakeAt = (instant: Instant): void => {
    sleep = new AbortController();
    clock.until(instant, sleep.signal).then(poke, () => undefined);
  };
  const poke = (): void => {
    asked = true;
    if (!busy && !ended) running = pass();
  };
  return {
    poke,
    isIdle: () => !busy && !asked,
    standing: () => ({ name, is: ended ? "stopped" : busy ? "at work" : "asleep", ...seen }),
    stop: async () => {
      ended = true;
      sleep.abort();
      await running;
    },
  };
}

/** Looks again and again, so that whatever left a row without a poke, such as a command in another process, is read soon. */
export function lookEvery(everyMs: number, clock: Clock, look: () => void): () => void {
  const ending = new AbortController();
  const again = (): void => {
    clock.until(clock.now() + everyMs, ending.signal).then(
      () => {
        look();
        again();
      },
      () => undefined,
    );
  };
  again();
  return () => ending.abort();
}
