import { createHash } from "node:crypto";
import { Hono } from "hono";
import { installOf, type Linear, type SimApp, type SimInstall, type SimToken } from "./context.ts";
import { mountOAuth, scopesIn, type Code, type Consent, type Grants, type Refresh } from "./oauth-routes.ts";
import { tellApp } from "./telling.ts";
import { born, touch, type SimOrganization, type SimTeam, type SimUser } from "./world.ts";

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

  const grants: Grants = {
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

  mountOAuth(oauth.routes, linear, { codes, refreshes, grants, forget, consent: () => oauth.consent });
  return oauth;
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
