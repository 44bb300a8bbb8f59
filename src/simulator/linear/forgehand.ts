/** A workspace in which forgehand is installed, as its documents have it: for the demo and for tests. */
import { linearScopes } from "../../ports-linear.ts";
import type { SimApp } from "./context.ts";
import type { RunningLinear } from "./linear.ts";
import { personOn } from "./people.ts";
import type { SimOrganization, SimUser, StateCategory } from "./world.ts";

/** Columns from left to right, by the names that are usual. */
export const usualColumns: readonly (readonly [string, StateCategory])[] = [
  ["Backlog", "backlog"],
  ["Ready for Dev", "unstarted"],
  ["Spec Gate", "started"],
  ["In Progress", "started"],
  ["Adversarial Review", "started"],
  ["In Review", "started"],
  ["Merging", "started"],
  ["Rework", "started"],
  ["Done", "completed"],
  ["Canceled", "canceled"],
];
const redirect = "http://127.0.0.1/callback";

export interface Installed {
  readonly home: SimOrganization;
  readonly admin: SimUser;
  readonly app: SimApp;
  /** As whom forgehand acts there. */
  readonly us: SimUser;
}

/** Has an administrator of a new workspace install the application, which may sign in by its secret alone. */
export function installForgehand(linear: RunningLinear): Installed {
  const home = linear.workspace({ name: "Acme" });
  const admin = linear.user(home, { name: "Boss", admin: true });
  const app = linear.app({
    name: "Forgehand",
    home,
    redirectUris: [redirect],
    allowsClientCredentials: true,
  });
  const { install } = personOn(linear, admin).grant(app, { scopes: [...linearScopes] });
  return { home, admin, app, us: install.user };
}

/** What the process is told of it from outside. */
export const settingsOf = ({ url }: RunningLinear, { clientId, clientSecret, webhook }: SimApp) => ({
  linear: { clientId, clientSecret, apiKey: undefined, apiUrl: url, redirect },
  linearWebhookSecrets: [{ secret: webhook.secret, workspace: undefined }],
});
