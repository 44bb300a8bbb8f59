import { expect, test } from "vitest";
import { Problem } from "../problems.ts";
import { virtualClock } from "../simulator/virtual-clock.ts";
import { awaitApp, lookMs } from "./app-arrival.ts";

test("an App is noticed at the next look, and looking ends", async () => {
  const clock = virtualClock(0);
  let asked = 0;
  let isThere = false;
  const arrival = awaitApp(
    clock,
    () => ((asked += 1), isThere),
    () => undefined,
  );
  await clock.advance(3 * lookMs);
  expect([asked, arrival.isHere()]).toEqual([3, false]);
  isThere = true;
  await clock.advance(lookMs);
  await arrival.arrived;
  expect(arrival.isHere()).toBe(true);
  await clock.advance(5 * lookMs);
  expect(asked).toBe(4);
});

test("settings that are wrong are told once, and taken up when they are right", async () => {
  const clock = virtualClock(0);
  const said: string[] = [];
  let isRight = false;
  const look = (): boolean => {
    if (isRight) return true;
    throw new Problem("settings-file-open", { path: "/x/forgehand.env", who: "everybody" });
  };
  const arrival = awaitApp(clock, look, (line) => said.push(line));
  await clock.advance(3 * lookMs);
  expect(said).toEqual([expect.stringContaining("chmod 600 /x/forgehand.env")]);
  isRight = true;
  await clock.advance(lookMs);
  await arrival.arrived;
});
