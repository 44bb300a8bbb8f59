import { Hono } from "hono";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { bodyLimit } from "hono/body-limit";
import type { Logger } from "pino";
import type { LinearWebhooks } from "./linear.ts";

/** What Linear's SDK takes at most. */
export const maxLinearBodyBytes = 5 * 1024 * 1024;

/**
 * The door for Linear's webhooks. Answers: 200 stored, known already, or nobody reads it (Linear sends again what is not
 * answered with exactly 200) · 400 header missing or wrong, or JSON malformed · 401 wrong signature, or stamped over a
 * minute from now · 405 not posted · 413 over 5 MB · 415 not JSON · 503 not stored, so Linear sends it again.
 */
export function linearRoute(linear: LinearWebhooks, log: Logger): Hono {
  const route = new Hono();
  const refuse = refusals(log);
  route.post(
    "/",
    async (context, next) => {
      const fault = headerFault(context);
      return fault === undefined ? next() : refuse(context, fault.status, fault.why);
    },
    bodyLimit({
      maxSize: maxLinearBodyBytes,
      onError: (context) => refuse(context, 413, `the body is over ${maxLinearBodyBytes} bytes`),
    }),
    (context) => takeDelivery(context, linear, log),
  );
  route.all("/", (context) => {
    context.header("allow", "POST");
    return refuse(context, 405, `webhooks are posted, not ${context.req.method}`);
  });
  return route;
}

async function takeDelivery(context: Context, linear: LinearWebhooks, log: Logger): Promise<Response> {
  const refuse = refusals(log);
  const { id, signature } = headersOf(context);
  const body = await context.req.text();
  try {
    const accepted = await linear.accept({ id, signature, body });
    switch (accepted.is) {
      case "unread":
        log.info({ delivery: id, event: accepted.type }, "event nobody reads");
        return context.json({ delivery: "unread" }, 200);
      case "stored":
      case "repeat":
        return context.json({ delivery: accepted.is }, 200);
      case "forged":
        return refuse(
          context,
          401,
          "the signature does not match: compare the webhook secret in Linear's settings of the application with FORGEHAND_LINEAR_WEBHOOK_SECRET",
        );
      case "stale":
        return refuse(
          context,
          401,
          `${accepted.why}: either it is an old one sent again, or the clock of this host is wrong`,
        );
      case "malformed":
        return refuse(context, 400, accepted.why);
    }
  } catch (error) {
    log.error({ delivery: id, err: error }, "delivery not stored");
    return context.json({ error: "not stored; try again" }, 503);
  }
}

interface Headers {
  readonly id: string;
  readonly signature: string;
}
const headersOf = (context: Context): Headers => ({
  id: context.req.header("linear-delivery") ?? "",
  signature: context.req.header("linear-signature") ?? "",
});

const shapes: readonly { readonly header: string; readonly of: keyof Headers; readonly like: RegExp }[] = [
  { header: "linear-delivery", of: "id", like: /^[\w-]{1,100}$/u },
  { header: "linear-signature", of: "signature", like: /^[0-9a-f]{64}$/u },
];

function headerFault(
  context: Context,
): { readonly status: ContentfulStatusCode; readonly why: string } | undefined {
  if (!/^\s*application\/json\s*(?:;|$)/iu.test(context.req.header("content-type") ?? ""))
    return { status: 415, why: "the content type must be application/json" };
  const headers = headersOf(context);
  const missing = shapes.filter(({ of }) => headers[of] === "").map(({ header }) => header);
  if (missing.length > 0) return { status: 400, why: `missing ${missing.join(", ")}` };
  const odd = shapes.filter(({ of, like }) => !like.test(headers[of])).map(({ header }) => header);
  return odd.length > 0 ? { status: 400, why: `malformed ${odd.join(", ")}` } : undefined;
}

/** Each refusal is one line of the log, without the body. */
function refusals(log: Logger): (context: Context, status: ContentfulStatusCode, why: string) => Response {
  return (context, status, why) => {
    log.warn({ status, why, delivery: headersOf(context).id.slice(0, 100) }, "delivery refused");
    return context.json({ error: why }, status);
  };
}
