import { html } from "hono/html";
import { answer, type Asked, type RoomParts } from "./answer.ts";
import type { Place } from "./frame.ts";

/** What was asked for in the address is nothing that can be shown. */
export const wrongPage = async (
  context: Asked,
  parts: Pick<RoomParts, "dashboard">,
  at: Place,
  why: string,
): Promise<Response> =>
  await answer(context, parts, {
    title: "Not understood",
    at,
    status: 400,
    isLive: false,
    view: async () => ({ error: why }),
    body: () =>
      html`<div class="head"><h1>Not understood</h1></div>
        <p>${why}</p>`,
  });
