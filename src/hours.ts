/** Times of day as people have them on the wall, summer time and all. */
import { Temporal } from "temporal-polyfill";

interface Wall {
  readonly hour: number;
  readonly minute: number;
}

const localOf = (now: number, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone);

/** That time of day on this day: where summer time skips it, as much later; where it comes twice, the first. */
const at = (day: Temporal.PlainDate, { hour, minute }: Wall, timeZone: string): number =>
  day.toZonedDateTime({ timeZone, plainTime: new Temporal.PlainTime(hour, minute) }).epochMilliseconds;

/** When the quiet hours end that this instant is in; undefined outside of them. They may go past midnight. */
export function quietUntil(
  quiet: { readonly from: Wall; readonly to: Wall },
  timeZone: string,
  now: number,
): number | undefined {
  const { from, to } = quiet;
  const wraps = to.hour * 60 + to.minute <= from.hour * 60 + from.minute;
  const today = localOf(now, timeZone).toPlainDate();
  for (const day of [today.subtract({ days: 1 }), today]) {
    const end = at(wraps ? day.add({ days: 1 }) : day, to, timeZone);
    if (at(day, from, timeZone) <= now && now < end) return end;
  }
  return undefined;
}

/** The last time that clock showed this time of day, up to now: which day it was there, and the instant. */
export function lastAt(
  wall: Wall,
  timeZone: string,
  now: number,
): { readonly day: string; readonly at: number } {
  const today = localOf(now, timeZone).toPlainDate();
  const instant = at(today, wall, timeZone);
  if (instant <= now) return { day: today.toString(), at: instant };
  const yesterday = today.subtract({ days: 1 });
  return { day: yesterday.toString(), at: at(yesterday, wall, timeZone) };
}
