import { Hono } from "hono";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import type { GitHubWebhooks } from "./github.ts";
import { linearRoute } from "./linear-route.ts";
import type { LinearWebhooks } from "./linear.ts";

/** What `/healthz` says, whether this process lives, and `/readyz`, whether it takes deliveries; and why not. */
export interface Health {
  readonly ok: "yes" | "no";
  readonly version?: string;
  readonly why?: string;
}

export interface ServerOptions {
  /** Undefined without a GitHub App: then the route does not exist. */
  readonly github: GitHubWebhooks | undefined;
  /** Undefined without a secret of Linear: then that route does not exist. */
  readonly linear?: LinearWebhooks | undefined;
  /** The dashboard, mounted at `/`. */
  readonly web?: Hono | undefined;
  readonly health: () => Health | Promise<Health>;
  /** Whether news are taken; one that drains lives and takes none. The same as `health` when left out. */
  readonly ready?: (() => Health) | undefined;
  readonly log: Logger;
}

/** GitHub caps payloads at 25 MB. */
export const maxBodyBytes = 25 * 1024 * 1024;

/**
 * The port of forgehand. Answers to `POST /webhooks/github`: 202 stored, or known already · 204 verified, but an
 * event nobody reads · 400 header missing or wrong, or JSON malformed · 401 wrong signature · 413 over 25 MB ·
 * 415 not JSON · 503 not stored, so GitHub shows it as failed and it is fetched again. Headers are judged before a
 * byte of the body is read, and every refusal is one log line without the body.
 */
export function createServer({ github, linear, web, health, ready, log }: ServerOptions): Hono {
  const server = new Hono();
  server.onError((error, context) => {
    log.error({ method: context.req.method, path: context.req.path, err: error }, "request failed");
    return context.json({ error: "the request failed; the log says why" }, 500);
  });
  for (const [path, look] of [
    ["/healthz", health],
    ["/readyz", ready ?? health],
  ] as const) {
    server.get(path, async (context) => {
      const state = await look();
      return context.json(state, state.ok === "yes" ? 200 : 503);
    });
  }
  server.use("/webhooks/*", async (context, next) => {
    const state = ready?.() ?? { ok: "yes" };
    if (state.ok === "yes") return next();
    // What is not acknowledged is fetched, or sent again, at the next start.
    return context.json({ error: state.why }, 503, { "retry-after": "60" });
  });
  if (github !== undefined) {
    const refuse = refusals(log);
    server.post(
      "/webhooks/github",
      async (context, next) => {
        const fault = headerFault(context);
        if (fault !== undefined) return refuse(context, fault.status, fault.why);
        return next();
      },
      limitBody((context) => refuse(context, 413, `the body is over ${maxBodyBytes} bytes`)),
      (context) => takeDelivery(context, github, log),
    );
    server.all("/webhooks/github", (context) => {
      context.header("allow", "POST");
      return refuse(context, 405, `webhooks are posted, not ${context.req.method}`);
    });
  }
  if (linear !== undefined) server.route("/webhooks/linear", linearRoute(linear, log));
  if (web !== undefined) server.route("/", web);
  return server;
}

/** A stated length is enforced by the HTTP parser, so only a body without one must be counted as it streams. */
function limitBody(onError: (context: Context) => Response): MiddlewareHandler {
  const counted = bodyLimit({ maxSize: maxBodyBytes, onError });
  return (context, next) => {
    const length = context.req.header("content-length");
    const isStated = length !== undefined && context.req.header("transfer-encoding") === undefined;
    return isStated && Number(length) <= maxBodyBytes ? next() : counted(context, next);
  };
}

async function takeDelivery(context: Context, github: GitHubWebhooks, log: Logger): Promise<Response> {
  const refuse = refusals(log);
  const { id, name, signature } = headersOf(context);
  const body = await context.req.text();
  try {
    const accepted = await github.accept({ id, name, signature, body });
    switch (accepted.is) {
      case "stored":
      case "repeat":
        return context.json({ delivery: accepted.is }, 202);
      case "unread":
        log.info({ delivery: id, event: name }, "event nobody reads");
        return context.body(null, 204);
      case "forged":
        return refuse(
          context,
          401,
          "the signature does not match: compare the App's webhook secret with FORGEHAND_WEBHOOK_SECRET",
        );
      case "malformed":
        return refuse(context, 400, accepted.why);
    }
  } catch (error) {
    // Not acknowledged means not lost: GitHub keeps it, and the walk of its deliveries fetches it later.
    log.error({ delivery: id, event: name, err: error }, "delivery not stored");
    return context.json({ error: "not stored; try again" }, 503);
  }
}

interface DeliveryHeaders {
  readonly id: string;
  readonly name: string;
  readonly signature: string;
}

function headersOf(context: Context): DeliveryHeaders {
  return {
    id: context.req.header("x-github-delivery") ?? "",
    name: context.req.header("x-github-event") ?? "",
    signature: context.req.header("x-hub-signature-256") ?? "",
  };
}

const shapes: readonly {
  readonly header: string;
  readonly of: keyof DeliveryHeaders;
  readonly like: RegExp;
}[] = [
  { header: "x-github-delivery", of: "id", like: /^[\w-]{1,100}$/u },
  { header: "x-github-event", of: "name", like: /^[a-z0-9_]{1,64}$/u },
  { header: "x-hub-signature-256", of: "signature", like: /^sha256=[0-9a-f]{64}$/u },
];

function headerFault(
  context: Context,
): { readonly status: ContentfulStatusCode; readonly why: string } | undefined {
  const type = context.req.header("content-type") ?? "";
  if (!/^\s*application\/json\s*(?:;|$)/iu.test(type)) {
    return {
      status: 415,
      why: "the content type must be application/json; set it in the App's webhook settings",
    };
  }
  const headers = headersOf(context);
  const missing = shapes.filter(({ of }) => headers[of] === "").map(({ header }) => header);
  if (missing.length > 0) return { status: 400, why: `missing ${missing.join(", ")}` };
  const odd = shapes.filter(({ of, like }) => !like.test(headers[of])).map(({ header }) => header);
  return odd.length > 0 ? { status: 400, why: `malformed ${odd.join(", ")}` } : undefined;
}

type Refuse = (context: Context, status: ContentfulStatusCode, why: string) => Response;

function refusals(log: Logger): Refuse {
  return (context, status, why) => {
    const { id, name } = headersOf(context);
    log.warn({ status, why, delivery: id.slice(0, 100), event: name.slice(0, 64) }, "delivery refused");
    return context.json({ error: why }, status);
  };
}
