/** Where somebody wanted to go before they had to come in. Only places of ours: a link must not lead elsewhere through us. */
import type { Context } from "hono";

const maxLength = 1_000;
const ways = /^\/(?:login|enter|leave|events|assets|webhooks)(?:[/?#]|$)/u;

/** The place itself when it is one of ours, else the first page. */
export function safeNext(text: string | undefined): string {
  if (text === undefined || text.length > maxLength) return "/";
  // One slash and then a name: two, or a backslash that browsers take for one, name a host.
  if (!/^\/(?![/\\])[!-~]*$/u.test(text) || text.includes("\\") || ways.test(text)) return "/";
  const url = URL.parse(text, "http://here.invalid");
  return url?.host === "here.invalid" && !ways.test(url.pathname) && !url.pathname.startsWith("//")
    ? `${url.pathname}${url.search}`
    : "/";
}

/** The page that somebody was on; for a form whose page the browser does not name, that above it. */
export function nextOf(context: Context): string {
  const { pathname, search } = new URL(context.req.url);
  if (context.req.method === "GET") return safeNext(`${pathname}${search}`);
  const from = URL.parse(context.req.header("referer") ?? "");
  if (from !== null && from.host === context.req.header("host"))
    return safeNext(`${from.pathname}${from.search}`);
  return safeNext(pathname.replace(/\/[^/]*$/u, "") || "/");
}
