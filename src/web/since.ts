/** How people name a time that something is looked at from: `7d`, or a day. */
const dayMs = 86_400_000;
const mostDays = 3_650;

/** The beginning of that day (UTC), in milliseconds since 1970; undefined when it is none. `7d` are this day and six before. */
export function dayIn(text: string, now: number): number | undefined {
  const days = /^(\d{1,4})d$/u.exec(text)?.[1];
  if (days !== undefined)
    return Number(days) < 1 || Number(days) > mostDays
      ? undefined
      : now - (now % dayMs) - (Number(days) - 1) * dayMs;
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  // The 31st of a month that has 30 days is another day for a parser that means well.
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text ? undefined : at;
}
export const dayAfter = (at: number): number => at + dayMs;
export const sayDays = "a day (2026-01-31), or a number of days back from today (7d)";
