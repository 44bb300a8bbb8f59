import { expect, test } from "vitest";
import { lastAt, quietUntil } from "./hours.ts";

const at = (text: string): number => Date.parse(text);
const iso = (instant: number | undefined): string | undefined =>
  instant === undefined ? undefined : new Date(instant).toISOString();
const night = { from: { hour: 22, minute: 0 }, to: { hour: 7, minute: 0 } };
const noon = { from: { hour: 12, minute: 0 }, to: { hour: 13, minute: 30 } };
const gap = { from: { hour: 23, minute: 0 }, to: { hour: 2, minute: 30 } };
const berlin = "Europe/Berlin";

test.each([
  ["before the night", night, berlin, "2026-01-10T20:59:59Z", undefined],
  ["as it begins", night, berlin, "2026-01-10T21:00:00Z", "2026-01-11T06:00:00.000Z"],
  ["past midnight", night, berlin, "2026-01-11T02:00:00Z", "2026-01-11T06:00:00.000Z"],
  ["as it ends", night, berlin, "2026-01-11T06:00:00Z", undefined],
  ["within a day", noon, "UTC", "2026-01-11T12:30:00Z", "2026-01-11T13:30:00.000Z"],
  ["after it", noon, "UTC", "2026-01-11T13:30:00Z", undefined],
  [
    "in the night that summer time makes short",
    night,
    berlin,
    "2026-03-28T22:00:00Z",
    "2026-03-29T05:00:00.000Z",
  ],
  ["in the night that winter makes long", night, berlin, "2026-10-24T22:00:00Z", "2026-10-25T06:00:00.000Z"],
  ["when its end is skipped by summer time", gap, berlin, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00.000Z"],
  ["when its end comes twice", gap, berlin, "2026-10-24T23:30:00Z", "2026-10-25T00:30:00.000Z"],
  ["after the first of the two ends", gap, berlin, "2026-10-25T01:00:00Z", undefined],
  ["far west of here", night, "America/Los_Angeles", "2026-01-11T07:00:00Z", "2026-01-11T15:00:00.000Z"],
])("quiet hours %s", (_, quiet, zone, now, until) => {
  expect(iso(quietUntil(quiet, zone, at(now)))).toBe(until);
});

test.each([
  ["today", "2026-01-10T08:00:00Z", "2026-01-10", "2026-01-10T07:30:00.000Z"],
  ["at the very minute", "2026-01-10T07:30:00Z", "2026-01-10", "2026-01-10T07:30:00.000Z"],
  ["yesterday, before the hour", "2026-01-10T07:29:59Z", "2026-01-09", "2026-01-09T07:30:00.000Z"],
  ["on the day of summer time", "2026-03-29T06:45:00Z", "2026-03-29", "2026-03-29T06:30:00.000Z"],
])("the last half past eight was %s", (_, now, day, instant) => {
  const last = lastAt({ hour: 8, minute: 30 }, berlin, at(now));
  expect([last.day, iso(last.at)]).toEqual([day, instant]);
});
