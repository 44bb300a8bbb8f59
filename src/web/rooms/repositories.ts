import type { Hono } from "hono";
import type { RepositoryAnswer } from "../../ports-dashboard-repositories.ts";
import {
  answer,
  csrfOf,
  nothingHere,
  notYours,
  viewerOf,
  wantsJson,
  type Asked,
  type RoomParts,
} from "../answer.ts";
import type { Inside } from "../door.ts";
import { asked, askedNumber, type Told } from "./host-words.ts";
import { repositoriesPage, repositoryPage } from "./repositories-page.ts";

const mayOnlyLook =
  "You may look at this repository; to change how it is served you need to administer it there, and what an operator halted only an operator lifts.";

/** Every repository somebody sees, and each by itself. */
export function repositoriesRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  const { repositories } = parts.commands;
  rooms.get("/repositories", (context) =>
    answer(context, parts, {
      title: "Repositories",
      at: "repositories",
      assets: ["host.css"],
      view: () => parts.dashboard.repositories.list(viewerOf(context), asked(context.req.query("after"))),
      body: repositoriesPage,
    }),
  );
  rooms.get("/repositories/:id", (context) => show(context, parts, undefined));
  rooms.post("/repositories/:id/resync", async (context) =>
    after(context, parts, await repositories.resync(viewerOf(context), idOf(context))),
  );
  for (const [path, is] of [
    ["halt", "raised"],
    ["unhalt", "lifted"],
  ] as const)
    rooms.post(`/repositories/:id/${path}`, async (context) =>
      after(context, parts, await repositories.halt(viewerOf(context), idOf(context), is)),
    );
}

const idOf = (context: Asked): number => askedNumber(context.req.param("id")) ?? -1;

async function show(context: Asked, parts: RoomParts, told: Told | undefined): Promise<Response> {
  const view = await parts.dashboard.repositories.one(viewerOf(context), idOf(context));
  if (view === undefined) return await nothingHere(context, parts);
  return await answer(context, parts, {
    title: view.name,
    at: "repositories",
    status: told?.is === "refused" ? 409 : 200,
    isLive: told === undefined,
    assets: ["host.css"],
    view: async () => (told === undefined ? view : { ...view, told }),
    body: (now) => repositoryPage(now, csrfOf(context), told),
  });
}

async function after(context: Asked, parts: RoomParts, given: RepositoryAnswer): Promise<Response> {
  switch (given.is) {
    case "unknown":
      return await nothingHere(context, parts);
    case "forbidden":
      return await notYours(context, parts, mayOnlyLook);
    case "refused":
      return await show(context, parts, { is: "refused", text: `Not done: ${given.why}` });
    case "nothing":
      return await show(context, parts, { is: "refused", text: "Not done: it is so already." });
    case "done":
      return wantsJson(context)
        ? context.json({ is: given.is })
        : context.redirect(`/repositories/${idOf(context)}`, 303);
  }
}
