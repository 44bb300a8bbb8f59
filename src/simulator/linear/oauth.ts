import { createHash } from "node:crypto";
import { Hono } from "hono";
import { installOf, type Linear, type SimApp, type SimInstall, type SimToken } from "./context.ts";
import { tellApp } from "./telling.ts";
import { born, touch, type SimOrganization, type SimTeam, type SimUser } from "./world.ts";

/** Who stands before the consent screen, and what they press. */
export interface Consent {
  readonly by: SimUser;
  /** Teams the app may enter; all public ones when left out. */
  readonly teams?: readonly SimTeam[];
  readonly denies?: true;
}
interface Code {
  readonly app: SimApp;
  readonly by: SimUser;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly isForApp: boolean;
  readonly challenge: string | undefined;
  readonly teams: readonly SimTeam[] | undefined;
  readonly expiresAt: number;
}
interface Refresh {
  readonly app: SimApp;
  readonly token: SimToken;
}
export interface OAuth {
  readonly routes: Hono;
  /** Who consents to the next authorisations; nobody is logged in while this is undefined. */
  consent: Consent | undefined;
  /** Lets an app in without the walk through the browser, and gives it a pair of tokens. */
  install(
    app: SimApp,
    organization: SimOrganization,
    how: { readonly scopes: readonly string[]; readonly teams?: readonly SimTeam[] },
  ): { readonly install: SimInstall; readonly accessToken: string; readonly refreshToken: string };
  /** Throws an app out of a workspace: its tokens are dead and it is told. */
  revoke(app: SimApp, organization: SimOrganization): void;
}

const dayMs = 24 * 3_600_000;
const codeLifeMs = 10 * 60_000;
const appScopes = ["app:assignable", "app:mentionable"];

