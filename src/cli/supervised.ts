/** What ends a process that serves: signals, and where it has a launcher the word of that. */
import type { Serving } from "../update/child.ts";
import { supervisedVariable } from "../update/child.ts";

export interface Heard {
  /** Drain. */
  readonly first: Promise<void>;
  /** Wait for nobody any more. */
  readonly second: Promise<void>;
}

/** The first signal drains, a second one does not wait; further ones change nothing. */
export function hearSignals(): Heard {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let heard = 0;
  const hear = (): void => {
    heard += 1;
    (heard === 1 ? first : second).resolve();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, hear);
  if (isSupervised()) {
    // A service manager signals launcher and child alike, so the launcher's word counts apart from signals.
    process.on("message", (message) => {
      const what =
        typeof message === "object" && message !== null && "type" in message ? message.type : undefined;
      if (what === "drain" || what === "hurry") {
        heard = Math.max(heard, 1);
        first.resolve();
      }
      if (what === "hurry") second.resolve();
    });
    // A launcher that died starts another child, which waits for us to be gone.
    process.on("disconnect", () => {
      first.resolve();
      second.resolve();
    });
  }
  return { first: first.promise, second: second.promise };
}

const isSupervised = (): boolean => process.env[supervisedVariable] === "1" && process.send !== undefined;

/** Tells the launcher, where there is one, that and where it serves. */
export function tellServing(serving: Omit<Serving, "type">): void {
  if (isSupervised()) process.send?.({ type: "serving", ...serving } satisfies Serving);
}
