/** Linear: a form that is filled in, three values to copy back, and the sign-in. */
import { linearDefaults, linearSchemas, linearSecretsSchema } from "../config-linear.ts";
import { changeSettings } from "../settings-file.ts";
import type { Init } from "./init-context.ts";
import { keepSecrets, writeSettings } from "./settings-store.ts";

export interface LinearForm {
  readonly redirect: string;
  /** Where Linear reaches this host; undefined where there is no such URL. */
  readonly webhookUrl: string | undefined;
}
/** What of Linear's webhooks somebody reads, as the form calls it. */
const resources = ["Issue", "Comment", "IssueLabel", "AgentSessionEvent", "PermissionChange"];

/** The page on which an administrator makes the application, with everything filled in that can be. */
export function linearFormUrl({ redirect, webhookUrl }: LinearForm): string {
  const url = new URL("https://linear.app/settings/api/applications/new");
  const fields = {
    "oauth.client_name": "forgehand",
    "oauth.redirect_uris": redirect,
    "oauth.grant_types": "authorization_code",
    "display.description": "A hand for your forge: cards become reviewed, merged pull requests.",
    distribution: "private",
    ...(webhookUrl === undefined
      ? {}
      : { "webhook.url": webhookUrl, "webhook.resourceTypes": resources.join(",") }),
  };
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return url.href;
}

/** What came of it. */
export type LinearStep = "kept" | "stored" | "skipped";

/** Asks for the application's three values and stores them; signing in is `signIn`'s. */
export async function settleLinear(init: Init): Promise<LinearStep> {
  const { options, prompter, places, keychain } = init;
  const known = init.environment().linear?.clientId;
  if (options.linear === false) return known === undefined ? "skipped" : "kept";
  if (known !== undefined) {
    const keeps = await prompter.agree({
      message: `Keep the Linear application ${known}?`,
      flag: "--no-linear",
      usual: "yes",
    });
    if (keeps) return "kept";
  } else {
    const wants =
      options.linear === true ||
      (await prompter.agree({
        message: "Do your tickets live in Linear?",
        flag: "--linear",
        usual: "no",
      }));
    if (!wants) return "skipped";
  }
  const url = linearFormUrl({ redirect: redirectOf(init), webhookUrl: await webhookOf(init) });
  prompter.say(`An administrator of the Linear workspace makes the application on this page:\n\n  ${url}\n`);
  if (options.browser) await init.openBrowser(url);
  const id = await prompter.ask({
    message: "Client ID",
    flag: "FORGEHAND_LINEAR_CLIENT_ID in the environment",
    fault: (text) => faultIn(linearSchemas.LINEAR_CLIENT_ID(), text),
  });
  const clientSecret = await prompter.secret({
    message: "Client secret",
    flag: "FORGEHAND_LINEAR_CLIENT_SECRET in the environment",
    fault: (text) => faultIn(linearSchemas.LINEAR_CLIENT_SECRET(), text),
  });
  const webhookSecret = await prompter.secret({
    message: "Signing secret of its webhook (empty where it has no webhook)",
    flag: "FORGEHAND_LINEAR_WEBHOOK_SECRET in the environment",
    fault: (text) => (text === "" ? undefined : faultIn(linearSecretsSchema(), text)),
  });
  const secrets = {
    FORGEHAND_LINEAR_CLIENT_SECRET: { value: clientSecret, entry: `linear-client-secret-${id}` },
    ...(webhookSecret === ""
      ? {}
      : { FORGEHAND_LINEAR_WEBHOOK_SECRET: { value: webhookSecret, entry: `linear-webhook-secret-${id}` } }),
  };
  // Of the application before.
  const former = webhookSecret === "" ? { FORGEHAND_LINEAR_WEBHOOK_SECRET: undefined } : {};
  const open = { FORGEHAND_LINEAR_CLIENT_ID: id, ...former };
  if (keychain !== undefined) keepSecrets(places, keychain, secrets, open);
  else
    writeSettings(places, {
      ...open,
      ...Object.fromEntries(Object.entries(secrets).map(([name, { value }]) => [name, value])),
    });
  return "stored";
}

const redirectOf = (init: Init): string => init.environment().linear?.redirect ?? linearDefaults.redirect;

/** Linear has no log of deliveries to pull from: without a URL its boards are compared every few minutes. */
async function webhookOf({ options, prompter }: Init): Promise<string | undefined> {
  const told =
    options.url ??
    (await prompter.ask({
      message:
        "URL under which Linear reaches this host; empty for none (cards are then looked at every five minutes)",
      flag: "--url https://HOST",
      usual: "",
      fault: (text) =>
        text === "" || URL.parse(text)?.protocol === "https:"
          ? undefined
          : "an https URL is expected, such as https://forgehand.example.com",
    }));
  return told === "" ? undefined : `${told.replace(/\/+$/u, "")}/webhooks/linear`;
}

interface Schema {
  safeParse(text: string): {
    readonly success: boolean;
    readonly error?: { readonly issues: readonly { readonly message: string }[] };
  };
}
function faultIn(schema: Schema, text: string): string | undefined {
  const parsed = schema.safeParse(text);
  if (!parsed.success) return parsed.error?.issues[0]?.message ?? "it is malformed";
  try {
    changeSettings("", { FORGEHAND_X: text });
    return undefined;
  } catch {
    return "it holds a blank, a quote or a backslash, which a settings file cannot keep";
  }
}
