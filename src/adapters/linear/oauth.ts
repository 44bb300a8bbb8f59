/** Linear's OAuth endpoints, and whom a token speaks for. Nothing said here holds a token or the app's secret. */
import { z } from "zod";
import { consentPage, type LinearSettings } from "../../config-linear.ts";
import { Trouble, type Clock } from "../../ports.ts";
import { linearScopes, type LinearIdentity, type LinearOAuth, type TokenAnswer } from "../../ports-linear.ts";
import { Problem } from "../../problems.ts";
import { redactKnown } from "../../secrets.ts";

type Fetch = typeof globalThis.fetch;

/** Short enough that whoever waits for a token does not wait for long. */
export const linearRequestMs = 15_000;
const longestBody = 1_000_000;
const longestReason = 300;
/** What Linear gives; counted with when an answer does not say. */
const usualLifetimeMs = 24 * 3_600_000;
/** Where Linear names no time itself. */
const quietMs = 60_000;
const revokeCommand = "forgehand auth linear --revoke";

const scopeList = z
  .union([z.string(), z.array(z.string())])
  .transform((scopes) =>
    (typeof scopes === "string" ? scopes.split(/[\s,]+/u) : scopes).filter((one) => one !== ""),
  );
const Granted = z.object({
  access_token: z.string().min(1).max(10_000),
  refresh_token: z.string().min(1).max(10_000).nullish(),
  expires_in: z.number().positive().max(1e9).nullish(),
  scope: scopeList.nullish(),
});
const Refusal = z.object({
  error: z.string().max(10_000),
  error_description: z.string().max(10_000).nullish(),
});
const GraphQlErrors = z.object({
  errors: z.array(
    z.object({
      message: z.string().default(""),
      extensions: z.object({ code: z.string().optional(), type: z.string().optional() }).optional(),
    }),
  ),
});
const Identity = z.object({
  data: z.object({
    viewer: z.object({ id: z.string(), name: z.string() }),
    organization: z.object({ id: z.string(), name: z.string(), urlKey: z.string() }),
  }),
});
const identityQuery = "query Identity { viewer { id name } organization { id name urlKey } }";

export interface LinearOAuthOptions {
  readonly settings: LinearSettings;
  readonly fetch: Fetch;
  readonly clock: Pick<Clock, "now">;
}

/** The connection to one Linear, for one app. */
export function openLinearOAuth({ settings, fetch, clock }: LinearOAuthOptions): LinearOAuth {
  const { clientId = "", clientSecret, apiUrl } = settings;
  const app: Readonly<Record<string, string>> = {
    client_id: clientId,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
  };
  const ask = asking({ fetch, clock, apiUrl });
  const token = async (form: Readonly<Record<string, string>>): Promise<TokenAnswer> => {
    const answer = await ask({ doing: "give us a token", path: "/oauth/token", form: { ...form, ...app } });
    return answer.status < 300 ? { is: "granted", pair: pairIn(answer.json) } : refusalIn(answer);
  };
  return {
    clientId,
    consentUrl: ({ redirect, state, challenge }) => {
      const url = new URL(consentPage(apiUrl));
      url.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirect,
        response_type: "code",
        scope: linearScopes.join(","),
        state,
        actor: "app",
        // So that a second workspace can be chosen where one was consented to before.
        prompt: "consent",
        code_challenge: challenge,
        code_challenge_method: "S256",
      }).toString();
      return url.toString();
    },
    exchange: (code, { redirect, verifier }) =>
      token({ grant_type: "authorization_code", code, redirect_uri: redirect, code_verifier: verifier }),
    refresh: (refreshToken) => token({ grant_type: "refresh_token", refresh_token: refreshToken }),
    clientCredentials: () => token({ grant_type: "client_credentials", scope: linearScopes.join(",") }),
    revoke: async ({ access, refresh }) => {
      for (const [hint, value] of [
        ["refresh_token", refresh],
        ["access_token", access],
      ] as const) {
        if (value === undefined) continue;
        const form = { ...app, token: value, token_type_hint: hint };
        const answer = await ask({ doing: "revoke our tokens", path: "/oauth/revoke", form, bearer: access });
        if (answer.status < 300) continue;
        const refusal = Refusal.safeParse(answer.json).data;
        if (refusal?.error === "invalid_client") {
          const why = wordsOf(refusal, answer.redacted);
          throw new Problem("linear-app-refused", { client: clientId, why, command: revokeCommand });
        }
        // What Linear does not know any more is revoked.
        if (![400, 401].includes(answer.status))
          throw unavailable("revoke our tokens", `status ${answer.status}`);
      }
    },
    identity: async (value, as) => {
      const answer = await ask({
        doing: "say who we are",
        path: "/graphql",
        query: identityQuery,
        bearer: as === "app" ? value : undefined,
        key: as === "person" ? value : undefined,
      });
      return identityIn(answer);
    },
  };
}

interface Asked {
  readonly doing: string;
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly bearer?: string | undefined;
  /** A personal API key is sent without `Bearer`. */
  readonly key?: string | undefined;
}
interface Answered {
  readonly status: number;
  /** Undefined when it is no JSON. */
  readonly json: unknown;
  /** Takes the secrets that were sent out of what is said. */
  readonly redacted: (text: string) => string;
}