/** Linear's authorisation server. */
export function openOAuth(linear: Linear): OAuth {
  const { world } = linear;
  const codes = new Map<string, Code>();
  const refreshes = new Map<string, Refresh>();
  const now = (): number => world.clock.now();

  const issue = (
    app: SimApp,
    user: SimUser,
    scopes: readonly string[],
    is: SimToken["is"],
    lifeMs: number,
  ): SimToken => {
    const value = `lin_oauth_${linear.secret()}`;
    const token: SimToken = {
      value,
      is,
      user,
      scopes,
      app,
      install: installOf(linear, user),
      expiresAt: now() + lifeMs,
    };
    linear.tokens.set(value, token);
    return token;
  };
  const pair = (
    app: SimApp,
    user: SimUser,
    scopes: readonly string[],
  ): { token: SimToken; refresh: string } => {
    const token = issue(app, user, scopes, "oauth", dayMs);
    const refresh = `lin_refresh_${linear.secret()}`;
    refreshes.set(refresh, { app, token });
    return { token, refresh };
  };
  const admit = (
    app: SimApp,
    organization: SimOrganization,
    scopes: readonly string[],
    teams: readonly SimTeam[] | undefined,
  ): SimInstall => {
    const old = linear.installs.find((one) => one.app === app && one.organization === organization);
    const install = old ?? {
      app,
      organization,
      user: appUserOf(linear, app, organization),
      scopes,
      teams: [],
      entersAllPublicTeams: true,
    };
    install.user.active = true;
    install.scopes = scopes;
    install.teams = teams ?? [];
    install.entersAllPublicTeams = teams === undefined;
    if (old === undefined) linear.installs.push(install);
    return install;
  };
  const answer = ({ token, refresh }: { token: SimToken; refresh?: string }): Record<string, unknown> => ({
    access_token: token.value,
    token_type: "Bearer",
    expires_in: Math.floor((token.expiresAt - now()) / 1_000),
    scope: token.scopes.join(" "),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
  });

  const grants: Readonly<
    Record<string, (app: SimApp, form: URLSearchParams) => Record<string, unknown> | string>
  > = {
    authorization_code: (app, form) => {
      const code = codes.get(form.get("code") ?? "");
      // A code is good for one try, whatever comes of it.
      codes.delete(form.get("code") ?? "");
      if (code === undefined || code.app !== app || code.expiresAt <= now())
        return "the code is unknown, used or too old";
      if (code.redirectUri !== form.get("redirect_uri"))
        return "redirect_uri is not the one that was authorised";
      const hash = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (code.challenge !== undefined && code.challenge !== hash)
        return "code_verifier does not match the challenge";
      if (code.challenge === undefined && form.get("client_secret") !== app.clientSecret)
        return "client_secret is wrong";
      const user = code.isForApp ? admit(app, code.by.organization, code.scopes, code.teams).user : code.by;
      return answer(pair(app, user, code.scopes));
    },
    refresh_token: (app, form) => {
      const old = refreshes.get(form.get("refresh_token") ?? "");
      if (old === undefined || old.app !== app) return "the refresh token is unknown, used or revoked";
      refreshes.delete(form.get("refresh_token") ?? "");
      linear.tokens.delete(old.token.value);
      return answer(pair(app, old.token.user, old.token.scopes));
    },
    client_credentials: (app, form) => {
      if (form.get("client_secret") !== app.clientSecret) return "client_secret is wrong";
      if (!app.allowsClientCredentials) return "client credentials are not enabled for this application";
      const scopes = scopesIn(form.get("scope"));
      const { user } = admit(app, app.home, scopes, undefined);
      // There is one such token at a time.
      for (const { value, is, user: of } of linear.tokens.values())
        if (is === "client credentials" && of === user) linear.tokens.delete(value);
      return answer({ token: issue(app, user, scopes, "client credentials", 30 * dayMs) });
    },
  };

  const oauth: OAuth = {
    consent: undefined,
    routes: new Hono(),
    install: (app, organization, { scopes, teams }) => {
      const install = admit(app, organization, scopes, teams);
      const { token, refresh } = pair(app, install.user, scopes);
      return { install, accessToken: token.value, refreshToken: refresh };
    },
    revoke: (app, organization) => {
      const at = linear.installs.findIndex((one) => one.app === app && one.organization === organization);
      const install = linear.installs[at];
      if (install === undefined) throw new Error(`${app.name} is not installed in ${organization.name}`);
      forget(({ user }) => user === install.user);
      tellApp(linear, install, "OAuthApp", "revoked");
      linear.installs.splice(at, 1);
      install.user.active = false;
      touch(world, install.user);
    },
  };
  /** Kills tokens and whatever could renew them. */
  const forget = (isMeant: (token: SimToken) => boolean): void => {
    for (const [value, token] of linear.tokens) if (isMeant(token)) linear.tokens.delete(value);
    for (const [value, { token }] of refreshes) if (isMeant(token)) refreshes.delete(value);
  };

  oauth.routes.get("/oauth/authorize", (context) => {
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
    const { consent } = oauth;
    if (consent === undefined) return context.text("Log in to Linear first: nobody gives consent here", 401);
    if (consent.denies === true)
      return back({ error: "access_denied", error_description: "The person refused" });
    if (isForApp && !consent.by.admin)
      return back({ error: "access_denied", error_description: "Only an admin can install an app" });
    const code = linear.secret();
    codes.set(code, {
      app,
      by: consent.by,
      redirectUri,
      scopes,
      isForApp,
      challenge: asked["code_challenge"],
      teams: consent.teams,
      expiresAt: now() + codeLifeMs,
    });
    return back({ code });
  });
  oauth.routes.post("/oauth/token", async (context) => {
    const form = new URLSearchParams(await context.req.text());
    const client = clientIn(form, context.req.header("authorization"));
    const app = linear.apps.find(({ clientId }) => clientId === client.id);
    if (app === undefined || (client.secret !== null && client.secret !== app.clientSecret))
      return context.json(
        { error: "invalid_client", error_description: "Unknown client_id or wrong client_secret" },
        401,
      );
    if (client.secret !== null) form.set("client_secret", client.secret);
    const grant = grants[form.get("grant_type") ?? ""];
    if (grant === undefined)
      return context.json({ error: "unsupported_grant_type", error_description: "Unknown grant_type" }, 400);
    const given = grant(app, form);
    return typeof given === "string"
      ? context.json({ error: "invalid_grant", error_description: given }, 400)
      : context.json(given);
  });
  oauth.routes.post("/oauth/revoke", async (context) => {
    const form = new URLSearchParams(await context.req.text());
    const bearer = /^Bearer (\S+)$/.exec(context.req.header("authorization") ?? "")?.[1];
    const value = form.get("token") ?? form.get("access_token") ?? form.get("refresh_token") ?? bearer ?? "";
    const token = linear.tokens.get(value) ?? refreshes.get(value)?.token;
    if (token === undefined)
      return context.json(
        { error: "invalid_request", error_description: "The token is unknown or already revoked" },
        400,
      );
    forget((one) => one === token);
    return context.json({});
  });
  return oauth;
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
const scopesIn = (text: string | null | undefined): readonly string[] => [
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

/** The user an app has in a workspace; the same one when it comes back. */
function appUserOf({ world }: Linear, app: SimApp, organization: SimOrganization): SimUser {
  const email = `${app.clientId}@oauthapp.linear.app`;
  const old = world.tables.User.find((user) => user.email === email && user.organization === organization);
  if (old !== undefined) return old;
  const user: SimUser = {
    ...born(world, "User", undefined),
    organization,
    name: app.name,
    displayName: app.name.toLowerCase().replaceAll(/[^a-z0-9-]+/g, ""),
    email,
    active: true,
    admin: false,
    app: true,
    gitHubUserId: undefined,
  };
  world.tables.User.push(user);
  return user;
}
