/** Tells everybody who listens that something happened: one question to the store, however many listen. */
import type { Position } from "../ports-dashboard.ts";

export interface Pulse {
  /** The position once it is another than this one; undefined when nothing came in so many milliseconds; `stopped` also once whoever asks has left. */
  beyond(position: Position, withinMs: number, left?: AbortSignal): Promise<Position | "stopped" | undefined>;
  /** Nothing for so many milliseconds; ends at once when everything does. */
  rest(ms: number): Promise<"stopped" | undefined>;
  stop(): void;
}

/** Pages are to show what happened within a quarter of a second; this leaves time for the page itself. */
const lookMs = 100;
/** What is not in the ledger (a sign of life, a word of an agent, a payload) is told this late, so that much of it is told once. */
const stirMs = 2_000;

interface Listener {
  readonly past: Position;
  readonly looks: number;
  settle(answer: Position | "stopped" | undefined): void;
}

const lineOf = (position: Position): string => position.split("-")[0] ?? "";

export function openPulse(position: () => Promise<Position>): Pulse {
  const listeners = new Set<Listener>();
  const resting = new Set<(answer: "stopped") => void>();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let looks = 0;
  const look = async (): Promise<void> => {
    let now: Position | undefined;
    try {
      now = await position();
    } catch {
      // A database that is busy for a moment is asked again at the next look.
    }
    looks += 1;
    // Unlike, and not beyond: a page from before a restore stands at a line that is not there.
    for (const one of listeners) {
      if (now === undefined || now === one.past) continue;
      const isLate = (looks - one.looks) * lookMs >= stirMs;
      if (isLate || lineOf(now) !== lineOf(one.past)) one.settle(now);
    }
    timer = undefined;
    schedule();
  };
  const schedule = (): void => {
    if (timer === undefined && listeners.size > 0 && !isStopped)
      timer = setTimeout(() => void look(), lookMs);
  };
  return {
    beyond: (past, withinMs, left) =>
      new Promise((resolve) => {
        if (isStopped || left?.aborted === true) return resolve("stopped");
        const leave = (): void => listener.settle("stopped");
        const late = setTimeout(() => listener.settle(undefined), withinMs);
        const listener: Listener = {
          past,
          looks,
          settle: (answer) => {
            clearTimeout(late);
            left?.removeEventListener("abort", leave);
            listeners.delete(listener);
            resolve(answer);
          },
        };
        listeners.add(listener);
        left?.addEventListener("abort", leave);
        schedule();
      }),
    rest: (ms) =>
      new Promise((resolve) => {
        if (isStopped) return resolve("stopped");
        const rested = setTimeout(() => settle(undefined), ms);
        const settle = (answer: "stopped" | undefined): void => {
          clearTimeout(rested);
          resting.delete(settle);
          resolve(answer);
        };
        resting.add(settle);
      }),
    stop: () => {
      isStopped = true;
      for (const settle of resting) settle("stopped");
      clearTimeout(timer);
      for (const one of listeners) one.settle("stopped");
    },
  };
}
