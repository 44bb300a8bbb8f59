/** The ledger as it grows: every line once and in order, to whoever comes back with the number of the last. */
import { setImmediate } from "node:timers/promises";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import type { LedgerLine, LinesAsked } from "../../ports-dashboard-api.ts";
import type { Asked, RoomParts } from "../answer.ts";
import { hasSession, viewerNow, type Known } from "../door.ts";
import type { Pulse } from "../pulse.ts";
import { openSeats } from "../seats.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse } from "./refusals.ts";
import { count, repoName } from "./schemas.ts";

/** A stream says that it is alive this often, so that nothing between us and its reader closes it. */
const breathMs = 15_000;
/** So many lines are read at once, and no more before those are taken. */
export const atOnce = 200;
/** So many streams are told, and so many of one person or token; each holds a connection. */
export const maxStreams = 100;
export const maxOfOne = 25;

interface StreamParts extends Pick<RoomParts, "dashboard"> {
  readonly door: Known;
  readonly pulse: Pulse;
}

export function eventsOperation(parts: StreamParts): Operation {
  const seats = openSeats({ all: maxStreams, each: maxOfOne });
  return operation({
    id: "streamEvents",
    method: "get",
    path: "/events",
    tag: "house",
    summary: "The ledger as it grows",
    says: "Server-sent events. Each line of the ledger is one: its `id` is the line's number, its `event` the event's type, its `data` a `LedgerLine` as JSON. Whoever comes back with `Last-Event-ID` is told everything after it, once and in order; without it (or `since`), what comes from now on. A comment every 15 seconds says that the stream is alive. `event: restored` says that the ledger is shorter than what was asked after, because an older database was put back. The stream ends with the session or token.",
    query: z.strictObject({
      since: count.optional().meta({
        description: "The number of a line, for a first connection; `Last-Event-ID` goes before it.",
      }),
      ticket: z.string().min(1).max(300).optional().meta({ description: "Of this ticket alone." }),
      repo: repoName.optional(),
    }),
    answer: { status: 200, says: "The stream.", body: undefined },
    refuses: [404, 429],
    handle: async ({ viewer, query, context }) => {
      const last = context.req.header("last-event-id");
      if (last !== undefined && !/^\d{1,15}$/u.test(last))
        return refuse(400, "header.Last-Event-ID: it is the number of a line of the ledger");
      const newest = await parts.dashboard.api.newestLine();
      const after = last === undefined ? (query.since ?? newest) : Number(last);
      const asked = { ticket: query.ticket, repo: query.repo, after, limit: atOnce };
      // Refused before the stream begins, where it still can be.
      if ((await parts.dashboard.api.lines(viewer, { ...asked, limit: 1 })) === undefined)
        return refuse(404, "there is no such ticket or repository");
      // Asked for without a body, nothing is held open, nor ever left.
      if (context.req.method === "HEAD") return context.body(null, 200);
      const leave = seats.take(viewer.who);
      if (leave === undefined)
        return refuse(429, `${maxStreams} streams are open already, or ${maxOfOne} of yours`, {
          code: "too_many_streams",
        });
      return tell(parts, context, { asked, newest }, leave);
    },
  });
}

interface Telling {
  readonly asked: LinesAsked;
  readonly newest: number;
}

function tell(
  { dashboard, door, pulse }: StreamParts,
  context: Asked,
  { asked, newest }: Telling,
  over: () => void,
): Response {
  return streamSSE(context, async (stream) => {
    // Whoever goes and comes again at once finds the place free.
    const gone = new AbortController();
    stream.onAbort(() => {
      gone.abort();
      over();
    });
    try {
      let last = asked.after;
      if (last > newest) {
        last = newest;
        await stream.writeSSE({ event: "restored", id: String(last), data: JSON.stringify({ seq: last }) });
      }
      // Something is said at once, so that whoever waits knows that it is open.
      await stream.write(": \n\n");
      while (!stream.aborted && !stream.closed) {
        // Asked before the lines are read: what comes in between is another position then, and wakes us.
        const position = await dashboard.position();
        // What they may see by now: rights are taken from people whose streams are open.
        const viewer = await viewerNow(context, door);
        const page = viewer && (await dashboard.api.lines(viewer, { ...asked, after: last }));
        if (page === undefined) return;
        // Waits until its reader has taken what came before.
        if (page.lines.length > 0) await stream.write(page.lines.map(told).join(""));
        last = page.upTo;
        // A reader that is as fast as we are would keep everybody else from having a turn.
        await setImmediate();
        if (!page.isAll) continue;
        const next = await pulse.beyond(position, breathMs, gone.signal);
        if (next === "stopped" || !(await hasSession(context, door))) return;
        // With the number, so that who comes back need not have looked again at what was none of theirs.
        if (next === undefined) await stream.write(`id: ${last}\n: \n\n`);
      }
    } finally {
      over();
    }
  });
}

/** JSON is of one line, and types of events are our own words. */
const told = (line: LedgerLine): string =>
  `event: ${line.type}\ndata: ${JSON.stringify(line)}\nid: ${line.seq}\n\n`;
