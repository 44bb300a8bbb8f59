import { expect, test } from "vitest";
import { virtualClock } from "../../src/simulator/virtual-clock.ts";

test("time stands still until it is turned", async () => {
  const clock = virtualClock(1_000);
  let woken = false;
  const slept = clock.until(1_500).then(() => (woken = true));
  await clock.advance(499);
  expect([clock.now(), woken]).toEqual([1_499, false]);
  await clock.advance(1);
  await slept;
  expect([clock.now(), woken]).toEqual([1_500, true]);
});

test("everybody wakes in order, each at its own instant, and a chain of waits runs through", async () => {
  const clock = virtualClock(0);
  const woken: [string, number][] = [];
  const late = clock.until(300).then(() => woken.push(["late", clock.now()]));
  const chain = (async () => {
    for (const at of [100, 200, 400]) {
      await clock.until(at);
      woken.push(["chain", clock.now()]);
    }
  })();
  await clock.advance(1_000);
  await Promise.all([late, chain]);
  expect(woken).toEqual([
    ["chain", 100],
    ["chain", 200],
    ["late", 300],
    ["chain", 400],
  ]);
  expect(clock.now()).toBe(1_000);
});

test("a past instant is there at once, and an aborted wait leaves nothing behind", async () => {
  const clock = virtualClock(50);
  await clock.until(50);
  const stop = new AbortController();
  const waiting = clock.until(60, stop.signal);
  expect(clock.waiting()).toEqual([60]);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  expect(clock.waiting()).toEqual([]);
  await expect(clock.until(70, stop.signal)).rejects.toThrow("enough");
});

test("time does not run backwards", async () => {
  await expect(virtualClock(0).advance(-1)).rejects.toThrow(RangeError);
});
