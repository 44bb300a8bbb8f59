/** Who may come in: a known host name, a session, and for every change a form of that session. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Viewer } from "../ports-dashboard.ts";
import type { WebSession } from "../store/web.ts";

/** What the door asks of the store. */
export interface Sessions {
  takeWebToken(
    token: string,
    session: { readonly hash: string; readonly csrf: string; readonly expiresAt: number },
    now: number,
  ): Promise<string | undefined>;
  webSession(hash: string, now: number): Promise<WebSession | undefined>;
  endWebSessions(hash?: string): Promise<number>;
}
export interface DoorOptions {
  readonly sessions: Sessions;
  /** Names this port is reached by, without the number: `127.0.0.1`, `localhost`, `[::1]`. Any other is a page of somebody else's. */
  readonly hosts: readonly string[];
  readonly now: () => number;
  /** 256 bits, as text that fits a cookie. */
  readonly secret: () => string;
}
/** Somebody who is in. */
export interface Session {
  readonly viewer: Viewer;
  /** What every form of theirs carries. */
  readonly csrf: string;
}
/** What handlers behind the door know of who asks. */
export type Inside = { readonly Variables: { session: Session } };

const cookie = "forgehand";
/** Half a day: as long as somebody works. */
const sessionMs = 12 * 60 * 60_000;

export const hashed = (secret: string): string => createHash("sha256").update(secret).digest("hex");

const isSame = (one: string, other: string): boolean =>
  timingSafeEqual(Buffer.from(hashed(one)), Buffer.from(hashed(other)));

/** Only our own scripts, styles and forms; nothing may frame a page, and no address of it reaches anybody else. */
export const headers: MiddlewareHandler = async (context, next) => {
  await next();
  context.header(
    "content-security-policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  context.header("x-content-type-options", "nosniff");
  // With none at all, browsers leave the origin out of the forms that we ask it of.
  context.header("referrer-policy", "same-origin");
  context.header("cross-origin-opener-policy", "same-origin");
  context.header("cross-origin-resource-policy", "same-origin");
  if (!context.res.headers.has("cache-control")) context.header("cache-control", "no-store");
};

/** A page elsewhere can make a name of its own lead to this address, and would then count as ours. */
export function knownHost({ hosts }: Pick<DoorOptions, "hosts">): MiddlewareHandler {
  return async (context, next) => {
    const name = (context.req.header("host") ?? "").replace(/:\d+$/u, "").toLowerCase();
    if (hosts.includes(name)) return await next();
    return context.text(
      `This dashboard is reached as ${hosts.join(" or ")}, not as ${JSON.stringify(name)}.\n`,
      421,
    );
  };
}

/** `GET /enter?token=…`: lets whoever has the token in, once. */
export function enter({ sessions, now, secret }: DoorOptions): (context: Context) => Promise<Response> {
  return async (context) => {
    const token = context.req.query("token") ?? "";
    const session = secret();
    const at = now();
    const who = await sessions.takeWebToken(
      hashed(token),
      { hash: hashed(session), csrf: secret(), expiresAt: at + sessionMs },
      at,
    );
    if (who === undefined) return context.redirect("/login?why=used", 303);
    setCookie(context, cookie, session, {
      httpOnly: true,
      sameSite: "Strict",
      path: "/",
      maxAge: sessionMs / 1_000,
    });
    return context.redirect("/", 303);
  };
}

type Known = Pick<DoorOptions, "sessions" | "now">;
async function sessionOf(context: Context, { sessions, now }: Known): Promise<WebSession | undefined> {
  const secret = getCookie(context, cookie);
  return secret === undefined ? undefined : await sessions.webSession(hashed(secret), now());
}
/** Whether they are still in; a stream that is open outlives no session. */
export const hasSession = async (context: Context, known: Known): Promise<boolean> =>
  (await sessionOf(context, known)) !== undefined;

/** Lets sessions pass, and a change only from a form of the session's own. Others get 401, or 403. */
export function guard({ sessions, now }: DoorOptions, refused: Refused): MiddlewareHandler<Inside> {
  return async (context, next) => {
    const session = await sessionOf(context, { sessions, now });
    if (session === undefined) return await refused(context, 401, "no session here, or it is over");
    if (context.req.method !== "GET" && context.req.method !== "HEAD") {
      if (!isOwnOrigin(context)) return await refused(context, 403, "the request came from another page");
      const form = await formOf(context);
      if (form === undefined) return await refused(context, 400, "the form could not be read");
      const csrf = typeof form["csrf"] === "string" ? form["csrf"] : "";
      if (!isSame(csrf, session.csrf)) return await refused(context, 403, "the form is of another session");
    }
    context.set("session", { viewer: { who: session.who, rights: "operator" }, csrf: session.csrf });
    return await next();
  };
}
/** Undefined when it is none: its parts are cut off, or are none at all. */
async function formOf(context: Context): Promise<Record<string, unknown> | undefined> {
  try {
    return await context.req.parseBody();
  } catch {
    return undefined;
  }
}
export type Refused = (
  context: Context,
  status: 400 | 401 | 403,
  why: string,
) => Response | Promise<Response>;

function isOwnOrigin(context: Context): boolean {
  const site = context.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") return false;
  const origin = context.req.header("origin");
  // Every browser of today names the origin of a form that is posted.
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === context.req.header("host");
}

/** `POST /leave`: the session is over, here and in the store. */
export function leave({ sessions }: DoorOptions): (context: Context) => Promise<Response> {
  return async (context) => {
    const secret = getCookie(context, cookie);
    if (secret !== undefined) await sessions.endWebSessions(hashed(secret));
    deleteCookie(context, cookie, { path: "/" });
    return context.redirect("/login", 303);
  };
}
