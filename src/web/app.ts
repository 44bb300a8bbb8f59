/** The dashboard: pages, the same as JSON, a stream of what changes, and orders. Everything but `/enter` and `/login` wants a session. */
import { Hono, type Context } from "hono";
import { html } from "hono/html";
import { streamSSE } from "hono/streaming";
import type { Commands, Dashboard, OrderAnswer, OrderName } from "../ports-dashboard.ts";
import { orderNames } from "../ports-dashboard.ts";
import { boardName } from "../says.ts";
import { assetsRoute } from "./assets.ts";
import { boardPage, waitingPage, waitingRows } from "./board-page.ts";
import { enter, guard, headers, knownHost, leave, type DoorOptions, type Inside } from "./door.ts";
import { loginPage } from "./login-page.ts";
import { page } from "./page.ts";
import { openPulse, type Pulse } from "./pulse.ts";
import { ticketPage, type Told } from "./ticket-page.ts";
import type { Html } from "./words.ts";

export interface WebOptions extends DoorOptions {
  readonly dashboard: Dashboard;
  readonly commands: Commands;
}
export interface Web {
  readonly app: Hono;
  /** Ends the streams that are open. */
  stop(): void;
}

/** A stream says that it is alive this often, so that nothing between us and the browser closes it. */
const breathMs = 15_000;

export function createWeb(options: WebOptions): Web {
  const { dashboard } = options;
  const pulse = openPulse(() => dashboard.position());
  const app = new Hono();
  app.use(knownHost(options), headers);
  app.get("/enter", enter(options));
  app.get("/login", (context) => login(context, 200, "This dashboard is for whoever runs forgehand."));
  app.route("/assets", assetsRoute());
  app.route("/", inside(options, pulse));
  return { app, stop: pulse.stop };
}

const wantsJson = (context: Context): boolean =>
  (context.req.header("accept") ?? "").split(",").some((type) => type.trim().startsWith("application/json"));

const login = (context: Context, status: 200 | 401 | 403, why: string): Response | Promise<Response> =>
  wantsJson(context)
    ? context.json({ error: why }, status)
    : context.html(
        page({
          title: "Come in",
          waiting: 0,
          at: "none",
          position: undefined,
          csrf: undefined,
          who: undefined,
          body: loginPage(why),
        }),
        status,
      );

function inside(options: WebOptions, pulse: Pulse): Hono<Inside> {
  const { dashboard } = options;
  const rooms = new Hono<Inside>();
  rooms.use(guard(options, (context, status, why) => login(context, status, `${why}.`)));
  rooms.get("/", async (context) => {
    const position = await dashboard.position();
    const view = await dashboard.board();
    const rows = waitingRows(view);
    if (wantsJson(context)) return context.json({ ...view, rows });
    return await show(
      context,
      { title: "Waiting", at: "waiting", position, waiting: rows.length },
      waitingPage(view, context.get("session").csrf),
    );
  });
  rooms.get("/board", async (context) => {
    const position = await dashboard.position();
    const view = await dashboard.board();
    if (wantsJson(context)) return context.json(view);
    const waiting = waitingRows(view).length;
    return await show(
      context,
      { title: "Board", at: "board", position, waiting },
      boardPage(view, context.get("session").csrf),
    );
  });
  rooms.get("/tickets/:id", (context) => showTicket(context, options, context.req.param("id"), undefined));
  for (const [path, is] of [
    ["halt", "raised"],
    ["unhalt", "lifted"],
  ] as const) {
    rooms.post(`/${path}-all`, async (context) => {
      await options.commands.haltAll(is, context.get("session").who);
      return wantsJson(context) ? context.json({ is }) : context.redirect("/board", 303);
    });
    rooms.post(`/tickets/:id/${path}`, (context) => takeHalt(context, options, is));
  }
  rooms.post("/tickets/:id/:order", (context) => takeOrder(context, options));
  rooms.post("/leave", leave(options));
  rooms.get("/events", (context) => {
    const since = Number(context.req.header("last-event-id") ?? context.req.query("since") ?? "0");
    return streamSSE(context, async (stream) => {
      let told = Number.isSafeInteger(since) ? since : 0;
      while (!stream.aborted && !stream.closed) {
        const position = await pulse.beyond(told, breathMs);
        if (position === "stopped") return;
        if (position === undefined) await stream.write(": \n\n");
        else {
          told = position;
          await stream.writeSSE({ event: "changed", id: String(position), data: String(position) });
        }
      }
    });
  });
  rooms.all("*", (context) => nothingHere(context, options));
  return rooms;
}

