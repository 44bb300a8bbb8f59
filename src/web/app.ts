/** The dashboard: pages, the same as JSON, a stream of what changes, and orders. Everything but `/enter`, `/login` and `/assets` wants a session. */
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { nothingHere, wantsJson, type RoomParts } from "./answer.ts";
import { operationsOf } from "./api/operations.ts";
import { isBusy, refusals } from "./api/refusals.ts";
import { apiRoom } from "./api/room.ts";
import { assetsRoute } from "./assets.ts";
import { maxFailures, maxOrders, openAttempts } from "./attempts.ts";
import { busyPage, failedPage } from "./busy-page.ts";
import {
  enter,
  guard,
  headers,
  knownHost,
  leave,
  maxFormBytes,
  requireScope,
  type Door,
  type DoorOptions,
  type Inside,
} from "./door.ts";
import { frame } from "./frame.ts";
import { loginRoutes, type Refusing } from "./login.ts";
import { loginPage, onward } from "./login-page.ts";
import { nextOf, safeNext } from "./next.ts";
import { openPulse, type Pulse } from "./pulse.ts";
import { boardRoom } from "./rooms/board.ts";
import { newTicketRoom } from "./rooms/new-ticket.ts";
import { healthRoom } from "./rooms/health.ts";
import { ledgerRoom } from "./rooms/ledger.ts";
import { repositoriesRoom } from "./rooms/repositories.ts";
import { webhooksRoom } from "./rooms/webhooks.ts";
import { findRoom } from "./rooms/find.ts";
import { runsRoom } from "./rooms/runs.ts";
import { sessionLogRoom } from "./rooms/session-log.ts";
import { costsRoom } from "./rooms/costs.ts";
import { historyRoom } from "./rooms/history.ts";
import { sessionsRoom } from "./rooms/sessions.ts";
import { metricsRoom, type MetricsDoor } from "./rooms/metrics.ts";
import { streamRoom } from "./rooms/stream.ts";
import { ticketRoom } from "./rooms/ticket.ts";
import { waitingRoom } from "./rooms/waiting.ts";

export interface WebOptions extends DoorOptions, RoomParts {
  /** Told of what failed here and is nobody's fault outside. */
  readonly failed?: ((error: unknown, request: Asked) => void) | undefined;
  /** Nobody scrapes where it is left out. */
  readonly metrics?: MetricsDoor | undefined;
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
  const options = {
    ...given,
    attempts: openAttempts(given.now, maxFailures),
    orders: openAttempts(given.now, maxOrders),
  };
  const pulse = openPulse(() => options.dashboard.position());
  const app = new Hono();
  app.onError((error, context) => troubled(error, context, options));
  app.use(headers, knownHost(options));
  if (options.metrics !== undefined) metricsRoom(app, options.metrics, requireScope(options, "metrics"));
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
  app.route("/api/v1", api(options, pulse));
  app.route("/", inside(options, pulse, refused));
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
  const onError = (context: Context): Response =>
    context.json({ error: `at most ${maxFormBytes} bytes are taken as a form` }, 413);
  // Before the guard, which reads whose form it is.
  rooms.use(bodyLimit({ maxSize: maxFormBytes, onError }), guard(options, refused));
  boardRoom(rooms, options);
  // Before whatever stands behind `/tickets/`.
  newTicketRoom(rooms, options);
  ticketRoom(rooms, options);
  waitingRoom(rooms, options);
  findRoom(rooms, options);
  streamRoom(rooms, options, pulse);
  sessionLogRoom(rooms, options, pulse);
  runsRoom(rooms, options, pulse);
  healthRoom(rooms, options);
  webhooksRoom(rooms, options);
  repositoriesRoom(rooms, options);
  ledgerRoom(rooms, options);
  historyRoom(rooms, options, options.now);
  costsRoom(rooms, options, options.now);
  sessionsRoom(rooms, options);
  rooms.post("/leave", leave(options));
  rooms.all("*", (context) => nothingHere(context, options));
  return rooms;
}
