/** `GET /find?q=`: tickets by words of their names; a page by itself, and what the palette of `Ctrl-K` asks. */
import type { Hono } from "hono";
import { html } from "hono/html";
import type { FoundTicket } from "../../ports-dashboard.ts";
import { answer, viewerOf, type RoomParts } from "../answer.ts";
import type { Inside } from "../door.ts";
import { stateWord, type Html } from "../words.ts";

/** Nobody types more to find something. */
const mostWords = 200;

export function findRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  rooms.get("/find", async (context) => {
    const words = (context.req.query("q") ?? "").slice(0, mostWords);
    return await answer(context, parts, {
      title: "Find",
      at: "none",
      isLive: false,
      view: async () => ({
        words,
        tickets: (await parts.dashboard.find(viewerOf(context), words)).map((found) => ({
          ...found,
          path: pathOf(found),
        })),
      }),
      body: ({ tickets }) => findPage(words, tickets),
    });
  });
}

const pathOf = ({ id }: FoundTicket): string => `/tickets/${encodeURIComponent(id)}`;

function findPage(words: string, tickets: readonly FoundTicket[]): Html {
  return html`<div class="head">
      <h1>Find</h1>
      <form action="/find" role="search">
        <input type="search" name="q" value="${words}" aria-label="Words of a ticket's name or title" />
        <button>Find</button>
      </form>
    </div>
    ${
      tickets.length === 0
        ? html`<p class="empty">No ticket has these words in its name or title.</p>`
        : html`<ul class="found">
            ${tickets.map(
              (found) =>
                html`<li data-row>
                  <a href="${pathOf(found)}">${found.ref}</a> ${found.title} ${stateWord(found.state)}
                </li>`,
            )}
          </ul>`
    }`;
}