interface Around {
  readonly title: string;
  readonly at: "waiting" | "board" | "ticket" | "none";
  readonly position: number | undefined;
  readonly waiting: number;
}

const show = async (
  context: Context<Inside>,
  around: Around,
  body: Html,
  status: 200 | 404 | 409 = 200,
): Promise<Response> => {
  const { who, csrf } = context.get("session");
  return await context.html(page({ ...around, who, csrf, body }), status);
};

async function showTicket(
  context: Context<Inside>,
  { dashboard }: WebOptions,
  name: string,
  told: Told | undefined,
): Promise<Response> {
  const position = await dashboard.position();
  const ticket = await dashboard.ticket(name);
  if (ticket === undefined) return await nothingHere(context, { dashboard });
  const status = told?.is === "refused" ? 409 : 200;
  if (wantsJson(context)) return context.json(told === undefined ? ticket : { ...ticket, told }, status);
  const waiting = waitingRows(await dashboard.board()).length;
  const body = ticketPage(ticket, context.get("session").csrf, told);
  return await show(context, { title: ticket.view.ref, at: "ticket", position, waiting }, body, status);
}

async function nothingHere(
  context: Context<Inside>,
  { dashboard }: Pick<WebOptions, "dashboard">,
): Promise<Response> {
  if (wantsJson(context)) return context.json({ error: "there is no such page" }, 404);
  const waiting = waitingRows(await dashboard.board()).length;
  const body = html`<div class="head"><h1>Nothing here</h1></div>
    <p>
      There is no such page or ticket. Everything that is open stands on the <a href="/board">board</a>.
    </p>`;
  return await show(context, { title: "Nothing here", at: "none", position: undefined, waiting }, body, 404);
}

const isOrder = (text: string): text is OrderName => orderNames.some((name) => name === text);

async function takeOrder(context: Context<Inside>, options: WebOptions): Promise<Response> {
  const order = context.req.param("order") ?? "";
  const ticket = context.req.param("id") ?? "";
  if (!isOrder(order)) return await nothingHere(context, options);
  const form = await context.req.parseBody();
  const seen = Number(form["seen"]);
  const answer = await options.commands.give({ ticket, order, by: context.get("session").who, seen });
  if (answer.is === "unknown") return await nothingHere(context, options);
  const told = toldOf(order, answer);
  // What was taken is not asked again by a reload.
  if (answer.is === "taken" && !wantsJson(context))
    return context.redirect(`/tickets/${encodeURIComponent(ticket)}`, 303);
  return await showTicket(context, options, ticket, told);
}

async function takeHalt(
  context: Context<Inside>,
  options: WebOptions,
  is: "raised" | "lifted",
): Promise<Response> {
  const ticket = context.req.param("id") ?? "";
  const answer = await options.commands.halt(ticket, is, context.get("session").who);
  if (answer === "unknown") return await nothingHere(context, options);
  if (answer === "said" && !wantsJson(context))
    return context.redirect(`/tickets/${encodeURIComponent(ticket)}`, 303);
  const told: Told =
    answer === "said"
      ? { is: "done", text: is === "raised" ? "It is halted." : "The halt is lifted." }
      : { is: "refused", text: "Not done: no operator halted it; a label is lifted by taking it off." };
  return await showTicket(context, options, ticket, told);
}

function toldOf(order: OrderName, answer: Exclude<OrderAnswer, { readonly is: "unknown" }>): Told {
  switch (answer.is) {
    case "taken":
      return { is: "done", text: `Taken: ${order}. It goes to ${boardName(answer.to)}.` };
    case "stale":
      return {
        is: "refused",
        text: `Not done: the ticket went on while you were reading and is in ${boardName(answer.state)} now. This is how it stands; press again if you still want it.`,
      };
    case "impossible":
      return { is: "refused", text: `Not done: in ${boardName(answer.state)} there is nothing to ${order}.` };
  }
}
