/** Who may come in: a known host name, a session, and for every change a form of that session. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Scope } from "../ports-dashboard-access.ts";
import type { Viewer } from "../ports-dashboard.ts";
import type { WebSession } from "../store/web.ts";
import { addressOf, type Attempts } from "./attempts.ts";
import { bearerIn, bearerViewer, type Tokens } from "./bearer.ts";

/** What the door asks of the store. */
export interface Sessions extends Tokens {
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
/** The door while it is watched for whoever comes with wrong secrets. */
export interface Door extends DoorOptions {
  readonly attempts: Attempts;
}
/** Somebody who is in. */
export interface Session {
  readonly viewer: Viewer;
  /** What every form of theirs carries; a program with a token needs none. */
  readonly csrf: string;
  /** Of a program's token; undefined for a person. */
  readonly scope: Scope | undefined;
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
  context.header("referrer-policy", "no-referrer");
  context.header("cross-origin-opener-policy", "same-origin");
  context.header("cross-origin-resource-policy", "same-origin");
  if (!context.res.headers.has("cache-control")) context.header("cache-control", "no-store");
};

/** A page elsewhere can make a name of its own lead to this address, and would then count as ours. */
export function knownHost({ hosts }: Pick<DoorOptions, "hosts">): MiddlewareHandler {
  return async (context, next) => {
    const name = (context.req.header("host") ?? "").replace(/:\d+$/u, "").toLowerCase();
    // No page elsewhere has a token, and with one no cookie is looked at: a scraper may call us what it likes.
    if (hosts.includes(name) || bearerIn(context) !== undefined) return await next();
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
export const hasSession = async (context: Context, known: Known): Promise<boolean> => {
  const bearer = bearerIn(context);
  return bearer === undefined
    ? (await sessionOf(context, known)) !== undefined
    : (await known.sessions.apiToken(hashed(bearer), known.now())) !== undefined;
};

/** Why somebody is not let in. */
interface Out {
  readonly status: 400 | 401 | 403 | 429;
  readonly why: string;
}
const isOut = (one: Session | Out): one is Out => "status" in one;

/** Who asks: by a token where one is presented, else by the cookie, never by both. */
async function comes(context: Context, door: Door): Promise<Session | Out> {
  const bearer = bearerIn(context);
  if (bearer !== undefined) return await withToken(context, door, bearer);
  const session = await sessionOf(context, door);
  return session === undefined
    ? { status: 401, why: "no session here, or it is over" }
    : { viewer: { who: session.who, rights: "operator" }, csrf: session.csrf, scope: undefined };
}

/** One that is good is taken however many others failed: nobody guesses 256 bits, and nobody locks another out. */
async function withToken(
  context: Context,
  { sessions, now, attempts }: Door,
  bearer: string,
): Promise<Session | Out> {
  const found = await bearerViewer(sessions, { hash: hashed(bearer), now: now() });
  if (found !== undefined) return { ...found, csrf: "" };
  const address = addressOf(context);
  if (attempts.waitSeconds(address) !== undefined)
    return { status: 429, why: "too many wrong tokens from there; try again in a minute" };
  attempts.failed(address);
  return { status: 401, why: "this token is unknown, revoked or over" };
}

/** Lets sessions and tokens pass, and a change by a session only from a form of its own. Others get 401, or 403. */
export function guard(door: Door, refused: Refused): MiddlewareHandler<Inside> {
  return async (context, next) => {
    const session = await comes(context, door);
    if (isOut(session)) return await refused(context, session.status, session.why);
    if (session.scope === "metrics")
      return await refused(context, 403, "this token is for /metrics and nothing else");
    if (session.scope === undefined && context.req.method !== "GET" && context.req.method !== "HEAD") {
      if (!isOwnOrigin(context)) return await refused(context, 403, "the request came from another page");
      const form = await formOf(context);
      if (form === undefined) return await refused(context, 400, "the form could not be read");
      const csrf = typeof form["csrf"] === "string" ? form["csrf"] : "";
      if (!isSame(csrf, session.csrf)) return await refused(context, 403, "the form is of another session");
    }
    context.set("session", session);
    return await next();
  };
}

const rank = { read: 0, act: 1, admin: 2 } as const;

/**
 * For a route of its own, before or behind the guard: lets a token of this scope or a larger one pass, and for
 * `admin` and `metrics` the session of an operator. `metrics` is in `admin` without repositories named.
 */
export function requireScope(door: Door, scope: Scope): MiddlewareHandler<Inside> {
  return async (context, next) => {
    const session = await comes(context, door);
    if (isOut(session)) {
      if (session.status === 401) context.header("www-authenticate", 'Bearer realm="forgehand"');
      return context.json({ error: session.why }, session.status);
    }
    if (!reaches(session, scope)) return context.json({ error: `this takes a token of scope ${scope}` }, 403);
    context.set("session", session);
    return await next();
  };
}
function reaches({ scope: has, viewer }: Session, wanted: Scope): boolean {
  if (viewer.rights === "operator") return true;
  if (wanted === "metrics" || has === "metrics") return has === wanted;
  // What a person may is told by repository.
  return has === undefined ? wanted !== "admin" : rank[has] >= rank[wanted];
}
/** Undefined when it is none: its parts are cut off, or are none at all. */
async function formOf(context: Context): Promise<Record<string, unknown> | undefined> {
  try {
    return await context.req.parseBody();
  } catch {
    return undefined;
  }
}
export type Refused = (context: Context, status: Out["status"], why: string) => Response | Promise<Response>;

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
