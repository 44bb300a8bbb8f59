import type { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { viewerOf } from "../answer.ts";
import { hasSession, type DoorOptions, type Inside } from "../door.ts";
import type { Pulse } from "../pulse.ts";
import { openSeats } from "../seats.ts";

/** A stream says that it is alive this often, so that nothing between us and the browser closes it. */
const breathMs = 15_000;

/** Pages that one person has open at once, and everybody together; a page beyond them is read anew by hand. */
export const mostOfOne = 100;
const mostPages = 2_000;

/** `GET /events`: that something changed, to pages that are open; ends with the session. */
export function streamRoom(rooms: Hono<Inside>, door: DoorOptions, pulse: Pulse): void {
  const seats = openSeats({ all: mostPages, each: mostOfOne });
  rooms.get("/events", (context) => {
    // Asked for without a body, nothing is held open, nor ever left.
    if (context.req.method === "HEAD") return context.body(null, 200);
    const leave = seats.take(viewerOf(context).who);
    if (leave === undefined)
      return context.text("Too many pages are open at once; close some.\n", 503, { "retry-after": "60" });
    const since = context.req.header("last-event-id") ?? context.req.query("since") ?? "";
    return streamSSE(context, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => {
        gone.abort();
        leave();
      });
      let told = since;
      try {
        while (!stream.aborted && !stream.closed) {
          const position = await pulse.beyond(told, breathMs, gone.signal);
          if (position === "stopped" || !(await hasSession(context, door))) return;
          if (position === undefined) await stream.write(": \n\n");
          else {
            told = position;
            await stream.writeSSE({ event: "changed", id: position, data: position });
          }
        }
      } finally {
        leave();
      }
    });
  });
}
