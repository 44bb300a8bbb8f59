import { createPrivateKey } from "node:crypto";
import { createAppAuth } from "@octokit/auth-app";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { Octokit } from "@octokit/rest";
import { Trouble } from "../../ports.ts";
import type { Clock, Repo } from "../../ports.ts";
import { grantText } from "./permissions.ts";
import type { Grant } from "./permissions.ts";
import { asTrouble, statusOf } from "./trouble.ts";

const requestTimeoutMs = 30_000;
/** A token is renewed when less than this is left, so that it never ends in the middle of a push. */
const tokenMarginMs = 5 * 60_000;

const PacedOctokit = Octokit.plugin(retry, throttling);

/** For what a token is good: one repository, or all of an installation, and a grant. */
export interface TokenScope {
  readonly installation: number;
  readonly repo: Repo | undefined;
  readonly grant: Grant;
}
export interface Tokens {
  get(scope: TokenScope): Promise<string>;
  drop(scope: TokenScope, token: string): void;
}
interface Minted {
  readonly token: string;
  readonly until: number;
}

/** Mints installation tokens, each for one repository and one grant, and keeps them until shortly before they end. */
export function openTokens(app: Octokit, clock: Pick<Clock, "now">): Tokens {
  const minted = new Map<string, Minted>();
  const minting = new Map<string, Promise<Minted>>();
  const mint = async (name: string, scope: TokenScope): Promise<Minted> => {
    try {
      const { data } = await app.rest.apps.createInstallationAccessToken({
        installation_id: scope.installation,
        permissions: { ...scope.grant },
        ...(scope.repo === undefined ? {} : { repository_ids: [scope.repo.id] }),
      });
      const fresh = { token: data.token, until: Date.parse(data.expires_at) - tokenMarginMs };
      minted.set(name, fresh);
      return fresh;
    } catch (error) {
      throw mintTrouble(error, scope, clock.now());
    } finally {
      minting.delete(name);
    }
  };
  return {
    get: async (scope) => {
      const name = scopeName(scope);
      const known = minted.get(name);
      if (known !== undefined && known.until > clock.now()) return known.token;
      let coming = minting.get(name);
      if (coming === undefined) {
        coming = mint(name, scope);
        minting.set(name, coming);
      }
      return (await coming).token;
    },
    drop: (scope, token) => {
      const name = scopeName(scope);
      if (minted.get(name)?.token === token) minted.delete(name);
    },
  };
}

function mintTrouble(error: unknown, scope: TokenScope, now: number): unknown {
  const { installation, repo, grant } = scope;
  const where = repo === undefined ? `installation ${installation}` : `${repo.owner}/${repo.name}`;
  if (statusOf(error) === 422) {
    const needs = grantText(grant);
    return new Trouble(
      "github-forbidden",
      `GitHub gives no token for ${where}: installation ${installation} lacks one of ${needs}, or does not include that repository. Add what is missing to the App, accept it in the settings of the installation, and look with \`forgehand doctor\`.`,
      { cause: error, permanent: true },
    );
  }
  return asTrouble(error, {
    doing: "give us a token",
    where: `in ${where}`,
    needs: grantText(grant),
    installation,
    now,
  });
}

/** How the client behaves towards GitHub. */
export interface OctokitOptions {
  readonly userAgent: string;
  readonly log?: ((line: string) => void) | undefined;
  readonly pacing?: "github" | "none" | undefined;
  /** Told the headers of every answer, by whom it was given. */
  readonly heard?: ((client: string, headers: Readonly<Record<string, unknown>>) => void) | undefined;
}

/** The signature of Octokit's request hook, as far as we use it. */
type Send = (options: RequestOptions) => Promise<unknown>;
interface RequestOptions {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly request?: Readonly<Record<string, unknown>>;
}
export type AuthStrategy = (options: unknown) => unknown;

/** Puts a scoped token on every request; one that GitHub no longer accepts is dropped and the request sent once more. */
export function tokenAuth(tokens: Tokens, scope: TokenScope): AuthStrategy {
  const hook = async (send: Send, options: RequestOptions): Promise<unknown> => {
    const attempt = (token: string): Promise<unknown> =>
      send(limited({ ...options, headers: { ...options.headers, authorization: `bearer ${token}` } }));
    const token = await tokens.get(scope);
    try {
      return await attempt(token);
    } catch (error) {
      if (statusOf(error) !== 401) throw error;
      tokens.drop(scope, token);
      return attempt(await tokens.get(scope));
    }
  };
  return () => Object.assign(async () => ({ type: "installation" }), { hook });
}

/** Signs requests with the App's own key. The library sets the JWT back by 30 s and, when GitHub's clock still differs, by that difference. */
export function appAuthOf(options: { readonly appId: number; readonly privateKey: string }): AuthStrategy {
  const privateKey = options.privateKey.replaceAll(String.raw`\n`, "\n").trim();
  try {
    createPrivateKey(privateKey);
  } catch (cause) {
    throw new Trouble(
      "github-auth",
      "The App's private key cannot be read: expected the PEM file that GitHub offers under the App's settings, beginning with -----BEGIN.",
      { cause, permanent: true },
    );
  }
  return (settings) => {
    const auth = createAppAuth({ ...(settings as object), appId: options.appId, privateKey });
    const hook = (send: Send, request: RequestOptions): unknown =>
      // The library types its hook by the whole of Octokit's request interface, which these are.
      (auth.hook as unknown as (send: Send, request: RequestOptions) => unknown)(send, limited(request));
    return Object.assign(async () => ({ type: "app" }), { hook });
  };
}

function limited(options: RequestOptions): RequestOptions {
  return { ...options, request: { ...options.request, signal: AbortSignal.timeout(requestTimeoutMs) } };
}

export function octokitMaker(
  options: OctokitOptions,
  apiUrl: string,
): (id: string, auth: AuthStrategy) => Octokit {
  const paced = (options.pacing ?? (isLoopback(apiUrl) ? "none" : "github")) === "github";
  const say = (line: string): void => options.log?.(line);
  return (id, authStrategy) => {
    const octokit = new PacedOctokit({
      baseUrl: apiUrl,
      userAgent: options.userAgent,
      authStrategy,
      log: { debug: () => undefined, info: say, warn: say, error: say },
      // A limit is told to the outbox, which waits without holding a connection.
      throttle: { enabled: paced, id, onRateLimit: () => false, onSecondaryRateLimit: () => false },
      retry: { retries: 2, retryAfterBaseValue: paced ? 1000 : 10 },
    });
    // A lost answer to a write is looked up, never sent again blindly.
    octokit.hook.before("request", (request) => {
      if (request.method !== "GET") request.request["retries"] = 0;
    });
    octokit.hook.after("request", ({ headers }) => options.heard?.(id, headers));
    octokit.hook.error("request", (error) => {
      // A refusal tells what is left as well as an answer does.
      const { response } = error as { readonly response?: { readonly headers?: Record<string, unknown> } };
      if (response?.headers !== undefined) options.heard?.(id, response.headers);
      throw error;
    });
    return octokit;
  };
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

/** A token for this repository alone. */
export function repoScope(repo: Repo, grant: Grant): TokenScope {
  return { installation: repo.installation, repo, grant };
}

/** Equal scopes share one token and one client. */
export function scopeName({ installation, repo, grant }: TokenScope): string {
  return `${installation}/${repo?.id ?? "all"}/${grantText(grant)}`;
}
