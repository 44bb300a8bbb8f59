/** What the process was told of Linear. */
import { z } from "zod";

export interface LinearSettings {
  /** Undefined where only a personal API key is set. */
  readonly clientId: string | undefined;
  /** A public client has none. */
  readonly clientSecret: string | undefined;
  /** Of a person, for trials. */
  readonly apiKey: string | undefined;
  /** Without a trailing slash. */
  readonly apiUrl: string;
  /** Where Linear sends the browser back to; on this host. */
  readonly redirect: string;
}

const isLoopback = (host: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(host);

const apiUrl = () =>
  z
    .url({ protocol: /^https?$/u, error: "an https URL is expected" })
    .refine((url) => !/^[^/]*\/\/[^/]*@/u.test(url), "it must not hold credentials")
    // A token must not cross a network in the clear.
    .refine((url) => {
      const { protocol, hostname } = new URL(url);
      return protocol === "https:" || isLoopback(hostname);
    }, "an https URL is expected; http only on this host")
    .transform((url) => url.replace(/\/+$/u, ""));

const redirect = () =>
  z
    .url({ protocol: /^http$/u, error: "an http URL on this host is expected" })
    .refine(
      (url) => isLoopback(new URL(url).hostname),
      "it must be on localhost: Linear's answer comes to this process",
    )
    .refine(
      (url) => new URL(url).port !== "",
      "it must name a port, such as http://localhost:8977/linear/callback",
    )
    .refine((url) => !/[?#@]/u.test(url), "only host, port and path are expected");

/** A key of 32 bytes; the message never shows it. */
const secretKey = () =>
  z
    .string()
    .refine(
      (text) => keyBytes(text) !== undefined,
      "32 bytes in base64 or hex are expected, as `openssl rand -base64 32` makes them",
    );

/** The 32 bytes that a text spells in hex or base64; undefined when it spells something else. */
export function keyBytes(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/iu.test(text)) return Buffer.from(text, "hex");
  if (!/^[A-Za-z0-9+/_-]{43}=?$/u.test(text)) return undefined;
  return Buffer.from(text, "base64");
}

/** Schemas of the settings, by name; `config-environment.ts` lists them with the others. */
export const linearSchemas = {
  LINEAR_CLIENT_ID: () => z.string().regex(/^[\w.-]{1,200}$/u, "a client id is expected"),
  LINEAR_CLIENT_SECRET: () => z.string().min(1, "it is empty").max(1000, "it is too long"),
  LINEAR_API_KEY: () => z.string().regex(/^[\x21-\x7e]{1,1000}$/u, "one word is expected"),
  LINEAR_API_URL: apiUrl,
  LINEAR_REDIRECT: redirect,
  SECRET_KEY: secretKey,
} as const;

/** What holds where nothing is set. */
export const linearDefaults = {
  apiUrl: "https://api.linear.app",
  redirect: "http://localhost:8977/linear/callback",
};

type Read = <Name extends keyof typeof linearSchemas>(
  name: Name,
) => z.output<ReturnType<(typeof linearSchemas)[Name]>> | undefined;

/** Undefined where nobody speaks of Linear. */
export function linearSettings(read: Read): LinearSettings | undefined {
  const clientId = read("LINEAR_CLIENT_ID");
  const apiKey = read("LINEAR_API_KEY");
  if (clientId === undefined && apiKey === undefined) return undefined;
  return {
    clientId,
    clientSecret: read("LINEAR_CLIENT_SECRET"),
    apiKey,
    apiUrl: read("LINEAR_API_URL") ?? linearDefaults.apiUrl,
    redirect: read("LINEAR_REDIRECT") ?? linearDefaults.redirect,
  };
}

/** The page where a person consents: Linear's own lies beside its API, another's below it. */
export const consentPage = (api: string): string =>
  new URL(api).hostname === "api.linear.app"
    ? "https://linear.app/oauth/authorize"
    : `${api}/oauth/authorize`;

/** One secret that Linear signs webhooks with. */
export interface LinearWebhookSecret {
  readonly secret: string;
  /** Id of the one workspace it speaks for; undefined for an application's, which speaks for all that installed it. */
  readonly workspace: string | undefined;
}
const uuid = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const entry = new RegExp(`^(?:(${uuid})=)?([^\\s,=]+=*)$`, "u");

/** `SECRET`, or `WORKSPACE-ID=SECRET`; several with commas between. */
export const linearSecretsSchema = () =>
  z
    .string()
    .min(1, "it is empty")
    .max(20_000, "it is too long")
    .transform((text, context): readonly LinearWebhookSecret[] =>
      text.split(",").flatMap((part) => {
        const [, workspace, secret] = entry.exec(part.trim()) ?? [];
        if (secret !== undefined) return [{ secret, workspace: workspace?.toLowerCase() }];
        // The entry itself may be a secret and is not repeated.
        context.addIssue(
          "each entry is a secret, or the id of a workspace (a UUID), = and its secret; commas stand between",
        );
        return [];
      }),
    );

/** An old secret alone is a mistake: nothing new would be taken. */
export const linearSecrets = (
  current: readonly LinearWebhookSecret[] | undefined,
  previous: readonly LinearWebhookSecret[] = [],
): readonly LinearWebhookSecret[] | undefined =>
  current === undefined ? undefined : [...current, ...previous];
