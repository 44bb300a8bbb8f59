import type { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { hasSession, type DoorOptions, type Inside } from "../door.ts";
import type { Pulse } from "../pulse.ts";

/** A stream says that it is alive this often, so that nothing between us and the browser closes it. */
const breathMs = 15_000;

/** `GET /events`: that something changed, to pages that are open; ends with the session. */
export function streamRoom(rooms: Hono<Inside>, door: DoorOptions, pulse: Pulse): void {
  rooms.get("/events", (context) => {
    const since = context.req.header("last-event-id") ?? context.req.query("since") ?? "";
    return streamSSE(context, async (stream) => {
      let told = since;
      while (!stream.aborted && !stream.closed) {
        const position = await pulse.beyond(told, breathMs);
        if (position === "stopped" || !(await hasSession(context, door))) return;
        if (position === undefined) await stream.write(": \n\n");
        else {
          told = position;
          await stream.writeSSE({ event: "changed", id: position, data: position });
        }
      }
    });
  });
}
