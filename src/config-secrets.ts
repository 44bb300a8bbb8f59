import type { Environment } from "./config-environment.ts";
import type { ServerBundles } from "./config-servers.ts";

/** A header as short as this is a word such as `application/json`, and would be cut out of everything. */
const shortestSecret = 20;
const secretName = /(?:KEY|TOKEN|SECRET|SECRET_PREVIOUS|PASSWORD|PASSWD|CREDENTIALS?)$/iu;

/**
 * Values that must not be kept anywhere: our own secrets, whatever a variable of this process or of a server of tools
 * calls one, and what is sent in such a server's headers.
 */
export function secretValues(
  {
    github,
    linear,
    linearWebhookSecrets = [],
    secretKey,
    metricsToken,
    notify = [],
  }: Pick<
    Environment,
    "github" | "linear" | "linearWebhookSecrets" | "secretKey" | "metricsToken" | "notify"
  >,
  env: Readonly<Record<string, string | undefined>>,
  bundles: ServerBundles,
): readonly string[] {
  const servers = [...bundles.values()].flatMap((bundle) => bundle.servers);
  const named = [env, ...servers.flatMap((one) => (one.is === "http" ? [] : [one.env]))].flatMap(
    (variables) =>
      Object.entries(variables).flatMap(([name, value]) =>
        value !== undefined && secretName.test(name) ? value.trim() : [],
      ),
  );
  // Of `Bearer …` the last word is the secret.
  const sent = servers.flatMap((one) =>
    one.is === "http"
      ? Object.values(one.headers).flatMap((value) => value.trim().split(/\s+/u).at(-1) ?? [])
      : [],
  );
  named.push(...sent.filter((value) => value.length >= shortestSecret));
  const own = [linear?.clientSecret, linear?.apiKey, secretKey, metricsToken].filter(
    (value) => value !== undefined,
  );
  named.push(...own);
  named.push(...notify.flatMap(({ secrets }) => secrets));
  named.push(...linearWebhookSecrets.map((one) => one.secret));
  return github === undefined ? named : [...named, github.privateKey, ...github.webhookSecrets];
}
