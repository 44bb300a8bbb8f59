/** `GET /metrics`: figures for Prometheus, for whoever presents a token. Reached by any name: a scraper comes from elsewhere. */
import { timingSafeEqual } from "node:crypto";
import type { Hono } from "hono";
import { hashed } from "../door.ts";

/** What answers a scrape, and to whom. */
export interface MetricsDoor {
  /** The operator's own; undefined where there is none. */
  readonly token: string | undefined;
  /** Whether this is a good token of the scope `metrics`, or of more. */
  mayScrape(token: string): Promise<boolean>;
  scrape(accept: string): Promise<{ readonly contentType: string; readonly text: string }>;
}

const isSame = (one: string, other: string): boolean =>
  timingSafeEqual(Buffer.from(hashed(one)), Buffer.from(hashed(other)));

export function metricsRoom(app: Hono, door: MetricsDoor): void {
  app.get("/metrics", async (context) => {
    const [, presented = ""] =
      /^bearer +(\S{1,200})$/iu.exec(context.req.header("authorization") ?? "") ?? [];
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
    if (presented === "" || !(await isKnown(door, presented))) {
      context.header("www-authenticate", 'Bearer realm="metrics"');
      return context.text(
        "A token is wanted: FORGEHAND_METRICS_TOKEN, or one of the scope `metrics`, as `authorization: Bearer …`.\n",
        401,
      );
    }
    const { contentType, text } = await door.scrape(context.req.header("accept") ?? "");
    return context.body(text, 200, { "content-type": contentType });
  });
}

const isKnown = async ({ token, mayScrape }: MetricsDoor, presented: string): Promise<boolean> =>
  (token !== undefined && isSame(presented, token)) || (await mayScrape(presented));
