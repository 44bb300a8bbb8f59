/** Logging in through the App, as GitHub does it: consent, a code for a token of the person, the person, and the token's end. */
import { createHash, randomBytes } from "node:crypto";
import type { Context, Hono } from "hono";
import type { Env, Hub } from "./context.ts";
import { publicUserOf } from "./places.ts";

const codeMs = 10 * 60_000;
const tokenSeconds = 8 * 3_600;

/** What the forge remembers of people who log in somewhere through the App. */
export interface Logins {
  /** As the App's page has them. */
  readonly client: { id: string; secret: string };
  callbackUrls: readonly string[];
  /** Who stands before the consent page, and whether they refuse; nobody is logged in when undefined. */
  consent: { readonly by: string; readonly denies?: true } | undefined;
  readonly codes: Map<
    string,
    {
      readonly by: string;
      readonly redirect: string;
      readonly challenge: string | undefined;
      readonly until: number;
    }
  >;
  /** Tokens of people, by the account they are of. */
  readonly tokens: Map<string, { readonly account: number; readonly until: number }>;
}

export const openLogins = (): Logins => ({
  client: { id: `Iv23li${randomBytes(7).toString("hex")}`, secret: randomBytes(20).toString("hex") },
  callbackUrls: [],
  consent: undefined,
  codes: new Map(),
  tokens: new Map(),
});

/** The pages of the forge: consent, with the click done, and the exchange, which is a page's neighbour and no API. */
export function loginPages(pages: Hono<Env>, hub: Hub, logins: Logins): void {
  pages.get("/login/oauth/authorize", (context) => {
    const asked = context.req.query();
    const [usual] = logins.callbackUrls;
    if (asked["client_id"] !== logins.client.id || usual === undefined) return context.text("Not Found", 404);
    const redirect = asked["redirect_uri"] ?? usual;
    const isKnown = logins.callbackUrls.includes(redirect);
    const back = (said: Readonly<Record<string, string>>): Response => {
      // It goes to an address of the App's in any case, never where a stranger's link says.
      const to = new URL(isKnown ? redirect : usual);
      for (const [name, value] of Object.entries(said)) to.searchParams.set(name, value);
      if (asked["state"] !== undefined) to.searchParams.set("state", asked["state"]);
      return context.redirect(to.href, 302);
    };
    if (!isKnown)
      return back({
        error: "redirect_uri_mismatch",
        error_description: "The redirect_uri is not associated with this application.",
      });
    const { consent } = logins;
    if (consent === undefined) return context.redirect("/login?return_to=", 302);
    if (consent.denies === true)
      return back({
        error: "access_denied",
        error_description: "The user has denied your application access.",
      });
    const code = randomBytes(10).toString("hex");
    logins.codes.set(code, {
      by: consent.by,
      redirect,
      challenge: asked["code_challenge_method"] === "S256" ? asked["code_challenge"] : undefined,
      until: hub.now() + codeMs,
    });
    return back({ code });
  });
  pages.post("/login/oauth/access_token", async (context) => exchange(context, hub, logins));
}

/** GitHub says 200 to what it refuses, and a form to whoever does not ask for JSON. */
async function exchange(context: Context<Env>, hub: Hub, logins: Logins): Promise<Response> {
  const isJson = context.req.header("content-type")?.includes("json") === true;
  const body = (isJson ? await context.req.json() : await context.req.parseBody()) as Record<string, string>;
  const say = (said: Readonly<Record<string, string | number>>): Response =>
    context.req.header("accept")?.includes("json") === true
      ? context.json(said)
      : context.text(
          new URLSearchParams(
            Object.entries(said).map(([name, value]): [string, string] => [name, String(value)]),
          ).toString(),
        );
  const { client, codes, tokens } = logins;
  if (body["client_id"] !== client.id || body["client_secret"] !== client.secret)
    return say({
      error: "incorrect_client_credentials",
      error_description: "The client_id and/or client_secret passed are incorrect.",
    });
  const found = codes.get(body["code"] ?? "");
  codes.delete(body["code"] ?? "");
  const proof = createHash("sha256")
    .update(body["code_verifier"] ?? "")
    .digest("base64url");
  if (
    found === undefined ||
    found.until <= hub.now() ||
    (found.challenge !== undefined && found.challenge !== proof)
  )
    return say({
      error: "bad_verification_code",
      error_description: "The code passed is incorrect or expired.",
    });
  if (body["redirect_uri"] !== undefined && body["redirect_uri"] !== found.redirect)
    return say({
      error: "redirect_uri_mismatch",
      error_description: "The redirect_uri is not associated with this application.",
    });
  const token = `ghu_${randomBytes(27).toString("base64url")}`;
  const account = hub.state.people.get(found.by)?.id ?? 0;
  tokens.set(token, { account, until: hub.now() + tokenSeconds * 1_000 });
  return say({
    access_token: token,
    expires_in: tokenSeconds,
    refresh_token: `ghr_${randomBytes(40).toString("base64url")}`,
    refresh_token_expires_in: 15_897_600,
    scope: "",
    token_type: "bearer",
  });
}

/** Routes of the API that a person's own token opens, and the App's secret; undefined when it is none of them. */
export async function answerLogin(
  context: Context<Env>,
  hub: Hub,
  logins: Logins,
): Promise<Response | undefined> {
  const { method, path } = context.req;
  const header = context.req.header("authorization") ?? "";
  if (method === "GET" && path === "/user") {
    const token = logins.tokens.get(/^(?:bearer|token) (ghu_.+)$/i.exec(header)?.[1] ?? "");
    if (token === undefined || token.until <= hub.now()) return undefined;
    const [login] = [...hub.state.people].find(([, { id }]) => id === token.account) ?? [];
    return login === undefined
      ? context.json({ message: "Not Found" }, 404)
      : context.json(publicUserOf(hub.state, login));
  }
  if (method !== "DELETE" || !/^\/applications\/[^/]+\/token$/.test(path)) return undefined;
  const { client, tokens } = logins;
  const basic = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}`;
  if (header !== basic || path !== `/applications/${client.id}/token`)
    return context.json({ message: "Not Found" }, 404);
  const { access_token: token } = (await context.req.json().catch(() => ({}))) as {
    readonly access_token?: string;
  };
  return tokens.delete(token ?? "")
    ? context.body(null, 204)
    : context.json({ message: "Validation Failed" }, 422);
}
