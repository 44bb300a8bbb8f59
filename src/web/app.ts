/** The dashboard: pages, the same as JSON, a stream of what changes, and orders. Everything but `/enter`, `/login` and `/assets` wants a session. */
import { Hono, type Context } from "hono";
import { nothingHere, wantsJson, type RoomParts } from "./answer.ts";
import { assetsRoute } from "./assets.ts";
import { enter, guard, headers, knownHost, leave, type DoorOptions, type Inside } from "./door.ts";
import { frame } from "./frame.ts";
import { loginPage } from "./login-page.ts";
import { openPulse, type Pulse } from "./pulse.ts";
import { boardRoom } from "./rooms/board.ts";
import { costsRoom } from "./rooms/costs.ts";
import { findRoom } from "./rooms/find.ts";
import { historyRoom } from "./rooms/history.ts";
import { streamRoom } from "./rooms/stream.ts";
import { ticketRoom } from "./rooms/ticket.ts";

export interface WebOptions extends DoorOptions, RoomParts {}
export interface Web {
  readonly app: Hono;
  /** Ends the streams that are open. */
  stop(): void;
}

export function createWeb(options: WebOptions): Web {
  const pulse = openPulse(() => options.dashboard.position());
  const app = new Hono();
  app.use(headers, knownHost(options));
  app.get("/enter", enter(options));
  app.get("/login", (context) => login(context, 200, "This dashboard is for whoever runs forgehand."));
  app.route("/assets", assetsRoute());
  app.route("/", inside(options, pulse));
  return { app, stop: pulse.stop };
}

const login = (context: Context, status: 200 | 400 | 401 | 403, why: string): Response | Promise<Response> =>
  wantsJson(context)
    ? context.json({ error: why }, status)
    : context.html(
        frame({
          title: "Come in",
          waiting: 0,
          at: "none",
          position: undefined,
          csrf: undefined,
          who: undefined,
          assets: [],
          body: loginPage(why),
        }),
        status,
      );

function inside(options: WebOptions, pulse: Pulse): Hono<Inside> {
  const rooms = new Hono<Inside>();
  rooms.use(guard(options, (context, status, why) => login(context, status, `${why}.`)));
  boardRoom(rooms, options);
  ticketRoom(rooms, options);
  findRoom(rooms, options);
  streamRoom(rooms, options, pulse);
  historyRoom(rooms, options, options.now);
  costsRoom(rooms, options, options.now);
  rooms.post("/leave", leave(options));
  rooms.all("*", (context) => nothingHere(context, options));
  return rooms;
}
