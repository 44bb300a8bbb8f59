import type { Hono } from "hono";
import type { OpenSession } from "../../ports-dashboard-access.ts";
import { answer, csrfOf, nothingHere, viewerOf, wantsJson, type Asked, type RoomParts } from "../answer.ts";
import type { Door, Inside } from "../door.ts";
import { sessionsPage } from "./sessions-page.ts";

/** Who is in: everybody their own, operators all; each can be ended. */
export interface SessionsView {
  readonly sessions: readonly (OpenSession & { readonly isThis: boolean })[];
  readonly isAll: boolean;
  readonly now: number;
}

export function sessionsRoom(rooms: Hono<Inside>, parts: RoomParts & Door): void {
  rooms.get("/sessions", (context) =>
    answer(context, parts, {
      title: "Sessions",
      at: "none",
      isLive: false,
      view: () => viewOf(context, parts),
      body: (view) => sessionsPage(view, csrfOf(context)),
    }),
  );
  rooms.post("/sessions/end-all", async (context) => {
    const owner = ownerIn(context);
    if (owner === undefined) return await nothingHere(context, parts);
    return await ended(context, await parts.sessions.endWebSessionsOf(owner));
  });
  rooms.post("/sessions/:id", async (context) => {
    const owner = ownerIn(context);
    const id = context.req.param("id");
    const count = owner === undefined ? 0 : await parts.sessions.endWebSessionsOf(owner, id);
    return count === 0 ? await nothingHere(context, parts) : await ended(context, count);
  });
}

/** Whose sessions they may see and end; a program has none, and sees others' only as an operator. */
function ownerIn(context: Asked) {
  const { viewer, owner } = context.get("session");
  return viewer.rights === "operator" ? {} : owner;
}

async function viewOf(context: Asked, { sessions, now }: Door): Promise<SessionsView> {
  const { id } = context.get("session");
  const owner = ownerIn(context);
  const found = owner === undefined ? [] : await sessions.webSessions(owner, now());
  return {
    sessions: found.map((one) => ({ ...one, isThis: one.id === id })),
    isAll: viewerOf(context).rights === "operator",
    now: now(),
  };
}

const ended = async (context: Asked, count: number): Promise<Response> =>
  wantsJson(context) ? context.json({ ended: count }) : context.redirect("/sessions", 303);
