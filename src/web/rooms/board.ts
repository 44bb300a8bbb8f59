import type { Hono } from "hono";
import { answer, csrfOf, notYours, viewerOf, wantsJson, type RoomParts } from "../answer.ts";
import type { Inside } from "../door.ts";
import type { State } from "../../state-machine/ticket.ts";
import { boardPage, columns } from "./board-page.ts";

/** A state by its name, to see more of it than the board has room for; any other word shows the board. */
const statesIn = (text: string | undefined): readonly State[] | undefined => {
  const state = text === undefined ? undefined : columns.find((one) => one === text);
  return state && [state];
};

/** The board by state, and the halt of everything. */
export function boardRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  const { dashboard, commands } = parts;
  rooms.get("/board", async (context) =>
    answer(context, parts, {
      title: "Board",
      at: "board",
      view: () => dashboard.board(viewerOf(context), statesIn(context.req.query("state"))),
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
