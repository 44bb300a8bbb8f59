/** Tells everybody who listens that something happened: one question to the store, however many listen. */
export interface Pulse {
  /** The position once it is another than this one; undefined when nothing came in so many milliseconds. */
  beyond(position: number, withinMs: number): Promise<number | "stopped" | undefined>;
  stop(): void;
}

/** Pages are to show what happened within a quarter of a second; this leaves time for the page itself. */
const lookMs = 100;

interface Listener {
  readonly past: number;
  settle(answer: number | "stopped" | undefined): void;
}

export function openPulse(position: () => Promise<number>): Pulse {
  const listeners = new Set<Listener>();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    let now: number | undefined;
    try {
      now = await position();
    } catch {
      // A database that is busy for a moment is asked again at the next look.
    }
    // Unlike, and not beyond: a page from before a restore stands at a line that is not there.
    for (const one of listeners) if (now !== undefined && now !== one.past) one.settle(now);
    timer = undefined;
    schedule();
  };
  const schedule = (): void => {
    if (timer === undefined && listeners.size > 0 && !isStopped)
      timer = setTimeout(() => void look(), lookMs);
  };
  return {
    beyond: (past, withinMs) =>
      new Promise((resolve) => {
        if (isStopped) return resolve("stopped");
        const late = setTimeout(() => listener.settle(undefined), withinMs);
        const listener: Listener = {
          past,
          settle: (answer) => {
            clearTimeout(late);
            listeners.delete(listener);
            resolve(answer);
          },
        };
        listeners.add(listener);
        schedule();
      }),
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      for (const one of listeners) one.settle("stopped");
    },
  };
}
