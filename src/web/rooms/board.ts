import type { Hono } from "hono";
import { answer, csrfOf, notYours, viewerOf, wantsJson, type RoomParts } from "../answer.ts";
import type { Inside } from "../door.ts";
import { boardPage } from "./board-page.ts";

/** The board by state, and the halt of everything. */
export function boardRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  const { dashboard, commands } = parts;
  rooms.get("/board", async (context) =>
    answer(context, parts, {
      title: "Board",
      at: "board",
      view: () => dashboard.board(viewerOf(context)),
      body: (view) => boardPage(view, csrfOf(context)),
    }),
  );
  for (const [path, is] of [
    ["/halt-all", "raised"],
    ["/unhalt-all", "lifted"],
  ] as const)
    rooms.post(path, async (context) => {
      if ((await commands.haltAll(viewerOf(context), is)) === "forbidden")
        return await notYours(context, parts, "Only an operator halts everything, and lifts that.");
      return wantsJson(context) ? context.json({ is }) : context.redirect("/board", 303);
    });
}
