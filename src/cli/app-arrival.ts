import { Problem } from "../problems.ts";
import type { Clock } from "../ports.ts";
import { lookEvery } from "../shell/loop.ts";

/** How often the settings are looked at: small enough for a person who waits, and one small file to read. */
export const lookMs = 2_000;

export interface AppArrival {
  /** Resolves once an App is set up. */
  readonly arrived: Promise<void>;
  isHere(): boolean;
  stop(): void;
}

/** Waits for `forgehand init` in another process: it writes all of an App at once. What is wrong with the file is told once. */
export function awaitApp(clock: Clock, isApp: () => boolean, say: (line: string) => void): AppArrival {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isHere = false;
  let told = "";
  const look = (): void => {
    try {
      if (isHere || !isApp()) return;
      isHere = true;
      stop();
      resolve();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.message !== told) say(`the settings are not taken up: ${error.told.what} ${error.told.do}`);
      told = error.message;
    }
  };
  const stop = lookEvery(lookMs, clock, look);
  return { arrived: promise, isHere: () => isHere, stop };
}
