import type { Hono } from "hono";
import type { Linear, SimApp, SimToken } from "./context.ts";
import type { SimTeam, SimUser } from "./world.ts";

/** Who stands before the consent screen, and what they press. */
export interface Consent {
  readonly by: SimUser;
  /** Teams the app may enter; all public ones when left out. */
  readonly teams?: readonly SimTeam[];
  readonly denies?: true;
}
export interface Code {
  readonly app: SimApp;
  readonly by: SimUser;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly isForApp: boolean;
  readonly challenge: string | undefined;
  readonly teams: readonly SimTeam[] | undefined;
  readonly expiresAt: number;
}
export interface Refresh {
  readonly app: SimApp;
  readonly token: SimToken;
}
/** What each kind of grant gives, or why it gives nothing. */
export type Grants = Readonly<
  Record<string, (app: SimApp, form: URLSearchParams) => Record<string, unknown> | string>
>;

const codeLifeMs = 10 * 60_000;
const appScopes = ["app:assignable", "app:mentionable"];

/** The three doors of the authorisation server. */
export function mountOAuth(
  routes: Hono,
  linear: Linear,
  server: {
    readonly codes: Map<string, Code>;
    readonly refreshes: ReadonlyMap<string, Refresh>;
    readonly grants: Grants;
    consent(): Consent | undefined;
    /** Kills tokens and whatever could renew them. */
    forget(isMeant: (token: SimToken) => boolean): void;
  },
): void {
  routes.get("/oauth/authorize", (context) => {
    const asked = context.req.query();
    const app = linear.apps.find(({ clientId }) => clientId === asked["client_id"]);
    if (app === undefined) return context.text("Invalid client_id", 400);
    const redirectUri = asked["redirect_uri"] ?? "";
    if (!app.redirectUris.includes(redirectUri))
      return context.text("Invalid redirect_uri for the application", 400);
    const back = (params: Readonly<Record<string, string>>): Response => {
      const to = new URL(redirectUri);
      for (const [name, value] of Object.entries(params)) to.searchParams.set(name, value);
      if (asked["state"] !== undefined) to.searchParams.set("state", asked["state"]);
      return context.redirect(to.href);
    };
    const scopes = scopesIn(asked["scope"]);
    const isForApp = asked["actor"] === "app";
    const wrong = wrongIn(asked, scopes, isForApp);
    if (wrong !== undefined) return back({ error: "invalid_request", error_description: wrong });
    const consent = server.consent();
    if (consent === undefined) return context.text("Log in to Linear first: nobody gives consent here", 401);
    if (consent.denies === true)
      return back({ error: "access_denied", error_description: "The person refused" });
    if (isForApp && !consent.by.admin)
      return back({ error: "access_denied", error_description: "Only an admin can install an app" });
    const code = linear.secret();
    server.codes.set(code, {
      app,
      by: consent.by,
      redirectUri,
      scopes,
      isForApp,
      challenge: asked["code_challenge"],
      teams: consent.teams,
      expiresAt: linear.world.clock.now() + codeLifeMs,
    });
    return back({ code });
  });
  routes.post("/oauth/token", async (context) => {
    const form = new URLSearchParams(await context.req.text());
    const client = clientIn(form, context.req.header("authorization"));
    const app = linear.apps.find(({ clientId }) => clientId === client.id);
    if (app === undefined || (client.secret !== null && client.secret !== app.clientSecret))
      return context.json(
        { error: "invalid_client", error_description: "Unknown client_id or wrong client_secret" },
        401,
      );
    if (client.secret !== null) form.set("client_secret", client.secret);
    const grant = server.grants[form.get("grant_type") ?? ""];
    if (grant === undefined)
      return context.json({ error: "unsupported_grant_type", error_description: "Unknown grant_type" }, 400);
    const given = grant(app, form);
    return typeof given === "string"
      ? context.json({ error: "invalid_grant", error_description: given }, 400)
      : context.json(given);
  });
  routes.post("/oauth/revoke", async (context) => {
    const form = new URLSearchParams(await context.req.text());
    const bearer = /^Bearer (\S+)$/.exec(context.req.header("authorization") ?? "")?.[1];
    const value = form.get("token") ?? form.get("access_token") ?? form.get("refresh_token") ?? bearer ?? "";
    const token = linear.tokens.get(value) ?? server.refreshes.get(value)?.token;
    if (token === undefined)
      return context.json(
        { error: "invalid_request", error_description: "The token is unknown or already revoked" },
        400,
      );
    server.forget((one) => one === token);
    return context.json({});
  });
}

function wrongIn(
  asked: Readonly<Record<string, string>>,
  scopes: readonly string[],
  isForApp: boolean,
): string | undefined {
  if (asked["response_type"] !== "code") return "response_type must be code";
  if (asked["code_challenge"] !== undefined && asked["code_challenge_method"] !== "S256")
    return "code_challenge_method must be S256";
  const unknown = scopes.find((scope) => !knownScopes.includes(scope));
  if (unknown !== undefined) return `unknown scope ${unknown}`;
  if (isForApp && scopes.includes("admin")) return "actor=app cannot ask for admin";
  const forApps = scopes.find((scope) => appScopes.includes(scope));
  return forApps !== undefined && !isForApp ? `${forApps} needs actor=app` : undefined;
}

const knownScopes = [
  "read",
  "write",
  "issues:create",
  "comments:create",
  "timeSchedule:write",
  "admin",
  ...appScopes,
];

/** Scopes come apart by commas or spaces; `read` is always among them. */
export const scopesIn = (text: string | null | undefined): readonly string[] => [
  ...new Set(["read", ...(text ?? "").split(/[\s,]+/).filter((scope) => scope !== "")]),
];

function clientIn(
  form: URLSearchParams,
  authorization: string | undefined,
): { id: string | null; secret: string | null } {
  const basic = /^Basic (.+)$/.exec(authorization ?? "")?.[1];
  if (basic === undefined) return { id: form.get("client_id"), secret: form.get("client_secret") };
  const [id = null, secret = null] = Buffer.from(basic, "base64").toString("utf8").split(":");
  return { id, secret };
}
