/** When a run that has spent its money goes on by itself. */
import { expect, test } from "vitest";
import type { Workshop } from "../../src/shell/workshop.ts";
import { runMoney } from "../../src/shell/run-money.ts";
import type { Level } from "../../src/store/reservations.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const run = "github:1#7/2";

/** What is asked for when such a run has nothing left at this instant. */
async function stopped(level: Level, setAsideAt: number, now: number) {
  const timers: { readonly name: string; readonly dueAt: number }[] = [];
  const events: { readonly wantsUsd?: number; readonly liftsAt?: number }[] = [];
  const shop = {
    clock: { now: () => now },
    rulesOf: () => ({ config: { limits: { run_usd: 5 } } }),
    poke: () => undefined,
    store: {
      reservationOf: async () => ({ usd: 5, spentUsd: 5, level, capUsd: 5, at: setAsideAt }),
      load: async () => ({ repo: 1 }),
      repoById: async () => ({ owner: "acme" }),
      setTimer: async (timer: { name: string; dueAt: number }) => void timers.push(timer),
      receive: async ({ body }: { readonly body: string }) => void events.push(JSON.parse(body) as object),
    },
  } as unknown as Workshop;
  await runMoney(shop).spent(run, "key");
  return { timer: timers[0], event: events[0] };
}

test.each([
  ["the day is not over: at its end", minuteMs, 5 * minuteMs, dayMs],
  ["the day of its money is over: soon", dayMs - minuteMs, dayMs + 30 * minuteMs, dayMs + 31 * minuteMs],
  ["the day ends now: not before the stop is read", minuteMs, dayMs - 1, dayMs - 1 + minuteMs],
])("a run that a day's cap stopped goes on by itself when %s", async (_, setAsideAt, now, liftsAt) => {
  const { timer, event } = await stopped("day", setAsideAt, now);
  expect(timer).toMatchObject({ name: "new-day", dueAt: liftsAt });
  expect(event).toMatchObject({ liftsAt });
  expect(event?.wantsUsd).toBeUndefined();
});

test("a run that its own cap stopped asks a person, whatever the day", async () => {
  const { timer, event } = await stopped("run", minuteMs, dayMs + minuteMs);
  expect(timer).toBeUndefined();
  expect(event).toMatchObject({ wantsUsd: 3 });
});
