import type { Hono } from "hono";
import {
  orderNames,
  type OrderAnswer,
  type OrderName,
  type OrderSeen,
  type TicketPage,
} from "../../ports-dashboard.ts";
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
import { oneLine } from "../words.ts";
import { diffPage } from "./diff-page.ts";
import type { Draft } from "./order-forms.ts";
import { logAssets, type LogSectionOptions } from "./session-log-page.ts";
import { logOrderOf } from "./session-log.ts";
import { ticketPage, ticketPath, type Told } from "./ticket-page.ts";

/** One ticket, its change, and what may be done there. */
export function ticketRoom(rooms: Hono<Inside>, parts: RoomParts): void {
  rooms.get("/tickets/:id", (context) => showTicket(context, parts, context.req.param("id"), undefined));
  rooms.get("/tickets/:id/diff", (context) => showDiff(context, parts, context.req.param("id")));
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
  const ask = { before: numberIn(context, "before") };
  return await answer(context, parts, {
    title: (seen) => seen.view.ref,
    at: "none",
    status: told?.is === "refused" ? 409 : 200,
    // Older lines are of the past, and stay as they are.
    isLive: ask.before === undefined,
    view: async () => {
      const ticket = await parts.dashboard.ticket(viewerOf(context), name, ask);
      const log = ticket && !wantsJson(context) ? await logAtWork(context, parts, ticket) : undefined;
      return ticket && { ...ticket, log, told: told && { is: told.is, text: told.text } };
    },
    body: ({ log, ...ticket }) => ticketPage(ticket, { csrf: csrfOf(context), told, log }),
    assets: ["ticket.css", "orders.js", ...logAssets],
  });
}

/** What the agent says that is at work for it; nothing where nobody is. */
async function logAtWork(
  context: Asked,
  { dashboard }: RoomParts,
  { id, sessions }: TicketPage,
): Promise<LogSectionOptions | undefined> {
  const session = sessions.findLast(({ endedAt }) => endedAt === undefined);
  if (session === undefined) return undefined;
  const order = logOrderOf(context);
  const part = await dashboard.logs.read(viewerOf(context), String(session.id), order);
  return part && { part, order, path: ticketPath(id) };
}

/** A whole number that the address asks for; undefined for anything else. */
function numberIn(context: Asked, key: string): number | undefined {
  const text = context.req.query(key) ?? "";
  return /^\d{1,15}$/u.test(text) ? Number(text) : undefined;
}

async function showDiff(context: Asked, parts: RoomParts, name: string): Promise<Response> {
  const ask = { round: numberIn(context, "round"), since: numberIn(context, "since") };
  return await answer(context, parts, {
    title: ({ ref }) => `${ref} diff`,
    at: "none",
    isLive: false,
    view: () => parts.dashboard.diff(viewerOf(context), name, ask),
    body: diffPage,
    assets: ["ticket.css"],
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
  const draft = draftIn(order, form);
  const given = await parts.commands.give(viewerOf(context), {
    ticket,
    seen: Number(form["seen"]),
    ...draft,
  });
  if (given.is === "unknown") return await nothingHere(context, parts);
  if (given.is === "forbidden") return await notYours(context, parts, mayOnlyLook);
  // What was taken is not asked again by a reload.
  if (given.is === "taken" && !wantsJson(context))
    return context.redirect(form["from"] === "waiting" ? "/" : ticketPath(ticket), 303);
  return await showTicket(context, parts, ticket, { ...toldOf(order, given), draft });
}

function draftIn(order: OrderName, form: Readonly<Record<string, unknown>>): Draft {
  const { text, usd } = form;
  return {
    order,
    // Browsers send line ends as a form has them.
    ...(typeof text === "string" ? { text: text.replaceAll("\r\n", "\n") } : {}),
    ...(typeof usd === "string" && usd.trim() !== "" ? { usd: Number(usd) } : {}),
  };
}

async function takeHalt(context: Asked, parts: RoomParts, is: "raised" | "lifted"): Promise<Response> {
  const ticket = context.req.param("id") ?? "";
  const said = await parts.commands.halt(viewerOf(context), ticket, is);
  if (said === "unknown") return await nothingHere(context, parts);
  if (said === "forbidden") return await notYours(context, parts, mayOnlyLook);
  if (said === "said" && !wantsJson(context)) return context.redirect(ticketPath(ticket), 303);
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
        text: `Not done: ${seenWords(given.last)}the ticket went on while you were reading and is in ${boardName(given.state)} now. This is how it stands; press again if you still want it.`,
      };
    case "impossible":
      return { is: "refused", text: `Not done: in ${boardName(given.state)} there is nothing to ${order}.` };
    case "unclear":
      return { is: "refused", text: `Not done: ${given.why}.` };
  }
}

const seenWords = (last: OrderSeen | undefined): string =>
  last === undefined ? "" : `${oneLine(last.by, 80)} was first (${oneLine(last.what, 200)}); `;
