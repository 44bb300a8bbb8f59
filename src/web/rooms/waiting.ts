import type { Hono } from "hono";
import { answer, csrfOf, viewerOf, type RoomParts } from "../answer.ts";
import type { Inside } from "../door.ts";
import { waitingPage } from "./waiting-page.ts";

/** The first page: everything that waits for a person. */
export function waitingRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  rooms.get("/", async (context) =>
    answer(context, parts, {
      title: "Waiting",
      at: "waiting",
      view: () => parts.dashboard.waiting(viewerOf(context), context.req.query("after")),
      body: (view) =>
        waitingPage(view, csrfOf(context), parts.commands.newTicket === undefined ? "elsewhere" : "here"),
      assets: ["ticket.css", "orders.js"],
    }),
  );
}
