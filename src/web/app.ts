/** The dashboard: pages, the same as JSON, a stream of what changes, and orders. Everything but `/enter`, `/login` and `/assets` wants a session. */
import { Hono, type Context } from "hono";
import { nothingHere, wantsJson, type RoomParts } from "./answer.ts";
import { assetsRoute } from "./assets.ts";
import { maxFailures, maxOrders, openAttempts } from "./attempts.ts";
import { enter, guard, headers, knownHost, leave, type Door, type DoorOptions, type Inside } from "./door.ts";
import { frame } from "./frame.ts";
import { loginRoutes, type Refusing } from "./login.ts";
import { loginPage, onward } from "./login-page.ts";
import { nextOf, safeNext } from "./next.ts";
import { openPulse, type Pulse } from "./pulse.ts";
import { boardRoom } from "./rooms/board.ts";
import { costsRoom } from "./rooms/costs.ts";
import { findRoom } from "./rooms/find.ts";
import { historyRoom } from "./rooms/history.ts";
import { sessionsRoom } from "./rooms/sessions.ts";
import { streamRoom } from "./rooms/stream.ts";
import { ticketRoom } from "./rooms/ticket.ts";

export interface WebOptions extends DoorOptions, RoomParts {}
export interface Web {
  readonly app: Hono;
  /** Ends the streams that are open. */
  stop(): void;
}

export function createWeb(given: WebOptions): Web {
  const options = {
    ...given,
    attempts: openAttempts(given.now, maxFailures),
    orders: openAttempts(given.now, maxOrders),
  };
  const pulse = openPulse(() => options.dashboard.position());
  const app = new Hono();
  app.use(headers, knownHost(options));
  app.get("/enter", enter(options));
  const refused = refusing(options);
  app.get("/login", (context) =>
    login(options, context, {
      status: 200,
      why:
        reasons[context.req.query("why") ?? ""] ??
        "This dashboard is for whoever runs forgehand, and for people of its repositories.",
      next: safeNext(context.req.query("next")),
    }),
  );
  app.route("/login", loginRoutes(options, refused));
  app.route("/assets", assetsRoute());
  app.route("/", inside(options, pulse, refused));
  return { app, stop: pulse.stop };
}

const reasons: Readonly<Record<string, string>> = {
  used: "This link was used before, or is too old.",
  often: "Too many links failed from there; try again in a minute.",
};

interface Told {
  readonly status: 200 | 400 | 401 | 403 | 429 | 503;
  readonly why: string;
  readonly next: string;
}
function login(
  door: DoorOptions,
  context: Context,
  { status, why, next }: Told,
): Response | Promise<Response> {
  if (wantsJson(context)) return context.json({ error: why }, status);
  const offersForge = door.login !== undefined && door.publicUrl !== undefined;
  return context.html(
    frame({
      title: "Come in",
      waiting: 0,
      at: "none",
      position: undefined,
      csrf: undefined,
      who: undefined,
      assets: [],
      body: loginPage({ why, next, offersForge }),
    }),
    status,
  );
}

/** Says why, and how to come in and back to where they were. */
const refusing =
  (door: DoorOptions): Refusing =>
  (context, status, why) => {
    const next = nextOf(context);
    const header = (name: string): string | undefined => context.req.header(name);
    const isFromElsewhere =
      context.req.method === "GET" && /^(?:cross|same)-site$/u.test(header("sec-fetch-site") ?? "");
    // A link elsewhere led here: the browser brings the session along from a page of ours alone.
    if (status === 401 && isFromElsewhere && header("sec-fetch-mode") === "navigate")
      return context.html(onward(next), status);
    // What was to become a part of a page: the whole page goes where one comes in.
    if (header("hx-request") !== undefined)
      context.header("hx-redirect", `/login?next=${encodeURIComponent(next)}`);
    return login(door, context, { status, why: `${why}.`, next });
  };

function inside(options: WebOptions & Door, pulse: Pulse, refused: Refusing): Hono<Inside> {
  const rooms = new Hono<Inside>();
  rooms.use(guard(options, refused));
  boardRoom(rooms, options);
  ticketRoom(rooms, options);
  findRoom(rooms, options);
  streamRoom(rooms, options, pulse);
  historyRoom(rooms, options, options.now);
  costsRoom(rooms, options, options.now);
  sessionsRoom(rooms, options);
  rooms.post("/leave", leave(options));
  rooms.all("*", (context) => nothingHere(context, options));
  return rooms;
}
