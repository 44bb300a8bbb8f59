/** Making a GitHub App of a manifest: https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest */
import { z } from "zod";
import { Trouble } from "../../ports.ts";
import { webUrlOf } from "./app.ts";

/** `app.yml` as it ships. */
export const ShippedManifest = z.object({
  name: z.string(),
  url: z.string(),
  description: z.string(),
  default_permissions: z.record(z.string(), z.string()),
  default_events: z.array(z.string()),
});
export type ShippedManifest = z.output<typeof ShippedManifest>;

export interface ManifestChoices {
  readonly name: string;
  /** Where GitHub posts deliveries, or tries to. */
  readonly hookUrl: string;
  /** Where the browser comes back to with the code, and after installing; undefined only to look at the manifest. */
  readonly back: { readonly created: string; readonly installed: string } | undefined;
  /** Address of the dashboard; undefined: it has none that people elsewhere reach. */
  readonly publicUrl: string | undefined;
}

/** Where the App sends people back to who log in through it. */
export const loginCallback = (publicUrl: string): string => `${publicUrl}/login/github/callback`;

/** What GitHub is asked to make: private, its permissions and events those of `app.yml`. */
export function appManifest(
  shipped: ShippedManifest,
  { name, hookUrl, back, publicUrl }: ManifestChoices,
): object {
  return {
    name,
    url: shipped.url,
    description: shipped.description,
    public: false,
    hook_attributes: { url: hookUrl, active: true },
    ...(back === undefined
      ? {}
      : { redirect_url: back.created, setup_url: back.installed, setup_on_update: false }),
    ...(publicUrl === undefined
      ? {}
      : { callback_urls: [loginCallback(publicUrl)], request_oauth_on_install: false }),
    default_permissions: shipped.default_permissions,
    default_events: shipped.default_events,
  };
}

/** The page that takes a manifest, for a person's own account or an organisation's. */
export function registrationUrl(apiUrl: string, org: string | undefined, state: string): string {
  const owner = org === undefined ? "" : `/organizations/${encodeURIComponent(org)}`;
  return `${webUrlOf(apiUrl)}${owner}/settings/apps/new?state=${encodeURIComponent(state)}`;
}

/** An App as GitHub hands it out, once. */
export interface MadeApp {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly owner: string;
  readonly htmlUrl: string;
  /** PEM. */
  readonly privateKey: string;
  readonly webhookSecret: string;
  /** With which people log in through it. */
  readonly client: { readonly id: string; readonly secret: string };
}
const Converted = z.object({
  id: z.number(),
  slug: z.string(),
  name: z.string(),
  html_url: z.url({ protocol: /^https?$/u }),
  owner: z.object({ login: z.string() }),
  pem: z.string(),
  webhook_secret: z.string().min(1),
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
});
const exchangeMs = 30_000;

/** Exchanges the code; `expired` when GitHub knows none such: it is good once, and for an hour. */
export async function convertCode(
  apiUrl: string,
  code: string,
  ask: typeof globalThis.fetch,
): Promise<MadeApp | "expired"> {
  const what = "GitHub could not turn the manifest's code into an App";
  let answer: Response;
  try {
    answer = await ask(`${apiUrl}/app-manifests/${encodeURIComponent(code)}/conversions`, {
      method: "POST",
      headers: { accept: "application/vnd.github+json", "user-agent": "forgehand" },
      redirect: "error",
      signal: AbortSignal.timeout(exchangeMs),
    });
  } catch (cause) {
    const why = cause instanceof Error ? reasonOf(cause) : String(cause);
    throw new Trouble("github-unavailable", `${what}: no answer (${why}).`, { cause });
  }
  if (answer.status === 404 || answer.status === 410 || answer.status === 422) {
    await answer.body?.cancel();
    return "expired";
  }
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Trouble("github-unavailable", `${what}: status ${answer.status}.`);
  }
  // What went wrong with an answer full of secrets is not repeated.
  const parsed = Converted.safeParse(await answer.json().catch(() => undefined));
  if (!parsed.success) throw new Trouble("github-unavailable", `${what}: its answer is not one of an App.`);
  const { id, slug, name, owner, html_url: htmlUrl, pem, webhook_secret: webhookSecret } = parsed.data;
  const client = { id: parsed.data.client_id, secret: parsed.data.client_secret };
  return { id, slug, name, owner: owner.login, htmlUrl, privateKey: pem, webhookSecret, client };
}

const reasonOf = (error: Error): string =>
  error.cause instanceof Error ? error.cause.message : error.message;
