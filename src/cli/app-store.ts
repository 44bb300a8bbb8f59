/** What is kept of an App on this host. */
import type { MadeApp } from "../adapters/github/registration.ts";
import type { Feed } from "../config-feed.ts";
import { gitHubApiUrl } from "../config-environment.ts";
import { oneLineKey } from "../settings-file.ts";
import type { Init } from "./init-context.ts";
import { keepSecrets, writeProgress, writeSettings } from "./settings-store.ts";

export type StoredApp = Pick<MadeApp, "id" | "slug" | "owner" | "htmlUrl" | "privateKey" | "webhookSecret"> &
  Partial<Pick<MadeApp, "client">>;

/** How a settings file says it. */
export const feedText = (feed: Feed): string => (feed.is === "smee" ? `smee:${feed.url}` : feed.is);

/** One write holds all: id, key and secret belong together. */
export function storeApp(
  { places, keychain }: Pick<Init, "places" | "keychain">,
  app: StoredApp,
  { apiUrl, feed }: { readonly apiUrl: string; readonly feed: Feed },
): void {
  const open = {
    FORGEHAND_APP_ID: String(app.id),
    FORGEHAND_GITHUB_API_URL: apiUrl === gitHubApiUrl ? undefined : apiUrl,
    // Of the App before.
    FORGEHAND_WEBHOOK_SECRET_PREVIOUS: undefined,
    FORGEHAND_FEED: feedText(feed),
    // Where GitHub did not tell them, those of the App before go.
    FORGEHAND_CLIENT_ID: app.client?.id,
    ...(app.client === undefined ? { FORGEHAND_CLIENT_SECRET: undefined } : {}),
  };
  const key = oneLineKey(app.privateKey);
  if (keychain === undefined)
    writeSettings(places, {
      ...open,
      FORGEHAND_PRIVATE_KEY: key,
      FORGEHAND_WEBHOOK_SECRET: app.webhookSecret,
      ...(app.client === undefined ? {} : { FORGEHAND_CLIENT_SECRET: app.client.secret }),
    });
  else {
    const secrets = {
      FORGEHAND_PRIVATE_KEY: { value: key, entry: `private-key-${app.id}` },
      FORGEHAND_WEBHOOK_SECRET: { value: app.webhookSecret, entry: `webhook-secret-${app.id}` },
      ...(app.client === undefined
        ? {}
        : {
            FORGEHAND_CLIENT_SECRET: { value: app.client.secret, entry: `client-secret-${app.id}` },
          }),
    };
    keepSecrets(places, keychain, secrets, open);
  }
  const { id, slug, owner, htmlUrl } = app;
  writeProgress(places, { version: 1, app: { id, slug, owner, htmlUrl } });
}
