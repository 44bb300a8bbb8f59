/** How every page answers: the view as JSON to whoever asks for that, else as a page around it. */
import { html } from "hono/html";
import type { Context } from "hono";
import type { Commands, Dashboard, Viewer } from "../ports-dashboard.ts";
import { bearerIn } from "./bearer.ts";
import type { Inside } from "./door.ts";
import { frame, type Place } from "./frame.ts";
import type { Html } from "./words.ts";

/** What every room is made with. */
export interface RoomParts {
  readonly dashboard: Dashboard;
  readonly commands: Commands;
}
/** Handed to every handler behind the door. */
export type Asked = Context<Inside>;

/** Whoever says so, and a program with a token that says nothing of pages. */
export function wantsJson(context: Context): boolean {
  const types = (context.req.header("accept") ?? "").split(",").map((type) => type.trim());
  return (
    types.some((type) => type.startsWith("application/json")) ||
    (bearerIn(context) !== undefined && !types.some((type) => type.startsWith("text/html")))
  );
}

export const viewerOf = (context: Asked): Viewer => context.get("session").viewer;
export const csrfOf = (context: Asked): string => context.get("session").csrf;

export interface Answered<View> {
  readonly title: string;
  readonly at: Place;
  readonly status?: 200 | 400 | 403 | 404 | 409 | undefined;
  /** Read after the position, so that nothing newer is missed. */
  readonly view: () => Promise<View>;
  readonly body: (view: View) => Html;
  /** Follows what happens; a page of the past need not. */
  readonly isLive?: boolean | undefined;
  /** Scripts and styles of this page alone, by the names they are served by. */
  readonly assets?: readonly string[] | undefined;
}

/** One view, as a page or as JSON. */
export async function answer<View>(
  context: Asked,
  { dashboard }: Pick<RoomParts, "dashboard">,
  { title, at, status = 200, view, body, isLive = true, assets = [] }: Answered<View>,
): Promise<Response> {
  if (wantsJson(context)) return context.json(await view(), status);
  const position = await dashboard.position();
  const seen = await view();
  const { viewer, csrf } = context.get("session");
  return await context.html(
    frame({
      title,
      at,
      waiting: await dashboard.waitingCount(viewer),
      position: isLive ? position : undefined,
      csrf,
      who: viewer.who,
      assets,
      body: body(seen),
    }),
    status,
  );
}

/** Whatever is not there, and whatever this viewer may not know of. */
export const nothingHere = async (context: Asked, parts: Pick<RoomParts, "dashboard">): Promise<Response> =>
  await answer(context, parts, {
    title: "Nothing here",
    at: "none",
    status: 404,
    isLive: false,
    view: async () => ({ error: "there is no such page" }),
    body: () =>
      html`<div class="head"><h1>Nothing here</h1></div>
        <p>
          There is no such page or ticket. Everything that is open stands on the <a href="/board">board</a>.
        </p>`,
  });

/** They may look at it and not do that. */
export const notYours = async (
  context: Asked,
  parts: Pick<RoomParts, "dashboard">,
  why: string,
): Promise<Response> =>
  await answer(context, parts, {
    title: "Not yours to do",
    at: "none",
    status: 403,
    isLive: false,
    view: async () => ({ error: why }),
    body: () =>
      html`<div class="head"><h1>Not yours to do</h1></div>
        <p>${why}</p>`,
  });
