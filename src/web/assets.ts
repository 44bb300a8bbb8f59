/** What pages load besides themselves: our style and keys, and htmx as its package has it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Hono } from "hono";
import { asset } from "../assets.ts";

const { resolve } = createRequire(import.meta.url);
const script = "text/javascript; charset=utf-8";
const css = "text/css; charset=utf-8";

const files: Readonly<Record<string, { readonly type: string; readonly path: () => string }>> = {
  "style.css": { type: css, path: () => asset("web/assets/style.css") },
  "keys.js": { type: script, path: () => asset("web/assets/keys.js") },
  "host.css": { type: "text/css; charset=utf-8", path: () => asset("web/assets/host.css") },
  "live.js": { type: script, path: () => asset("web/assets/live.js") },
  "theme.js": { type: script, path: () => asset("web/assets/theme.js") },
  "runs.css": { type: "text/css; charset=utf-8", path: () => asset("web/assets/runs.css") },
  "runs.js": { type: script, path: () => asset("web/assets/runs.js") },
  "ticket.css": { type: "text/css; charset=utf-8", path: () => asset("web/assets/ticket.css") },
  "orders.js": { type: script, path: () => asset("web/assets/orders.js") },
  "session-log.css": { type: "text/css; charset=utf-8", path: () => asset("web/assets/session-log.css") },
  "session-log.js": { type: script, path: () => asset("web/assets/session-log.js") },
  "icon.svg": { type: "image/svg+xml", path: () => asset("web/assets/icon.svg") },
  "htmx.js": { type: script, path: () => resolve("htmx.org/dist/htmx.min.js") },
  "htmx-sse.js": { type: script, path: () => resolve("htmx.org/dist/ext/hx-sse.min.js") },
  "uplot.js": { type: script, path: () => resolve("uplot/dist/uPlot.iife.min.js") },
  "uplot.css": { type: css, path: () => resolve("uplot/dist/uPlot.min.css") },
  "history.css": { type: css, path: () => asset("web/assets/history.css") },
  "costs.css": { type: css, path: () => asset("web/assets/costs.css") },
  "costs.js": { type: script, path: () => asset("web/assets/costs.js") },
};

/** Read once each, when somebody first asks. */
export function assetsRoute(): Hono {
  const read = new Map<string, Uint8Array<ArrayBuffer>>();
  const route = new Hono();
  route.get("/:name", (context) => {
    const name = context.req.param("name");
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (file === undefined) return context.text("there is no such file\n", 404);
    const body = read.get(name) ?? new Uint8Array(readFileSync(file.path()));
    read.set(name, body);
    // Shortly: another version of forgehand may stand here soon.
    return context.body(body, 200, { "content-type": file.type, "cache-control": "private, max-age=300" });
  });
  return route;
}
