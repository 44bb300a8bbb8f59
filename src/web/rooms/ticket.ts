import type { Hono } from "hono";
import { orderNames, type OrderAnswer, type OrderName } from "../../ports-dashboard.ts";
import { boardName } from "../../says.ts";
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
import { ticketPage, type Told } from "./ticket-page.ts";

/** One ticket, and what may be done with it there. */
export function ticketRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  rooms.get("/tickets/:id", (context) => showTicket(context, parts, context.req.param("id"), undefined));
  rooms.post("/tickets/:id/halt", (context) => takeHalt(context, parts, "raised"));
  rooms.post("/tickets/:id/unhalt", (context) => takeHalt(context, parts, "lifted"));
  rooms.post("/tickets/:id/:order", (context) => takeOrder(context, parts));
}

async function showTicket(
  context: Asked,
  parts: RoomParts,
  name: string,
  told: Told | undefined,
): Promise<Response> {
  const ticket = await parts.dashboard.ticket(viewerOf(context), name);
  if (ticket === undefined) return await nothingHere(context, parts);
  return await answer(context, parts, {
    title: ticket.view.ref,
    at: "none",
    status: told?.is === "refused" ? 409 : 200,
    view: async () => {
      const now = (await parts.dashboard.ticket(viewerOf(context), ticket.id)) ?? ticket;
      return told === undefined ? now : { ...now, told };
    },
    body: (now) => ticketPage(now, csrfOf(context), told),
  });
}

const isOrder = (text: string): text is OrderName => orderNames.some((name) => name === text);
const mayOnlyLook =
  "You may look at this ticket; to act on it you need to be able to push to its repository.";

async function takeOrder(context: Asked, parts: RoomParts): Promise<Response> {
  const order = context.req.param("order") ?? "";
  const ticket = context.req.param("id") ?? "";
  if (!isOrder(order)) return await nothingHere(context, parts);
  const form = await context.req.parseBody();
  const seen = Number(form["seen"]);
  const given = await parts.commands.give(viewerOf(context), { ticket, order, seen });
  if (given.is === "unknown") return await nothingHere(context, parts);
  if (given.is === "forbidden") return await notYours(context, parts, mayOnlyLook);
  const told = toldOf(order, given);
  // What was taken is not asked again by a reload.
  if (given.is === "taken" && !wantsJson(context))
    return context.redirect(`/tickets/${encodeURIComponent(ticket)}`, 303);
  return await showTicket(context, parts, ticket, told);
}

async function takeHalt(context: Asked, parts: RoomParts, is: "raised" | "lifted"): Promise<Response> {
  const ticket = context.req.param("id") ?? "";
  const said = await parts.commands.halt(viewerOf(context), ticket, is);
  if (said === "unknown") return await nothingHere(context, parts);
  if (said === "forbidden") return await notYours(context, parts, mayOnlyLook);
  if (said === "said" && !wantsJson(context))
    return context.redirect(`/tickets/${encodeURIComponent(ticket)}`, 303);
  const told: Told =
    said === "said"
      ? { is: "done", text: is === "raised" ? "It is halted." : "The halt is lifted." }
      : {
          is: "refused",
          text: "Not done: no operator halted it, or only an operator may lift that; a label is lifted by taking it off.",
        };
  return await showTicket(context, parts, ticket, told);
}

function toldOf(
  order: OrderName,
  given: Exclude<OrderAnswer, { readonly is: "unknown" | "forbidden" }>,
): Told {
  switch (given.is) {
    case "taken":
      return { is: "done", text: `Taken: ${order}. It goes to ${boardName(given.to)}.` };
    case "stale":
      return {
        is: "refused",
        text: `Not done: the ticket went on while you were reading and is in ${boardName(given.state)} now. This is how it stands; press again if you still want it.`,
      };
    case "impossible":
      return { is: "refused", text: `Not done: in ${boardName(given.state)} there is nothing to ${order}.` };
  }
}
