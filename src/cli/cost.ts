import { systemClock } from "../adapters/clock.ts";
import type { CostBy } from "../ports-dashboard-costs.ts";
import { exitCodes } from "../problems.ts";
import { dollars } from "../says.ts";
import { dayDefaultUsd } from "../shell/day.ts";
import { costsView } from "../shell/pages/costs.ts";
import { dayIn, sayDays } from "../web/since.ts";
import { atDesk } from "./database.ts";
import { everything } from "./operator.ts";
import { Failure, table, terminal, type Answer } from "./output.ts";

interface CostOptions {
  readonly by: CostBy;
  readonly since: string;
  readonly database?: string | undefined;
}

/** Of what is no day; nobody reads more of it. */
const longest = 50;

/** A day as people name it; anything else ends the command with words. */
export function dayGiven(text: string, now: number): number {
  const at = dayIn(text, now);
  if (at === undefined)
    throw new Failure(exitCodes.usage, `"${text.slice(0, longest)}" is no day: ${sayDays}`);
  return at;
}

/** What `/costs` shows. */
export async function cost({ by, since, ...place }: CostOptions): Promise<Answer> {
  return await atDesk(place, "read", async ({ store, environment }) => {
    const now = systemClock().now();
    const caps = {
      warnUsd: environment.dayWarnUsd ?? dayDefaultUsd.warn,
      stopUsd: environment.dayStopUsd ?? dayDefaultUsd.stop,
    };
    const view = await costsView({ store, now, caps }, everything, {
      by,
      stack: "runtime",
      since: dayGiven(since, now),
    });
    const { total, today, month, merged, usdPerMerged, cachedShare } = view;
    const usd = (sum: number): string => dollars(sum, false);
    const pace = (projected: number | undefined): string =>
      projected === undefined ? "" : ` (${usd(projected)} at this pace)`;
    const sums = [
      `${view.from} to ${view.to}: ${dollars(total.usd, total.guessedUsd > 0)} in ${total.sessions} sessions, ${total.failed} of them without a result`,
      `today ${usd(today.usd)}${pace(today.projectedUsd)} of $${caps.stopUsd}, warned from $${caps.warnUsd}; this month ${usd(month.usd)}${pace(month.projectedUsd)}`,
      ...(usdPerMerged === undefined ? [] : [`${merged} merged, ${usd(usdPerMerged)} each`]),
      ...(cachedShare === undefined
        ? []
        : [`${Math.round(cachedShare * 100)} % of the input came from a cache`]),
    ];
    const listed = table(
      [by.toUpperCase(), "COST", "SESSIONS", "FAILED", "TOKENS IN", "CACHED", "TOKENS OUT"],
      view.rows.map((row) => [
        row.name === "" ? "-" : row.name,
        dollars(row.usd, row.guessedUsd > 0),
        String(row.sessions),
        String(row.failed),
        String(row.inputTokens),
        String(row.cachedTokens),
        String(row.outputTokens),
      ]),
      terminal.isTty,
    );
    return {
      schema: "cost/1",
      data: view,
      text: view.rows.length === 0 ? "No agent was at work in this time." : listed,
      hint: sums.join("\n"),
    };
  });
}
