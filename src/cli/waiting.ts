import { systemClock } from "../adapters/clock.ts";
import type { RunOpenAsk } from "../engine/index.ts";
import { age, boardName, dollars } from "../says.ts";
import type { BoardRow } from "../ports-dashboard.ts";
import { boardRows } from "../shell/board.ts";
import { askedAbout } from "../shell/waits.ts";
import { dayCapsOf } from "../shell/day.ts";
import { openSqlite } from "../sql.ts";
import type { Stored } from "../store/tickets.ts";
import { atDesk, rulesFor, type Desk } from "./database.ts";
import { databases } from "./named.ts";
import { oneLine, table, terminal, type Answer } from "./output.ts";
import { databaseProblem } from "../problems-database.ts";

interface WaitingOptions {
  readonly database?: string | undefined;
}
/** Of each kind. */
const most = 500;
const longestAsk = 120;

interface AskRow {
  readonly run: string;
  readonly workflow: string;
  readonly task: string;
  readonly is: string;
  readonly text: string;
  readonly since: string;
  readonly ageMs: number;
  /** What to type. */
  readonly todo: string;
  readonly database: string;
}

/**
 * What a person has to act upon, here: tickets that are blocked, in review or asked about by the spec gate, and what runs
 * ask, those of workflow files of this folder too.
 */
export async function waiting(options: WaitingOptions): Promise<Answer> {
  const places = databases(options);
  const tickets: BoardRow[] = [];
  const runs: AskRow[] = [];
  // Without any, the one that is missing is named.
  for (const database of places.length === 0 ? [undefined] : places) {
    tickets.push(...(await atDesk({ database }, "read", ticketsWaiting, async () => [])));
    if (database !== undefined) runs.push(...(await asksIn(database, options.database !== undefined)));
  }
  const now = systemClock().now();
  const lines = [
    ...tickets.map((row) => [
      row.ref,
      boardName(row.state),
      age(now - row.since),
      dollars(row.usd, row.usdIsGuess),
      row.wait?.waitsFor ?? "-",
      row.wait?.youCan[0]?.do ?? "-",
    ]),
    ...runs.map((row) => [row.run, `run: ${row.is}`, age(row.ageMs), "-", oneLine(row.text), row.todo]),
  ];
  const text = table(["WHAT", "STATE", "AGE", "COST", "WAITS FOR", "TO DO"], lines, terminal.isTty);
  return {
    schema: "waiting/2",
    data: { tickets, runs },
    text: lines.length === 0 ? "Nothing waits for a person. `forgehand ps` lists what is under way." : text,
  };
}

async function ticketsWaiting({ store, environment }: Desk): Promise<readonly BoardRow[]> {
  const now = systemClock().now();
  const sentBack = await store.ticketsSentBack(undefined, undefined, most);
  const arrivals = await store.arrivalsOf(sentBack.map(({ ticket }) => ticket.id));
  const asked = askedAbout(arrivals);
  const standing = await store.boardTickets({ states: ["In Review", "Blocked"], perState: most });
  const all: readonly Stored[] = [...standing, ...sentBack.filter(({ ticket }) => asked.has(ticket.id))];
  return await boardRows(
    { store, now, caps: dayCapsOf(environment), placeOf: (stored) => rulesFor(store, stored) },
    all,
  );
}

/** Whoever named the database has to name it again. */
async function asksIn(database: string, isNamed: boolean): Promise<readonly AskRow[]> {
  const { openAsks, placeOf } = await import("../engine/index.ts");
  const { lineFor, word } = await import("../shell/pages/run-commands.ts");
  const { wordsOf } = await import("../shell/pages/run-list.ts");
  const now = systemClock().now();
  const where = isNamed ? ` --database ${word(database)}` : "";
  try {
    const sql = openSqlite(database, { readonly: true });
    try {
      const asks = await sql.read(() => openAsks(0, most));
      return asks.map((ask) =>
        rowOf(ask, {
          task: placeOf(ask),
          text: wordsOf(ask.ask),
          todo: lineFor(ask.run, ask) + where,
          database,
          now,
        }),
      );
    } finally {
      sql.close();
    }
  } catch (error) {
    throw databaseProblem(error, database) ?? error;
  }
}

interface Told {
  readonly task: string;
  readonly text: string;
  readonly todo: string;
  readonly database: string;
  readonly now: number;
}
const rowOf = (
  { run, workflow, ask, since }: RunOpenAsk,
  { task, text, todo, database, now }: Told,
): AskRow => ({
  run,
  workflow,
  task,
  is: ask.is,
  text: text.slice(0, longestAsk),
  since: new Date(since).toISOString(),
  ageMs: now - since,
  todo,
  database,
});
