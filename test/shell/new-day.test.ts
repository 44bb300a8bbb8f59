/** What the timer of a new day does for a ticket that a day's cap stopped. */
import { expect, test } from "vitest";
import { readTimer } from "../../src/shell/reports.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import type { Item } from "../../src/store/inbox.ts";

const dayMs = 86_400_000;
const ticket = "github:1#7";
const now = dayMs + 1_000;

/** What is said, and when the timer rings again. */
async function rings(liftsAt: number | undefined, halted = false) {
  const timers: { readonly id: string; readonly dueAt: number }[] = [];
  const shop = {
    clock: { now: () => now },
    poke: () => undefined,
    store: {
      linesOf: async () => [{ event: { type: "budget.spent", run: `${ticket}/2`, why: "spent", liftsAt } }],
      load: async () => ({ ticket: { halted } }),
      setTimer: async (timer: { id: string; dueAt: number }) => void timers.push(timer),
    },
  } as unknown as Workshop;
  const item = { name: "new-day", source: "timer", ticket, body: "{}" } as unknown as Item;
  const read = await readTimer(shop, item);
  return { events: "said" in read ? read.said.map(({ event }) => event.type) : [], timers };
}

test("a ticket that the day stopped goes on, and one that waits for a person does not", async () => {
  expect(await rings(dayMs)).toEqual({ events: ["budget.raised"], timers: [] });
  expect(await rings(undefined)).toEqual({ events: [], timers: [] });
});

test("one that is halted goes on at the end of a later day", async () => {
  const { events, timers } = await rings(dayMs, true);
  expect(events).toEqual([]);
  expect(timers).toMatchObject([{ id: `new-day:${ticket}`, dueAt: 2 * dayMs }]);
});
