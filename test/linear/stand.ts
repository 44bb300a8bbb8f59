/** A Linear that signs in and nothing else: refresh tokens rotate and work once, and it can be made to misbehave. */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const app = { id: "forgehand-app", secret: "honey-client-secret-7f3a9c" } as const;
export const scopes = ["read", "write", "app:assignable", "app:mentionable"];

interface Family {
  readonly organisation: string;
  access: string;
  refresh: string | undefined;
  isRevoked: boolean;
}
export interface Misdeed {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
export interface LinearStand {
  readonly url: string;
  /** Grant types asked for, in order. */
  readonly asked: string[];
  /** Every secret it ever gave or was given. */
  readonly secrets: Set<string>;
  /** Answers the next requests for tokens; `reset` drops the connection, `lost` does the work and drops the answer. */
  readonly next: (Misdeed | "reset" | "lost")[];
  organisation: { readonly id: string; readonly name: string; readonly urlKey: string };
  lifetimeSeconds: number;
  grantedScopes: readonly string[];
  /** What consent comes to. */
  consents: "yes" | "denied" | "expired-code";
  /** Ends every token of the organisation. */
  revokeAll(): void;
  readonly revoked: string[];
  /** Grants as if a browser had consented. */
  grant(): { readonly access: string; readonly refresh: string };
  /** Answers to requests for tokens are held until released. */
  hold(): () => void;
  close(): Promise<void>;
}

export async function openLinearStand(): Promise<LinearStand> {
  const families: Family[] = [];
  const codes = new Map<string, { readonly challenge: string; readonly redirect: string }>();
  let held: Promise<void> | undefined;
  const mint = (kind: string): string => {
    const token = `honey_${kind}_${randomBytes(24).toString("hex")}`;
    stand.secrets.add(token);
    return token;
  };
  const granted = (family: Family): object => ({
    access_token: family.access,
    token_type: "Bearer",
    expires_in: stand.lifetimeSeconds,
    scope: stand.grantedScopes.join(" "),
    ...(family.refresh === undefined ? {} : { refresh_token: family.refresh }),
  });
  const found = (kind: "code" | "client-credentials"): Family => {
    const family: Family = {
      organisation: stand.organisation.id,
      access: mint("access"),
      refresh: kind === "code" ? mint("refresh") : undefined,
      isRevoked: false,
    };
    families.push(family);
    return family;
  };
  const refused = (error: string, error_description: string): Misdeed => ({
    status: 400,
    body: { error, error_description },
  });
  const token = (form: URLSearchParams): Misdeed => {
    const secret = form.get("client_secret");
    if (form.get("client_id") !== app.id) return refused("invalid_client", "Unknown client");
    if (secret !== null && secret !== app.secret)
      // Careless servers say back what they were sent.
      return refused("invalid_client", `Wrong secret ${secret}`);
    switch (form.get("grant_type")) {
      case "authorization_code": {
        const code = form.get("code") ?? "";
        const known = codes.get(code);
        codes.delete(code);
        const challenge = createHash("sha256")
          .update(form.get("code_verifier") ?? "")
          .digest("base64url");
        if (known === undefined || stand.consents === "expired-code")
          return refused("invalid_grant", `Code ${code} has expired`);
        if (known.challenge !== challenge || known.redirect !== form.get("redirect_uri"))
          return refused("invalid_grant", "PKCE verification failed");
        return { status: 200, body: granted(found("code")) };
      }
      case "refresh_token": {
        const sent = form.get("refresh_token") ?? "";
        const family = families.find(({ refresh }) => refresh === sent);
        if (family === undefined || family.isRevoked)
          return refused("invalid_grant", `Refresh token ${sent} is invalid`);
        family.access = mint("access");
        family.refresh = mint("refresh");
        return { status: 200, body: granted(family) };
      }
      case "client_credentials":
        if (secret === null) return refused("invalid_client", "A secret is needed");
        return { status: 200, body: granted(found("client-credentials")) };
      default:
        return refused("unsupported_grant_type", "No");
    }
  };
  const authorize = (url: URL): Misdeed => {
    const query = url.searchParams;
    const back = new URL(query.get("redirect_uri") ?? "http://localhost:1/");
    back.searchParams.set("state", query.get("state") ?? "");
    if (query.get("client_id") !== app.id) return { status: 400, body: "Application not found" };
    if (stand.consents === "denied") {
      back.searchParams.set("error", "access_denied");
      back.searchParams.set("error_description", "The administrator said no");
    } else {
      const code = mint("code");
      codes.set(code, {
        challenge:
          query.get("code_challenge_method") === "S256" ? (query.get("code_challenge") ?? "") : "none",
        redirect: query.get("redirect_uri") ?? "",
      });
      back.searchParams.set("code", code);
    }
    return { status: 302, headers: { location: back.toString() } };
  };
  const identity = (request: IncomingMessage): Misdeed => {
    const given = request.headers.authorization ?? "";
    const family = families.find(({ access, isRevoked }) => given === `Bearer ${access}` && !isRevoked);
    const isPerson = given === personalKey;
    if (family === undefined && !isPerson)
      return {
        status: 401,
        body: { errors: [{ message: "no", extensions: { code: "AUTHENTICATION_ERROR" } }] },
      };
    const viewer = isPerson
      ? { id: "user-ada", name: "Ada", app: false }
      : { id: "user-app", name: "forgehand", app: true };
    // Without teams, there are no boards to ask about.
    const none = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
    const data = { viewer, organization: stand.organisation, teams: none, issueLabels: none };
    return { status: 200, body: { data } };
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
    const url = new URL(request.url ?? "/", stand.url);
    let answer: Misdeed;
    switch (url.pathname) {
      case "/oauth/authorize":
        answer = authorize(url);
        break;
      case "/oauth/token": {
        stand.asked.push(form.get("grant_type") ?? "");
        const misdeed = stand.next.shift();
        if (misdeed === "reset") return void request.socket.destroy();
        answer = misdeed === undefined || misdeed === "lost" ? token(form) : misdeed;
        await held;
        if (misdeed === "lost") return void request.socket.destroy();
        break;
      }
      case "/oauth/revoke": {
        const value = form.get("token") ?? "";
        stand.revoked.push(value);
        for (const family of families)
          if ([family.access, family.refresh].includes(value)) family.isRevoked = true;
        answer = { status: 200 };
        break;
      }
      default:
        answer = identity(request);
    }
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // `address` is an object for a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  const stand: LinearStand = {
    url: `http://127.0.0.1:${port}`,
    asked: [],
    secrets: new Set([app.secret, personalKey]),
    next: [],
    organisation: { id: "org-acme", name: "Acme", urlKey: "acme" },
    lifetimeSeconds: 86_400,
    grantedScopes: scopes,
    consents: "yes",
    revokeAll: () => {
      for (const family of families)
        if (family.organisation === stand.organisation.id) family.isRevoked = true;
    },
    revoked: [],
    grant: () => {
      const { access, refresh = "" } = found("code");
      return { access, refresh };
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return stand;
}

export const personalKey = "honey_personal_0123456789abcdef";
