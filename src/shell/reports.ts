import { reportSchema } from "../workflows/report.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import type { Item } from "../store/inbox.ts";
import { nextDay } from "./day.ts";
import { wakeAt } from "./run-money.ts";
import type { Read } from "./said.ts";
import type { Workshop } from "./workshop.ts";

/** A settled run: its workflow's output holds the event it reports; one that failed is exhausted. */
export async function readReport(shop: Workshop, item: Item): Promise<Read> {
  const { run, status, output, error } = JSON.parse(item.body) as {
    run: string;
    status: string;
    output: unknown;
    error: string | null;
  };
  const { ticket } = item;
  if (ticket === undefined) return { ignored: "a run of no ticket" };
  await shop.store.release(run);
  shop.poke("schedule");
  if (status === "cancelled") return { ignored: "the run was stopped" };
  if (status === "failed")
    return {
      said: [{ ticket, actor: "run", event: { type: "run.exhausted", run, why: error ?? "the run failed" } }],
    };
  const report = reportSchema.safeParse((output as { event?: unknown } | undefined)?.event);
  if (!report.success) {
    return {
      said: [
        {
          ticket,
          actor: "run",
          event: {
            type: "run.exhausted",
            run,
            why: `its report could not be read: ${report.error.message.slice(0, 300)}`,
          },
        },
      ],
    };
  }
  // The report is an event without its run: the run is what this item is about.
  return { said: [{ ticket, actor: "run", event: { ...report.data, run } }] };
}

/** A deadline has passed, a day that stopped a run is over, or the reviewers' pause is. */
export async function readTimer(shop: Workshop, item: Item): Promise<Read> {
  const { ticket } = item;
  if (ticket === undefined) return { ignored: "it names no ticket" };
  if (item.name === "deadline") {
    const { run } = JSON.parse(item.body) as { run: string };
    return {
      said: [
        {
          ticket,
          actor: "clock",
          event: { type: "deadline.passed", run, why: "the run took longer than `limits.run_minutes`" },
        },
      ],
    };
  }
  if (item.name === "new-day") return await readNewDay(shop, ticket);
  if (item.name === "objections") {
    shop.poke("schedule");
    return { ignored: "the reviewers have paused; their rework may start" };
  }
  return { ignored: `no such timer: ${item.name}` };
}

async function readNewDay(shop: Workshop, ticket: TicketId): Promise<Read> {
  const now = shop.clock.now();
  const stops = (await shop.store.linesOf(ticket)).flatMap(({ event }) =>
    event.type === "budget.spent" ? [event] : [],
  );
  // It may have gone on since, and wait for what only a person can give.
  if ((stops.at(-1)?.liftsAt ?? Infinity) > now) return { ignored: "it does not wait for a new day" };
  if ((await shop.store.load(ticket))?.ticket.halted === true) {
    await wakeAt(shop, ticket, nextDay(now));
    return { ignored: "it is halted, so the next day asks again" };
  }
  return { said: [{ ticket, actor: "clock", event: { type: "budget.raised" } }] };
}
