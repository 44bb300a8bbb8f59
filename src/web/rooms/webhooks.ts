import type { Hono } from "hono";
import type { InboxItem } from "../../ports-dashboard-webhooks.ts";
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
import { inboxPage, itemPage } from "./webhooks-page.ts";

const forOperators = "What comes in is about all repositories at once; only operators of this host see it.";

/** What came in, what became of it, and having it again. */
export function webhooksRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  rooms.get("/webhooks", (context) => list(context, parts, undefined));
  rooms.get("/webhooks/:id", (context) => item(context, parts, context.req.param("id"), undefined));
  rooms.post("/webhooks/redeliver", async (context) => {
    const guid = (await context.req.parseBody())["guid"];
    return await redeliver(context, parts, typeof guid === "string" ? guid.slice(0, 100) : "");
  });
  rooms.post("/webhooks/:id/reread", async (context) => {
    const id = context.req.param("id");
    const done = await parts.commands.webhooks.reread(viewerOf(context), id);
    if (done === "forbidden") return await notYours(context, parts, forOperators);
    const text = "Not done: only what was set aside is read again, and it is not set aside any more.";
    if (done === "nothing") return await item(context, parts, id, { is: "refused", text });
    return wantsJson(context)
      ? context.json({ is: done })
      : context.redirect(`/webhooks/${encodeURIComponent(id)}`, 303);
  });
}

async function list(context: Asked, parts: RoomParts, told: Told | undefined): Promise<Response> {
  const view = await parts.dashboard.webhooks.list(viewerOf(context), {
    source: asked(context.req.query("source")),
    name: asked(context.req.query("event")),
    state: asked(context.req.query("state")),
    ticket: asked(context.req.query("ticket")),
    before: askedNumber(context.req.query("before")),
  });
  if (view === undefined) return await notYours(context, parts, forOperators);
  return await answer(context, parts, {
    title: "Webhooks",
    at: "webhooks",
    status: told?.is === "refused" ? 409 : 200,
    // An older page stays as it is.
    isLive: view.asked.before === undefined && told === undefined,
    assets: ["host.css"],
    view: async () => (told === undefined ? view : { ...view, told }),
    body: (now) => inboxPage(now, csrfOf(context), told),
  });
}

async function item(context: Asked, parts: RoomParts, id: string, told: Told | undefined): Promise<Response> {
  const view = await parts.dashboard.webhooks.item(viewerOf(context), id);
  if (view === undefined) return await notYours(context, parts, forOperators);
  if (view === "unknown") return await nothingHere(context, parts);
  return await answer(context, parts, {
    title: `${view.source} ${view.name}`,
    at: "webhooks",
    status: told?.is === "refused" ? 409 : 200,
    isLive: told === undefined,
    assets: ["host.css"],
    view: async (): Promise<InboxItem & { readonly told?: Told }> =>
      told === undefined ? view : { ...view, told },
    body: (now) => itemPage(now, csrfOf(context), told),
  });
}

async function redeliver(context: Asked, parts: RoomParts, guid: string): Promise<Response> {
  const given = await parts.commands.webhooks.redeliver(viewerOf(context), guid);
  if (given.is === "forbidden") return await notYours(context, parts, forOperators);
  if (given.is === "asked" && wantsJson(context)) return context.json({ is: given.is });
  const told: Told = {
    is: given.is === "asked" ? "done" : "refused",
    text: given.is === "refused" ? `GitHub refused: ${given.why}` : redeliverTexts[given.is],
  };
  return await list(context, parts, told);
}

/** What became of asking GitHub for a delivery. */
export const redeliverTexts = {
  asked:
    "GitHub was asked to deliver it again. What lies here already keeps its place: the second one counts as a repeat.",
  forgotten:
    "Not done: GitHub's log does not have it. It keeps deliveries about three days; what they told is found by comparing.",
  impossible:
    "Not done: a delivery is named by its GUID, as its row here or the App's settings on GitHub show it.",
} as const;
