import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono, type Context } from "hono";
import type { Clock } from "../../ports.ts";
import type { Budget, Fault, Linear } from "./context.ts";
import { openCourier } from "./courier.ts";
import { callerOf, perform, rateLimited, read, unauthenticated, type Answer } from "./execute.ts";
import { rateLimits } from "./limits.ts";
import { openOAuth, type OAuth } from "./oauth.ts";
import { seeds, type Seeds } from "./seeds.ts";
import { emptyWorld } from "./world.ts";

export interface LinearOptions {
  readonly clock?: Clock;
  /**
   * What stamps webhooks, the clock unless told otherwise: the SDK holds a stamp against real time, whatever clock a test
   * runs on.
   */
  readonly stamp?: () => number;
  /** How long a receiver of webhooks may take to answer; Linear's five seconds when left out. */
  readonly patienceMs?: number;
  /** Budgets an hour; Linear's own when left out. */
  readonly limits?: Partial<Record<"app" | "key", Budget>>;
}
type Env = { Bindings: HttpBindings };

export interface RunningLinear extends Linear, Seeds {
  /** For `apiUrl` of the SDK's client. */
  readonly apiUrl: string;
  readonly oauth: Omit<OAuth, "routes">;
  /** The next requests that fit go wrong: refused, dropped, late, incomplete, or done and not answered. */
  fail(fault: Omit<Fault, "times"> & { readonly times?: number }): void;
  /** Leaves exactly so much of the budget that a token draws on. */
  leaveBudget(token: string, left: Partial<Budget>): void;
  close(): Promise<void>;
}

/** Starts a Linear on a free port of the loopback: GraphQL, OAuth and webhooks, empty of workspaces. */
export async function startLinear(options: LinearOptions = {}): Promise<RunningLinear> {
  const clock = options.clock ?? realClock;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const linear: Linear = {
    url,
    world: emptyWorld(clock),
    courier: openCourier({
      clock,
      stamp: options.stamp ?? (() => clock.now()),
      patienceMs: options.patienceMs ?? 5_000,
    }),
    apps: [],
    installs: [],
    tokens: new Map(),
    limits: rateLimits(clock, options.limits),
    faults: [],
    calls: [],
    secret: () => randomBytes(20).toString("hex"),
  };
  const oauth = openOAuth(linear);
  const api = new Hono<Env>();
  mount(api, linear, oauth);
  const listener = getRequestListener(api.fetch);
  server.on("request", (request, response) => {
    listener(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  return {
    ...linear,
    ...seeds(linear),
    apiUrl: `${url}/graphql`,
    oauth,
    fail: (fault) => void linear.faults.push({ times: 1, ...fault }),
    leaveBudget: (value, left) => {
      const token = linear.tokens.get(value);
      if (token === undefined) throw new Error("no such token");
      linear.limits.leave(token, left);
    },
    close: async () => {
      await linear.courier.close();
      await closeServer(server);
    },
  };
}

function mount(api: Hono<Env>, linear: Linear, oauth: OAuth): void {
  api.use("/oauth/*", async (context, next) => {
    const fault = dueFault(linear, [context.req.path]);
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault !== undefined && fault.after !== true && fault.is !== "slow") return faulty(context, fault);
    await next();
    // A set response would lend its headers to the next.
    if (fault?.after === true) {
      context.res = undefined;
      context.res = faulty(context, fault);
    }
    return undefined;
  });
  api.route("/", oauth.routes as unknown as Hono<Env>);
  api.post("/graphql", async (context) => {
    const caller = callerOf(linear, context.req.header("authorization"));
    if (caller === undefined) return send(context, unauthenticated());
    const asked = read(await context.req.json().catch(() => undefined));
    if ("status" in asked) return send(context, asked);
    const fault = dueFault(linear, asked.roots);
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    const spares =
      fault === undefined || fault.after === true || fault.is === "slow" || fault.is === "partial";
    if (!spares) return faulty(context, fault);
    const answer = await perform(linear, caller, asked, fault);
    return fault?.after === true ? faulty(context, fault) : send(context, answer);
  });
  api.notFound((context) => context.json({ error: "Not Found" }, 404));
  api.onError((error, context) =>
    context.json({ error: `the simulator broke: ${error.stack ?? error.message}` }, 500),
  );
}

/** The next fault that is meant for such a request, now one less. */
function dueFault(linear: Linear, names: readonly string[]): Fault | undefined {
  const fault = linear.faults.find(
    ({ times, of }) => times > 0 && (of === undefined || names.some((name) => of.test(name))),
  );
  if (fault !== undefined) fault.times -= 1;
  return fault;
}

const emptyBudget = { "retry-after": "60", "x-ratelimit-requests-remaining": "0" };

function faulty(context: Context<Env>, fault: Fault): Response {
  if (fault.is === "reset") {
    context.env.incoming.socket.destroy();
    return RESPONSE_ALREADY_SENT;
  }
  if (fault.is === "ratelimited") return send(context, rateLimited(emptyBudget, fault.message));
  const status = typeof fault.is === "number" ? fault.is : 500;
  return context.text(fault.message ?? "a fault, as ordered", status as 500);
}

const send = (context: Context<Env>, { status, headers, body }: Answer): Response =>
  context.json(body, status as 200, { ...headers });

const realClock: Clock = {
  now: () => Date.now(),
  until: async (instant, signal) => {
    await sleep(Math.max(0, instant - Date.now()), undefined, {
      ref: false,
      ...(signal === undefined ? {} : { signal }),
    });
  },
};

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
