/** `GET /metrics`: figures for Prometheus, for whoever presents a token. */
import { timingSafeEqual } from "node:crypto";
import type { Context, Hono, MiddlewareHandler } from "hono";
import { bearerIn } from "../bearer.ts";
import { hashed, type Inside } from "../door.ts";

/** What answers a scrape. */
export interface MetricsDoor {
  /** The operator's own, besides tokens of the scope `metrics`; undefined where there is none. */
  readonly token: string | undefined;
  scrape(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
}

const isSame = (one: string, other: string): boolean =>
  timingSafeEqual(Buffer.from(hashed(one)), Buffer.from(hashed(other)));

/** `inScope` lets tokens of the scope pass; the operator's own is looked for first. */
export function metricsRoom(
  app: Hono,
  { token, scrape }: MetricsDoor,
  inScope: MiddlewareHandler<Inside>,
): void {
  const answer = async (context: Context): Promise<Response> => {
    const { contentType, text } = await scrape(context.req.header("accept") ?? "");
    return context.body(text, 200, { "content-type": contentType });
  };
  app.get(
    "/metrics",
    async (context, next) => {
      const presented = bearerIn(context);
      const isOwn = token !== undefined && presented !== undefined && isSame(presented, token);
      return isOwn ? await answer(context) : await next();
    },
    inScope,
    answer,
  );
}