/** Fields of a form that may be said; each other one holds a secret. */
const plainFields = new Set(["grant_type", "redirect_uri", "client_id", "scope", "token_type_hint"]);

function secretsIn({ form = {}, bearer, key }: Asked): readonly string[] {
  const fields = Object.entries(form).flatMap(([name, value]) => (plainFields.has(name) ? [] : [value]));
  return [...fields, bearer, key].filter((one) => one !== undefined);
}

/** One request. What passes by itself is thrown as Trouble; every other answer is for the caller. */
function asking({
  fetch,
  clock,
  apiUrl,
}: {
  readonly fetch: Fetch;
  readonly clock: Pick<Clock, "now">;
  readonly apiUrl: string;
}) {
  return async (asked: Asked): Promise<Answered> => {
    const { doing, path, form, query, bearer, key } = asked;
    const redacted = redactKnown(secretsIn(asked));
    let response: Response;
    let json: unknown;
    try {
      const authorization = bearer === undefined ? key : `Bearer ${bearer}`;
      response = await fetch(`${apiUrl}${path}`, {
        method: "POST",
        headers: {
          accept: "application/json",
          "content-type": form === undefined ? "application/json" : "application/x-www-form-urlencoded",
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: form === undefined ? JSON.stringify({ query }) : new URLSearchParams(form).toString(),
        // What we send is for this address alone.
        redirect: "error",
        signal: AbortSignal.timeout(linearRequestMs),
      });
      json = parsed(await bodyOf(response));
    } catch (error) {
      throw unavailable(doing, reasonOf(error, redacted));
    }
    const { status } = response;
    if (status === 429 || graphQlCodes(json).includes("RATELIMITED")) {
      const retryAt = limitedUntil(response.headers, clock.now());
      throw new Trouble("linear-rate-limited", `Linear could not ${doing}: its rate limit is reached.`, {
        retryAt,
      });
    }
    if (status >= 500 || status === 408) throw unavailable(doing, `status ${status}`);
    return { status, json, redacted };
  };
}

async function bodyOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestBody) throw new Error("the answer is too long");
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unavailable = (doing: string, why: string): Trouble =>
  new Trouble("linear-unavailable", `Linear could not ${doing}: ${why}.`);

function reasonOf(error: unknown, redacted: Answered["redacted"]): string {
  if (error instanceof Error && error.name === "TimeoutError") return "no answer in time";
  // `fetch failed` says nothing; what is behind it does.
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const reason =
    cause instanceof Error
      ? cause.message || ("code" in cause ? String(cause.code) : cause.name)
      : String(cause);
  // Cut last: part of a secret is not known for one.
  return `no answer (${redacted(reason).slice(0, longestReason)})`;
}

const graphQlCodes = (json: unknown): readonly string[] =>
  (GraphQlErrors.safeParse(json).data?.errors ?? []).flatMap(({ extensions }) =>
    [extensions?.code, extensions?.type].flatMap((code) => code?.toUpperCase() ?? []),
  );

/** Linear counts its limits in windows and names the end of each in milliseconds. */
function limitedUntil(headers: Headers, now: number): number {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  if (seconds > 0 && seconds < 86_400) return now + seconds * 1000;
  const ends = [
    "x-ratelimit-requests-reset",
    "x-ratelimit-endpoint-requests-reset",
    "x-ratelimit-complexity-reset",
  ]
    .map((name) => Number(headers.get(name) ?? Number.NaN))
    .filter((end) => end > now && end < now + 86_400_000);
  return ends.length === 0 ? now + quietMs : Math.min(...ends);
}

function pairIn(json: unknown) {
  const granted = Granted.safeParse(json);
  if (!granted.success) throw unavailable("give us a token", "its answer holds none");
  const { access_token: access, refresh_token: refresh, expires_in: seconds, scope } = granted.data;
  return {
    access,
    refresh: refresh ?? undefined,
    scopes: scope ?? undefined,
    lifetimeMs: seconds === undefined || seconds === null ? usualLifetimeMs : seconds * 1000,
  };
}

function refusalIn({ status, json, redacted }: Answered): TokenAnswer {
  const refusal = Refusal.safeParse(json);
  if (!refusal.success) throw unavailable("give us a token", `status ${status} without a reason`);
  const words = wordsOf(refusal.data, redacted);
  switch (refusal.data.error) {
    case "invalid_grant":
    case "access_denied":
      return { is: "refused", why: words };
    case "temporarily_unavailable":
    case "server_error":
      throw unavailable("give us a token", words);
    default:
      return { is: "app-refused", why: words };
  }
}

function wordsOf(
  { error, error_description: more }: z.output<typeof Refusal>,
  redacted: Answered["redacted"],
): string {
  return redacted([error, more ?? ""].join(" ").trim())
    .replaceAll(/[^\x20-\x7e]/gu, " ")
    .slice(0, longestReason);
}

function identityIn({ status, json }: Answered): LinearIdentity | undefined {
  const codes = graphQlCodes(json);
  if (status === 401 || codes.includes("AUTHENTICATION_ERROR")) return undefined;
  const told = Identity.safeParse(json);
  if (!told.success)
    throw unavailable("say who we are", `status ${status}${codes[0] === undefined ? "" : `, ${codes[0]}`}`);
  const { viewer, organization } = told.data.data;
  return { workspace: organization, user: viewer };
}
