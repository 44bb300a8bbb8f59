import { age, boardName, dollars } from "../says.ts";
import { dayCapsOf } from "../shell/day.ts";
import { openWaits } from "../shell/waits.ts";
import { openStates } from "../store/tickets.ts";
import { systemClock } from "../adapters/clock.ts";
import { atDesk, rulesFor, type Desk } from "./database.ts";
import { databases, kindOf } from "./named.ts";
import { downInWords } from "./runtimes-told.ts";
import { oneLine, table, terminal, type Answer } from "./output.ts";

interface PsOptions {
  readonly database?: string | undefined;
  readonly all?: boolean | undefined;
}

/** What there is here: every open ticket (where it is, what it cost, what comes next) and the runs of workflow files. */
export async function ps(options: PsOptions): Promise<Answer> {
  const places = databases(options);
  if (places.length === 0) return await atDesk(options, "read", (desk) => list(desk, options));
  const kinds = await Promise.all(
    places.map(async (database) => [database, await kindOf(database)] as const),
  );
  const parts: { readonly tickets?: Answer; readonly runs?: Answer }[] = [];
  for (const [database, kind] of kinds) {
    if (kind === "runs") {
      const { list: runs } = await import("./workflow.ts");
      parts.push({ runs: await runs({ database }) });
    } else parts.push({ tickets: await atDesk({ database }, "read", (desk) => list(desk, options)) });
  }
  const answers = parts.flatMap(({ tickets, runs }) => [tickets, runs]).filter((one) => one !== undefined);
  return {
    schema: "ps/2",
    data: {
      tickets: parts.flatMap(({ tickets }) => (tickets?.data ?? []) as readonly unknown[]),
      runs: parts.flatMap(({ runs }) => (runs?.data ?? []) as readonly unknown[]),
    },
    text: answers.map(({ text }) => text).join("\n\n"),
  };
}

async function list({ store, environment }: Desk, options: PsOptions): Promise<Answer> {
  const now = systemClock().now();
  const tickets = await store.ticketsIn(
    options.all === true ? [...openStates, "Done", "Cancelled"] : openStates,
  );
  const shown = tickets.filter(({ version }) => version > 0);
  const waitsOf = openWaits(store, now, dayCapsOf(environment));
  const rows = await Promise.all(
    shown.map(async (stored) => {
      const place = await rulesFor(store, stored);
      const sessions = await store.sessionsOf(stored.ticket.id);
      const usd = sessions.reduce((sum, session) => sum + session.usd, 0);
      const waits = await waitsOf(stored, place);
      return {
        ticket: stored.ref,
        id: stored.ticket.id,
        title: stored.title,
        state: stored.ticket.state,
        round: stored.ticket.counters.cycles,
        maxRounds: place.policy.maxCycles,
        since: new Date(stored.since).toISOString(),
        ageMs: now - stored.since,
        usd,
        usdIsGuess: sessions.some((session) => session.pricedBy === "guess"),
        pull: stored.ticket.pull ?? null,
        head: stored.ticket.head ?? null,
        waitsFor: waits?.waitsFor ?? null,
        next: waits?.nextStep ?? null,
      };
    }),
  );
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
  const down = downInWords(await store.runtimeTroubles(), now).map(oneLine);
  return { schema: "ps/2", data: rows, text: [listed, ...down].join("\n") };
}
