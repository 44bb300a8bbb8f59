/** Who may come in: a known host name, a session, and for every change a form of that session. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import type { ForgeLogin, OpenSession, People, Scope } from "../ports-dashboard-access.ts";
import type { Viewer } from "../ports-dashboard.ts";
import { sessionIdLength, type NewSession, type SessionOwner, type WebSession } from "../store/web.ts";
import { addressOf, peerOf, type Attempts } from "./attempts.ts";
import { bearerIn, bearerViewer, type Tokens } from "./bearer.ts";
import { cookieIn, giveCookie, isFromOutside, takeCookie, type Reached } from "./cookies.ts";
import { answered, isNobody, nobody } from "./standing.ts";

/** What the door asks of the store. */
export interface Sessions extends Tokens {
  takeWebToken(token: string, session: NewSession, now: number, uid?: number): Promise<string | undefined>;
  openWebSession(
    session: NewSession & { readonly who: string; readonly account: number },
    now: number,
  ): Promise<void>;
  webSession(hash: string, now: number): Promise<WebSession | undefined>;
  seenWebSession(hash: string, now: number): Promise<void>;
  webSessions(owner: SessionOwner, now: number): Promise<readonly OpenSession[]>;
  endWebSessions(hash?: string): Promise<number>;
  endWebSessionsOf(owner: SessionOwner, id?: string): Promise<number>;
}
export interface DoorOptions extends Reached {
  readonly sessions: Sessions;
  /** How people of the forge log in, and what they may; undefined: operators and tokens alone. */
  readonly login?: ForgeLogin | undefined;
  readonly people?: People | undefined;
  /** Names this port is reached by, without the number: `127.0.0.1`, `localhost`, `[::1]`. Any other is a page of somebody else's. */
  readonly hosts: readonly string[];
  readonly now: () => number;
  /** Which user of this host is at the other end, where that is known. */
  readonly userOf?:
    | ((peer: { readonly address: string; readonly port: number }) => number | undefined)
    | undefined;
  /** 256 bits, as text that fits a cookie. */
  readonly secret: () => string;
}
/** The door while it is watched for whoever comes with wrong secrets. */
export interface Door extends DoorOptions {
  readonly attempts: Attempts;
  /** Each order of a person of the forge asks it anew what they may. */
  readonly orders: Attempts;
}
/** Somebody who is in. */
export interface Session {
  readonly viewer: Viewer;
  /** What every form of theirs carries; a program with a token needs none. */
  readonly csrf: string;
  /** Of a program's token; undefined for a person. */
  readonly scope: Scope | undefined;
  /** The beginning of the hash of the cookie; undefined for a token. */
  readonly id: string | undefined;
  /** Whose it is, and others of theirs; undefined for a token. */
  readonly owner: SessionOwner | undefined;
}
/** What handlers behind the door know of who asks. */
export type Inside = { readonly Variables: { session: Session } };

/** No form of ours is longer: the text of a ticket, in a script of three bytes a sign, each of them written as `%xx`. */
export const maxFormBytes = 2 * 1024 * 1024;

/** Half a day: as long as somebody works. */
export const sessionMs = 12 * 60 * 60_000;

export const hashed = (secret: string): string => createHash("sha256").update(secret).digest("hex");

export const isSame = (one: string, other: string): boolean =>
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
    // No page elsewhere has a token, and with one no cookie is looked at: a scraper may call us what it likes.
    if (hosts.includes(name) || bearerIn(context) !== undefined) return await next();
    const message = `This dashboard is reached as ${hosts.join(" or ")}, not as ${JSON.stringify(name)}.`;
    return context.req.path.startsWith("/api/")
      ? context.json({ error: { code: "misdirected", message } }, 421)
      : context.text(`${message}\n`, 421);
  };
}

/** `GET /enter?token=…`: lets whoever has the token in, once. */
export function enter(door: Door): (context: Context) => Promise<Response> {
  const { sessions, now, secret, attempts } = door;
  return async (context) => {
    const address = addressOf(context);
    if (attempts.waitSeconds(address) !== undefined) return context.redirect("/login?why=often", 303);
    const token = context.req.query("token") ?? "";
    const session = secret();
    const at = now();
    const who = await sessions.takeWebToken(
      hashed(token),
      { hash: hashed(session), csrf: secret(), expiresAt: at + sessionMs },
      at,
      userAt(context, door),
    );
    if (who === undefined) {
      attempts.failed(address);
      return context.redirect("/login?why=used", 303);
    }
    giveCookie(context, door, { kind: "session", value: session, lifeMs: sessionMs });
    return context.redirect("/", 303);
  };
}

/** Asked only for a link that is followed: it reads a table of the system. */
function userAt(context: Context, { userOf }: DoorOptions): number | undefined {
  const peer = peerOf(context);
  return peer === undefined ? undefined : userOf?.(peer);
}

