/** Coming in with an account of the forge: there with a state and a challenge, back with a code. */
import { createHash, createHmac } from "node:crypto";
import { Hono, type Context } from "hono";
import { addressOf } from "./attempts.ts";
import { cookieIn, giveCookie, takeCookie } from "./cookies.ts";
import { hashed, isSame, sessionMs, type Door } from "./door.ts";
import { onward } from "./login-page.ts";
import { safeNext } from "./next.ts";
import { answered, isNobody, nobody } from "./standing.ts";

/** As long as somebody may take at the forge. */
const loginMs = 10 * 60_000;
/** Logins that came back are remembered until their time is over; beyond that the oldest is forgotten. */
const maxSpent = 10_000;

/** A login on its way; it travels in a cookie of that browser, sealed, so that strangers fill nothing here. */
interface OnItsWay {
  readonly state: string;
  readonly verifier: string;
  readonly next: string;
  readonly until: number;
}
export type Refusing = (
  context: Context,
  status: 400 | 401 | 403 | 429 | 503,
  why: string,
) => Response | Promise<Response>;

/** `/login/github`, `/login/github/callback` and `/login/back`. */
export function loginRoutes(door: Door, refused: Refusing): Hono {
  const routes = new Hono();
  // A page of ours leads on, so that the browser brings the session along, which it keeps from other sites.
  routes.get("/back", (context) => context.redirect(safeNext(context.req.query("next")), 303));
  const { login, people, publicUrl } = door;
  if (login === undefined || people === undefined || publicUrl === undefined) return routes;
  const redirect = `${publicUrl}/login/github/callback`;
  const ways = openWays(door);
  routes.get("/github", (context) => {
    const state = door.secret();
    const verifier = door.secret();
    const next = safeNext(context.req.query("next"));
    const value = ways.seal({ state, verifier, next, until: door.now() + loginMs });
    giveCookie(context, door, { kind: "login", value, lifeMs: loginMs });
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    return context.redirect(login.consentUrl({ state, challenge, redirect }), 303);
  });
  routes.get("/github/callback", async (context) => {
    const address = addressOf(context);
    if (door.attempts.waitSeconds(address) !== undefined)
      return await refused(context, 429, "too many logins failed from there; try again in a minute");
    const sealed = cookieIn(context, door, "login");
    takeCookie(context, door, "login");
    const way = ways.take(sealed, context.req.query("state"));
    const code = context.req.query("code");
    const fails = (status: 400 | 401 | 403, why: string): Response | Promise<Response> => {
      door.attempts.failed(address);
      return refused(context, status, why);
    };
    if (way === undefined) return await fails(400, "this login was not begun in this browser, or is over");
    if (code === undefined) return await fails(401, "the login was not confirmed");
    const person = await answered(() => login.personOf({ code, verifier: way.verifier, redirect }));
    if (person === "unanswered") return await refused(context, 503, "the forge does not answer");
    if (person === "refused") return await fails(401, "the forge does not know this login");
    const standing = await answered(() => people.standing(person.id, "now"));
    if (standing === "unanswered") return await refused(context, 503, "the forge does not answer");
    if (standing === undefined || isNobody(standing.rights)) return await fails(403, nobody(person.login));
    const secret = door.secret();
    const at = door.now();
    await door.sessions.openWebSession(
      {
        hash: hashed(secret),
        csrf: door.secret(),
        expiresAt: at + sessionMs,
        who: standing.login,
        account: person.id,
      },
      at,
    );
    giveCookie(context, door, { kind: "session", value: secret, lifeMs: sessionMs });
    return context.html(onward(way.next));
  });
  return routes;
}

/** Each good once, in the browser that began it. A restart forgets them: whoever is on the way begins again. */
function openWays({ secret, now }: Pick<Door, "secret" | "now">) {
  const key = secret();
  const spent = new Map<string, number>();
  const sign = (text: string): string => createHmac("sha256", key).update(text).digest("base64url");
  return {
    seal: (way: OnItsWay): string => {
      const text = Buffer.from(JSON.stringify(way)).toString("base64url");
      return `${text}.${sign(text)}`;
    },
    take: (sealed: string | undefined, state: string | undefined): OnItsWay | undefined => {
      const [text = "", signature = ""] = sealed?.split(".") ?? [];
      if (sealed === undefined || state === undefined || !isSame(signature, sign(text))) return undefined;
      // Nobody else can have signed it.
      const way = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as OnItsWay;
      if (way.until <= now() || !isSame(way.state, state) || spent.has(way.state)) return undefined;
      for (const [one, until] of spent) if (until <= now() || spent.size >= maxSpent) spent.delete(one);
      spent.set(way.state, way.until);
      return way;
    },
  };
}
