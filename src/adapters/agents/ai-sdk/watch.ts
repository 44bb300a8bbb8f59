import type { Clock } from "../../../ports.ts";
import type { ProcessEnd } from "../../processes/agent-process.ts";

/** Ends a turn that is silent or slow, or is told to end. */
export interface Watch {
  /** Aborted as soon as there is a reason. */
  readonly signal: AbortSignal;
  why(): ProcessEnd["stopped"];
  /** A byte came from the model. */
  sawBytes(): void;
  /** While something works that has a limit of its own, nobody waits for the model. */
  during<T>(work: Promise<T>): Promise<T>;
  leftMs(): number;
  end(): void;
}

/** Watches one turn from now on. */
export function watchTurn(
  limits: { readonly stallMs: number; readonly turnMs: number },
  clock: Clock,
  signal: AbortSignal,
): Watch {
  const stop = new AbortController();
  const over = new AbortController();
  const deadline = clock.now() + limits.turnMs;
  let why: ProcessEnd["stopped"];
  let lastByte = clock.now();
  let working = 0;
  const end = (reason: NonNullable<ProcessEnd["stopped"]>): void => {
    why ??= reason;
    stop.abort(new Error(reason));
  };
  const onAbort = (): void => end("aborted");
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const watch = async (): Promise<void> => {
    for (;;) {
      const heard = working > 0 ? clock.now() : lastByte;
      await clock.until(Math.min(heard + limits.stallMs, deadline), over.signal);
      const now = clock.now();
      if (now >= deadline) return end("too long");
      if (working === 0 && now >= lastByte + limits.stallMs) return end("stalled");
    }
  };
  watch().catch(() => undefined);
  return {
    signal: stop.signal,
    why: () => why,
    sawBytes: () => {
      lastByte = clock.now();
    },
    during: async (work) => {
      working += 1;
      try {
        return await work;
      } finally {
        working -= 1;
        lastByte = clock.now();
      }
    },
    leftMs: () => Math.max(0, deadline - clock.now()),
    end: () => {
      signal.removeEventListener("abort", onAbort);
      over.abort();
    },
  };
}
