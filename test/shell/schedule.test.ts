import { afterEach, expect, test } from "vitest";
import { openSchedule } from "../../src/shell/schedule.ts";
import { openStand, reconcileMs, ticketAt, type Stand } from "./stand.ts";

let stand: Stand;
afterEach(() => stand.close());

test("a ticket whose dependencies make no sense to us keeps nobody else from the only slot", async () => {
  stand = await openStand();
  const limits = { agents: 1, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs };
  const dependencies = async ({ number }: { readonly number: number }) => {
    if (number === 7) throw new TypeError("the forge said something odd");
    return [];
  };
  const shop = { ...stand.shop, limits, tracker: { ...stand.shop.tracker, dependencies } };
  for (const number of [7, 8]) await ticketAt(stand, number, { state: "Ready", spec: "s" });
  stand.start(openSchedule(shop));
  await stand.calm();
  await stand.pass(2_000);
  expect(await stand.store.grantedSlots()).toEqual(new Set(["github:1#8"]));
});