export type Known = Pick<Door, "sessions" | "now" | "people" | "publicUrl">;
async function sessionOf(
  context: Context,
  door: Known,
): Promise<(WebSession & { readonly hash: string }) | undefined> {
  const secret = cookieIn(context, door, "session");
  if (secret === undefined) return undefined;
  const hash = hashed(secret);
  const session = await door.sessions.webSession(hash, door.now());
  return session && { ...session, hash };
}

/** Who they are and what they may by now; undefined once they are out, or may see nothing any more. */
export async function viewerNow(context: Context, door: Known): Promise<Viewer | undefined> {
  const bearer = bearerIn(context);
  if (bearer !== undefined)
    return (await bearerViewer(door.sessions, { hash: hashed(bearer), now: door.now() }))?.viewer;
  const session = await sessionOf(context, door);
  if (session === undefined) return undefined;
  const { account, who } = session;
  if (account === undefined) return { who, rights: "operator" };
  const standing = await answered(async () => await door.people?.standing(account, "lately"));
  if (standing === "unanswered" || standing === undefined || isNobody(standing.rights)) return undefined;
  return { who: standing.login, rights: standing.rights };
}
/** Whether they are still in; a stream that is open outlives no session. */
export const hasSession = async (context: Context, door: Known): Promise<boolean> =>
  (await viewerNow(context, door)) !== undefined;

/** Why somebody is not let in. */
interface Out {
  readonly status: 400 | 401 | 403 | 429 | 503;
  readonly why: string;
}
const isOut = (one: Session | Out): one is Out => "status" in one;
const isLooking = ({ req }: Context): boolean => req.method === "GET" || req.method === "HEAD";

/** Who asks: by a token where one is presented, else by the cookie, never by both. */
async function comes(context: Context, door: Door): Promise<Session | Out> {
  const bearer = bearerIn(context);
  if (bearer !== undefined) return await withToken(context, door, bearer);
  const session = await sessionOf(context, door);
  if (session === undefined) return { status: 401, why: "no session here, or it is over" };
  const { hash, csrf, account, who } = session;
  const id = hash.slice(0, sessionIdLength);
  if (door.now() - session.seenAt >= seenEveryMs) await door.sessions.seenWebSession(hash, door.now());
  if (account === undefined)
    return { viewer: { who, rights: "operator" }, csrf, scope: undefined, id, owner: { who } };
  const key = String(account);
  if (!isLooking(context)) {
    if (door.orders.waitSeconds(key) !== undefined)
      return { status: 429, why: "too many orders within a minute" };
    door.orders.failed(key);
  }
  const standing = await answered(
    async () => await door.people?.standing(account, isLooking(context) ? "lately" : "now"),
  );
  if (standing === "unanswered")
    return { status: 503, why: "the forge does not answer, so nobody can tell what you may see" };
  if (standing !== undefined && !isNobody(standing.rights))
    return {
      viewer: { who: standing.login, rights: standing.rights },
      csrf,
      scope: undefined,
      id,
      owner: { account },
    };
  await door.sessions.endWebSessions(hash);
  return { status: 403, why: nobody(standing?.login ?? who) };
}
/** When a session was last seen is kept this often at most. */
const seenEveryMs = 60_000;

/** One that is good is taken however many others failed: nobody guesses 256 bits, and nobody locks another out. */
async function withToken(
  context: Context,
  { sessions, now, attempts }: Door,
  bearer: string,
): Promise<Session | Out> {
  const found = await bearerViewer(sessions, { hash: hashed(bearer), now: now() });
  if (found !== undefined) return { ...found, csrf: "", id: undefined, owner: undefined };
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
    if (session.scope === undefined && !isLooking(context)) {
      if (!isOwnOrigin(context, door))
        return await refused(context, 403, "the request came from another page");
      const csrf = await csrfOf(context);
      if (csrf === undefined) return await refused(context, 400, "the form could not be read");
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
/** As a script of ours sends it, else as a form does; undefined when that cannot be read. */
async function csrfOf(context: Context): Promise<string | undefined> {
  const header = context.req.header("x-csrf-token");
  if (header !== undefined) return header;
  const form = await formOf(context);
  if (form === undefined) return undefined;
  return typeof form["csrf"] === "string" ? form["csrf"] : "";
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

function isOwnOrigin(context: Context, door: Reached): boolean {
  const site = context.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") return false;
  const origin = context.req.header("origin");
  // Every browser of today names the origin of a form that is posted.
  if (origin === undefined || !URL.canParse(origin)) return false;
  // A proxy may call us by another name than the browser did.
  return (
    new URL(origin).host === context.req.header("host") ||
    (isFromOutside(context, door) && origin === door.publicUrl)
  );
}

/** `POST /leave`: the session is over, here and in the store. */
export function leave(door: DoorOptions): (context: Context) => Promise<Response> {
  return async (context) => {
    const secret = cookieIn(context, door, "session");
    if (secret !== undefined) await door.sessions.endWebSessions(hashed(secret));
    takeCookie(context, door, "session");
    return context.redirect("/login", 303);
  };
}
