import { age, boardName, dollars } from "../says.ts";
import { explain } from "../state-machine/explain.ts";
import { openStates } from "../store/tickets.ts";
import { systemClock } from "../adapters/clock.ts";
import type { Store } from "../store/store.ts";
import { atDesk, rulesFor } from "./database.ts";
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
  if (places.length === 0) return await atDesk(options, "read", ({ store }) => list(store, options));
  const kinds = await Promise.all(
    places.map(async (database) => [database, await kindOf(database)] as const),
  );
  const parts: { readonly tickets?: Answer; readonly runs?: Answer }[] = [];
  for (const [database, kind] of kinds) {
    if (kind === "runs") {
      const { list: runs } = await import("./workflow.ts");
      parts.push({ runs: await runs({ database }) });
    } else parts.push({ tickets: await atDesk({ database }, "read", ({ store }) => list(store, options)) });
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

async function list(store: Store, options: PsOptions): Promise<Answer> {
  const now = systemClock().now();
  const tickets = await store.ticketsIn(
    options.all === true ? [...openStates, "Done", "Cancelled"] : openStates,
  );
  const shown = tickets.filter(({ version }) => version > 0);
  const rows = await Promise.all(
    shown.map(async (stored) => {
      const { policy, problems } = await rulesFor(store, stored);
      const sessions = await store.sessionsOf(stored.ticket.id);
      const usd = sessions.reduce((sum, session) => sum + session.usd, 0);
      const waits = explain({ ticket: stored.ticket, since: stored.since, policy });
      const next = problems.length > 0 ? `fix ${problems[0]}` : (waits?.nextStep ?? "-");
      return {
        ticket: stored.ref,
        id: stored.ticket.id,
        title: stored.title,
        state: stored.ticket.state,
        round: stored.ticket.counters.cycles,
        maxRounds: policy.maxCycles,
        since: new Date(stored.since).toISOString(),
        ageMs: now - stored.since,
        usd,
        usdIsGuess: sessions.some((session) => session.pricedBy === "guess"),
        pull: stored.ticket.pull ?? null,
        head: stored.ticket.head ?? null,
        waitsFor: waits?.waitsFor ?? null,
        next,
      };
    }),
  );
  const text = table(
    ["TICKET", "STATE", "ROUND", "AGE", "COST", "NEXT"],
    rows.map((row) => [
      row.ticket,
      boardName(row.state),
      `${row.round}/${row.maxRounds}`,
      age(row.ageMs),
      dollars(row.usd, row.usdIsGuess),
      row.next,
    ]),
    terminal.isTty,
  );
  const listed = rows.length === 0 ? "No open tickets. Label an issue `agent-ready` to make one." : text;
  const down = downInWords(await store.runtimeTroubles(), now).map(oneLine);
  return { schema: "ps/2", data: rows, text: [listed, ...down].join("\n") };
}
