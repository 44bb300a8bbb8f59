import { age, boardName, dollars } from "../says.ts";
import { dayCapsToday } from "../shell/day-cap.ts";
import { downAmong } from "../shell/runtime-health.ts";
import { boardRows } from "../shell/board.ts";
import { openStates } from "../store/tickets.ts";
import { systemClock } from "../adapters/clock.ts";
import { atDesk, rulesFor, type Desk } from "./database.ts";
import { databases } from "./named.ts";
import { haltsTold } from "./halts-told.ts";
import { downInWords } from "./runtimes-told.ts";
import { oneLine, table, terminal, type Answer } from "./output.ts";

interface PsOptions {
  readonly database?: string | undefined;
  readonly all?: boolean | undefined;
}

/** Tickets of one database, and the runtimes that are left out there. */
interface Listed {
  readonly rows: readonly object[];
  readonly runtimesDown: readonly object[];
  readonly text: string;
}

/**
 * What there is here: every open ticket (where it is, what it cost, what comes next), who is left out of the work, and the
 * runs of workflow files.
 */
export async function ps(options: PsOptions): Promise<Answer> {
  const tickets: Listed[] = [];
  const runs: Answer[] = [];
  const places = databases(options);
  // Without any, the one that is missing is named.
  for (const database of places.length === 0 ? [options.database] : places)
    await atDesk(
      { database },
      "read",
      async (at) => void tickets.push(await list(at, options)),
      async () => void runs.push(await (await import("./workflow.ts")).list({ database })),
    );
  return {
    schema: "ps/2",
    data: {
      tickets: tickets.flatMap(({ rows }) => rows),
      runs: runs.flatMap(({ data }) => data as readonly unknown[]),
      runtimesDown: tickets.flatMap(({ runtimesDown }) => runtimesDown),
    },
    text: [...tickets, ...runs].map(({ text }) => text).join("\n\n"),
  };
}

async function list({ store, environment }: Desk, options: PsOptions): Promise<Listed> {
  const now = systemClock().now();
  const tickets = await store.ticketsIn(
    options.all === true ? [...openStates, "Done", "Cancelled"] : openStates,
  );
  const told = await boardRows(
    {
      store,
      now,
      caps: await dayCapsToday(store, environment, now),
      placeOf: (stored) => rulesFor(store, stored),
    },
    tickets,
  );
  const rows = told.map((row) => ({
    ticket: row.ref,
    id: row.id,
    title: row.title,
    state: row.state,
    round: row.round,
    maxRounds: row.maxRounds,
    since: new Date(row.since).toISOString(),
    ageMs: now - row.since,
    usd: row.usd,
    usdIsGuess: row.usdIsGuess,
    pull: row.pull ?? null,
    head: row.head ?? null,
    waitsFor: row.wait?.waitsFor ?? null,
    next: row.wait?.nextStep ?? null,
  }));
  const text = table(
    ["TICKET", "STATE", "ROUND", "AGE", "COST", "WAITS FOR"],
    rows.map((row) => [
      row.ticket,
      boardName(row.state),
      `${row.round}/${row.maxRounds}`,
      age(row.ageMs),
      dollars(row.usd, row.usdIsGuess),
      row.waitsFor ?? "-",
    ]),
    terminal.isTty,
  );
  const listed = rows.length === 0 ? "No open tickets. Label an issue `agent-ready` to make one." : text;
  const troubles = await store.runtimeTroubles();
  const runtimesDown = downAmong(troubles, now).map(({ since, until, ...down }) => ({
    ...down,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  }));
  const down = downInWords(troubles, now).map(oneLine);
  const halts = (await haltsTold(store)).map(({ what, fix }) => oneLine(`${what}: ${fix}`));
  return { rows, runtimesDown, text: [listed, ...halts, ...down].join("\n") };
}
