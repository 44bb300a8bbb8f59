import { systemClock } from "../adapters/clock.ts";
import { age, boardName, dollars } from "../says.ts";
import { boardRows } from "../shell/board.ts";
import { dayCapsOf } from "../shell/day.ts";
import { atDesk, rulesFor } from "./database.ts";
import { table, terminal, type Answer } from "./output.ts";

/** Of each of the two states. */
const mostWaiting = 500;

/** What the first page of the dashboard shows: everything that a person has to act upon. */
export async function waiting(options: { readonly database?: string | undefined }): Promise<Answer> {
  return await atDesk(options, "read", async ({ store, environment }) => {
    const now = systemClock().now();
    const rows = await boardRows(
      { store, now, caps: dayCapsOf(environment), placeOf: (stored) => rulesFor(store, stored) },
      await store.boardTickets({ states: ["In Review", "Blocked"], perState: mostWaiting }),
    );
    const text = table(
      ["TICKET", "STATE", "AGE", "COST", "WAITS FOR", "TO DO"],
      rows.map((row) => [
        row.ref,
        boardName(row.state),
        age(now - row.since),
        dollars(row.usd, row.usdIsGuess),
        row.wait?.waitsFor ?? "-",
        row.wait?.youCan[0]?.do ?? "-",
      ]),
      terminal.isTty,
    );
    return {
      schema: "waiting/1",
      data: rows,
      text: rows.length === 0 ? "Nothing waits for a person. `forgehand ps` lists what is under way." : text,
    };
  });
}
