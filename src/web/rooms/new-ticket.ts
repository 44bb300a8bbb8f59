/** `/tickets/new`: a ticket written on a page, where tickets are files of this host. */
import type { Hono } from "hono";
import { html } from "hono/html";
import type { NewTicket } from "../../ports-dashboard.ts";
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
import type { DoorOptions, Inside } from "../door.ts";
import type { Html } from "../words.ts";

export interface NewTicketParts extends RoomParts, Pick<DoorOptions, "secret"> {}

export function newTicketRoom(rooms: Hono<Inside>, parts: NewTicketParts): void {
  rooms.get("/tickets/new", async (context) =>
    parts.commands.newTicket === undefined
      ? await nothingHere(context, parts)
      : await showForm(context, parts, { key: parts.secret() }),
  );
  rooms.post("/tickets/new", (context) => write(context, parts));
}

interface Shown extends Partial<NewTicket> {
  readonly key: string;
  /** Why it was not written. */
  readonly why?: string | undefined;
  /** That was written just now. */
  readonly made?: { readonly id: string; readonly number: number } | undefined;
}

async function showForm(context: Asked, parts: NewTicketParts, shown: Shown): Promise<Response> {
  return await answer(context, parts, {
    title: "New ticket",
    at: "none",
    status: shown.why === undefined ? 200 : 400,
    isLive: false,
    view: async () => (shown.why === undefined ? { made: shown.made } : { error: shown.why }),
    body: () => formPage(shown, csrfOf(context)),
    assets: ["ticket.css"],
  });
}

async function write(context: Asked, parts: NewTicketParts): Promise<Response> {
  const { newTicket } = parts.commands;
  if (newTicket === undefined) return await nothingHere(context, parts);
  const ticket = ticketIn(await context.req.parseBody());
  const given = await newTicket(viewerOf(context), ticket);
  switch (given.is) {
    case "forbidden":
      return await notYours(context, parts, "Only who may push to this repository writes tickets for it.");
    case "unclear":
      return await showForm(context, parts, { ...ticket, why: given.why });
    case "written":
      return wantsJson(context)
        ? context.json(given, 201)
        : await showForm(context, parts, { key: parts.secret(), made: given });
  }
}

const textIn = (value: unknown): string => (typeof value === "string" ? value.replaceAll("\r\n", "\n") : "");

const ticketIn = (form: Readonly<Record<string, unknown>>): NewTicket => ({
  key: textIn(form["key"]),
  title: textIn(form["title"]),
  body: textIn(form["body"]),
  labels: textIn(form["labels"])
    .split(",")
    .map((label) => label.trim())
    .filter((label) => label !== ""),
  starts: form["starts"] === "now" ? "now" : "later",
});

function formPage(
  { key, title = "", body = "", labels = [], starts = "later", why, made }: Shown,
  csrf: string,
): Html {
  return html`<div class="head"><h1>New ticket</h1></div>
    ${why === undefined ? html`` : html`<p class="alarm" role="status">Not written: ${why}.</p>`}
    ${
      made === undefined
        ? html``
        : html`<p class="told" role="status">
            Ticket #${made.number} is written.
            <a href="/tickets/${encodeURIComponent(made.id)}">Its page</a> is there within a second or two.
          </p>`
    }
    <form method="post" action="/tickets/new" class="writing">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="key" value="${key}" />
      <label for="new-title">Title: what is to be done</label>
      <input id="new-title" name="title" required maxlength="250" autocomplete="off" value="${title}" />
      <label for="new-body">Text: where, what, and how somebody sees that it is done</label>
      <textarea id="new-body" name="body" rows="10" maxlength="60000">${body}</textarea>
      <label for="new-labels">Labels, separated by commas</label>
      <input id="new-labels" name="labels" maxlength="1000" autocomplete="off" value="${labels.join(", ")}" />
      <label class="check"
        ><input type="checkbox" name="starts" value="now" ${starts === "now" ? html`checked` : html``} />
        Start now: release it as it reads here</label
      >
      <button class="main">Write it down</button>
    </form>`;
}
