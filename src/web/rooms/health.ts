import type { Hono } from "hono";
import type { Done } from "../../ports-dashboard-health.ts";
import { answer, csrfOf, notYours, viewerOf, wantsJson, type Asked, type RoomParts } from "../answer.ts";
import type { Inside } from "../door.ts";
import { healthPage } from "./health-page.ts";
import type { Told } from "./host-words.ts";

const forOperators = "The health of the host is about all repositories at once; only its operators see it.";

/** The health of the whole host, and what an operator does about it. */
export function healthRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  const { health } = parts.commands;
  rooms.get("/health", (context) => show(context, parts, undefined));
  rooms.post("/health/breaker", async (context) => {
    const runtime = await field(context, "runtime");
    const done = await health.resetBreaker(viewerOf(context), runtime);
    return await after(context, parts, done, "Nothing stands against that runtime any more.");
  });
  rooms.post("/health/retry", async (context) => {
    const done = await health.tryNow(viewerOf(context), await field(context, "key"));
    return await after(context, parts, done, "It does not wait any more: it was tried meanwhile.");
  });
  rooms.post("/health/day", async (context) => {
    const typed = (await field(context, "usd")).trim().replace(/^\$/u, "");
    const usd = /^\d{1,6}(?:\.\d{1,2})?$/u.test(typed) ? Number(typed) : Number.NaN;
    const is = await health.capDay(viewerOf(context), usd, Number(await field(context, "seen")));
    if (is === "absurd")
      return await refused(
        context,
        parts,
        "Not done: a cap is a sum in dollars, such as 150, above 0 and up to 100000.",
      );
    if (is === "stale")
      return await refused(
        context,
        parts,
        "Not done: somebody changed the cap while you were reading. This is how it stands now.",
      );
    return await after(context, parts, is, "");
  });
}

const field = async (context: Asked, name: string): Promise<string> => {
  const value = (await context.req.parseBody())[name];
  return typeof value === "string" ? value.slice(0, 1_000) : "";
};

const refused = (context: Asked, parts: RoomParts, text: string): Promise<Response> =>
  show(context, parts, { is: "refused", text });

async function after(context: Asked, parts: RoomParts, done: Done, gone: string): Promise<Response> {
  if (done === "forbidden") return await notYours(context, parts, forOperators);
  if (done === "nothing") return await refused(context, parts, `Not done: ${gone}`);
  return wantsJson(context) ? context.json({ is: done }) : context.redirect("/health", 303);
}

async function show(context: Asked, parts: RoomParts, told: Told | undefined): Promise<Response> {
  const view = await parts.dashboard.health.view(viewerOf(context));
  if (view === undefined) return await notYours(context, parts, forOperators);
  return await answer(context, parts, {
    title: "Health",
    at: "health",
    status: told?.is === "refused" ? 409 : 200,
    assets: ["host.css"],
    view: async () => (told === undefined ? view : { ...view, told }),
    body: (now) => healthPage(now, csrfOf(context), told),
  });
}
