import { openLoop, type Loop } from "./loop.ts";
import type { Workshop } from "./workshop.ts";

/** Moves due timers into the inbox. One sleep for the earliest of them all. */
export function openTimers(shop: Workshop): Loop {
  const { store, clock, log } = shop;
  return openLoop({
    name: "timers",
    clock,
    log,
    work: async () => {
      if (((await store.nextTimer()) ?? Infinity) <= clock.now()) {
        const fired = await store.fireTimers(clock.now());
        if (fired > 0) shop.poke("intake");
      }
      return await store.nextTimer();
    },
  });
}
