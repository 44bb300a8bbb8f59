import { systemClock } from "../adapters/clock.ts";
import type { Outcome } from "../ports-dashboard-history.ts";
import { age, dollars } from "../says.ts";
import { historyView } from "../shell/pages/history.ts";
import { dayAfter } from "../web/since.ts";
import { dayGiven } from "./cost.ts";
import { atDesk } from "./database.ts";
import { everything } from "./operator.ts";
import { table, terminal, type Answer } from "./output.ts";

interface HistoryOptions {
  readonly repo?: string | undefined;
  readonly runtime?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly label?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly limit: number;
  readonly after?: string | undefined;
  readonly database?: string | undefined;
}

/** What `/history` shows. */
export async function history(words: readonly string[], options: HistoryOptions): Promise<Answer> {
  return await atDesk(options, "read", async ({ store }) => {
    const now = systemClock().now();
    const { repo, runtime, outcome, label, since, until, limit, after } = options;
    const view = await historyView({ store, now }, everything, {
      repository: repo,
      runtime,
      outcome,
      label,
      limit,
      after,
      words: words.join(" "),
      from: since === undefined ? undefined : dayGiven(since, now),
      until: until === undefined ? undefined : dayAfter(dayGiven(until, now)),
    });
    const text = table(
      ["TICKET", "OUTCOME", "AGO", "RUNTIME", "ROUNDS", "TOOK", "COST", "PULL", "TITLE"],
      view.rows.map((row) => [
        row.ref,
        row.outcome,
        age(Math.max(0, now - row.since)),
        row.runtime ?? "-",
        String(row.rounds),
        age(row.durationMs),
        dollars(row.usd, row.usdIsGuess),
        row.pull === undefined ? "-" : `#${row.pull}`,
        row.title,
      ]),
      terminal.isTty,
    );
    const { names: _names, ...data } = view;
    return {
      schema: "history/1",
      data,
      text: view.rows.length === 0 ? "No ticket is like that." : text,
      ...(view.next === undefined ? {} : { hint: `there is more: --after ${view.next}` }),
    };
  });
}
