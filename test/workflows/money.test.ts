/** A run whose money is spent waits to be held; one that never had any is over. */
import { expect, test } from "vitest";
import { runMoney } from "../../src/shell/run-money.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { holdForMoney } from "../../src/workflows/money.ts";
import type { TicketWork } from "../../src/workflows/work.ts";

const workWith = (spent: TicketWork["money"]["spent"]): TicketWork =>
  ({ money: { left: async () => 0, spent } }) as unknown as TicketWork;

test("told, it stays until the run is held", async () => {
  const hold = new AbortController();
  const held = holdForMoney(
    workWith(async () => "told"),
    "github:1#2/1",
    "k",
    hold.signal,
  );
  const reason = new Error("held");
  hold.abort(reason);
  await expect(held).rejects.toBe(reason);
});

test("a run without money set aside ends for good, with the reason", async () => {
  const { signal } = new AbortController();
  const work = workWith(async () => "nothing set aside");
  await expect(holdForMoney(work, "github:1#2/1", "k", signal)).rejects.toMatchObject({
    code: "run-without-money",
    permanent: true,
    message: expect.stringContaining("github:1#2/1"),
  });
});

test("one that was stopped meanwhile ends as stopped, whatever is left of its money", async () => {
  const stop = new AbortController();
  const reason = new Error("stopped");
  const work = workWith(async () => {
    stop.abort(reason);
    return "nothing set aside";
  });
  await expect(holdForMoney(work, "github:1#2/1", "k", stop.signal)).rejects.toBe(reason);
});

test.each([
  ["no reservation", undefined, { repo: 1 }, { id: 1 }],
  ["no ticket", { usd: 5, spentUsd: 5, level: "run", capUsd: 5 }, undefined, { id: 1 }],
  ["no repository", { usd: 5, spentUsd: 5, level: "run", capUsd: 5 }, { repo: 1 }, undefined],
])("with %s nobody is told that money is spent", async (_, reservation, stored, repo) => {
  const told: unknown[] = [];
  const shop = {
    store: {
      reservationOf: async () => reservation,
      load: async () => stored,
      repoById: async () => repo,
      receive: async (item: unknown) => void told.push(item),
    },
  } as unknown as Workshop;
  expect(await runMoney(shop).spent("github:1#2/1", "k")).toBe("nothing set aside");
  expect(told).toEqual([]);
});
