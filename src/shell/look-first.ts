/** A database that was put back knows less than the world: it looks before anything of it is sent or started. */
import { lookFirst } from "./halt-marks.ts";
import { openLoop, type Loop } from "./loop.ts";
import { reconcileOnce } from "./reconcile.ts";
import type { Workshop } from "./workshop.ts";

const againMs = 5_000;
const soonMs = 100;

/** Looks at every open ticket, waits until all that was found is read, and lifts the halt; does nothing without one. */
export function openLookFirst(shop: Workshop, goOn: () => void): Loop {
  const { store, clock, log } = shop;
  let looked = false;
  return openLoop({
    name: "look-first",
    clock,
    log,
    work: async () => {
      if ((await store.setting(`halt-all:${lookFirst.id}`)) === undefined) {
        // An operator did not wait for it.
        goOn();
        return undefined;
      }
      if (!looked) {
        const { trouble, ...found } = await reconcileOnce(shop);
        if (trouble !== undefined) {
          log.warn({ trouble }, "the world could not be looked at yet; everything stays halted until it is");
          return clock.now() + againMs;
        }
        looked = true;
        log.info(found, "looking at the world before anything that was restored is done");
      }
      shop.poke("intake");
      if ((await store.unread(0, 1)).length > 0) return clock.now() + soonMs;
      await store.liftHalt(lookFirst.id);
      log.info({}, "what was restored knows the world again; the halt is lifted");
      goOn();
      for (const loop of ["outbox", "schedule", "questions"] as const) shop.poke(loop);
      return undefined;
    },
  });
}
