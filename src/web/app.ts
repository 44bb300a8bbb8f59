/** The dashboard: pages, the same as JSON, a stream of what changes, and orders. Everything but `/enter`, `/login` and `/assets` wants a session. */
import { Hono, type Context } from "hono";
import { nothingHere, wantsJson, type RoomParts } from "./answer.ts";
import { operationsOf } from "./api/operations.ts";
import { isBusy, refusals } from "./api/refusals.ts";
import { apiRoom } from "./api/room.ts";
import { assetsRoute } from "./assets.ts";
import { openAttempts } from "./attempts.ts";
import { busyPage, failedPage } from "./busy-page.ts";
import { enter, guard, headers, knownHost, leave, type Door, type DoorOptions, type Inside } from "./door.ts";
import { frame } from "./frame.ts";
import { loginPage } from "./login-page.ts";
import { openPulse, type Pulse } from "./pulse.ts";
import { boardRoom } from "./rooms/board.ts";
import { streamRoom } from "./rooms/stream.ts";
import { ticketRoom } from "./rooms/ticket.ts";

export interface WebOptions extends DoorOptions, RoomParts {
  /** Told of what failed here and is nobody's fault outside. */
  readonly failed?: ((error: unknown, request: Asked) => void) | undefined;
}
interface Asked {
  readonly method: string;
  readonly path: string;
}
export interface Web {
  readonly app: Hono;
  /** Ends the streams that are open. */
  stop(): void;
}

export function createWeb(given: WebOptions): Web {
  const options = { ...given, attempts: openAttempts(given.now) };
  const pulse = openPulse(() => options.dashboard.position());
  const app = new Hono();
  app.onError((error, context) => troubled(error, context, options));
  app.use(headers, knownHost(options));
  app.get("/enter", enter(options));
  app.get("/login", (context) => login(context, 200, "This dashboard is for whoever runs forgehand."));
  app.route("/assets", assetsRoute());
  app.route("/api/v1", api(options, pulse));
  app.route("/", inside(options, pulse));
  return { app, stop: pulse.stop };
}

function api(options: WebOptions & Door, pulse: Pulse): Hono<Inside> {
  let made: Promise<object> | undefined;
  const operations = operationsOf({
    ...options,
    door: options,
    pulse,
    // Loaded when somebody asks for it.
    document: () => (made ??= import("./api/document.ts").then(({ documentOf }) => documentOf(operations))),
  });
  return apiRoom({
    door: options,
    operations,
    failed: (error, { req }) => options.failed?.(error, { method: req.method, path: req.path }),
  });
}

/** The database busy for a moment is no fault; anything else is ours, and its words are for the log. */
function troubled(error: unknown, context: Context, { failed }: WebOptions): Response | Promise<Response> {
  const status = isBusy(error) ? 503 : 500;
  if (status === 500) failed?.(error, { method: context.req.method, path: context.req.path });
  else context.header("retry-after", "2");
  if (wantsJson(context)) return context.json({ error: refusals[status][1] }, status);
  return context.html(status === 503 ? busyPage() : failedPage(), status);
}

const login = (
  context: Context,
  status: 200 | 400 | 401 | 403 | 429,
  why: string,
): Response | Promise<Response> =>
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

function inside(options: WebOptions & Door, pulse: Pulse): Hono<Inside> {
  const rooms = new Hono<Inside>();
  rooms.use(guard(options, (context, status, why) => login(context, status, `${why}.`)));
  boardRoom(rooms, options);
  ticketRoom(rooms, options);
  streamRoom(rooms, options, pulse);
  rooms.post("/leave", leave(options));
  rooms.all("*", (context) => nothingHere(context, options));
  return rooms;
}
