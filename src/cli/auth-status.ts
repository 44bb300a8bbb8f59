import { existsSync } from "node:fs";
import { openLinearOAuth } from "../adapters/linear/oauth.ts";
import { systemClock } from "../adapters/clock.ts";
import type { LinearSettings } from "../config-linear.ts";
import { Trouble } from "../ports.ts";
import { linearScopes } from "../ports-linear.ts";
import { exitCodes } from "../problems.ts";
import type { LinearWorkspace } from "../store/linear-workspaces.ts";
import { ownSettings } from "./own-settings.ts";
import { atLinear, workspacesNamed, type LinearAtDesk } from "./linear-desk.ts";
import { plain, table, terminal, type Answer } from "./output.ts";

/** What a personal API key is no substitute for. */
export const personalKeyCannot = [
  "act as the app: every change is shown as that person's",
  "be delegated issues or mentioned, so there are no agent sessions",
  "be heard by the app's webhooks",
] as const;

export const missingScopes = (scopes: readonly string[]): readonly string[] =>
  linearScopes.filter((scope) => !scopes.includes(scope));
export const timeOf = (instant: number | undefined): string | null =>
  instant === undefined ? null : new Date(instant).toISOString().replace(/\.\d+Z$/u, "Z");

export type StatusOptions = {
  readonly database?: string | undefined;
  readonly workspace?: string | undefined;
};

interface Standing {
  readonly id: string;
  readonly name: string;
  readonly urlKey: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly client: string;
  readonly grantedBy: string;
  readonly scopes: readonly string[];
  readonly missingScopes: readonly string[];
  readonly state: "signed-in" | "signed-out";
  readonly since: string | null;
  readonly expiresAt: string | null;
  readonly why: string | null;
  readonly fix: string | null;
  /** Trouble that passes, and when the next try is. */
  readonly trouble: string | null;
  readonly nextTryAt: string | null;
  readonly lostTeams: readonly string[];
}

/** `forgehand auth linear --status`: what is stored, and whose the personal key is. No secret is shown. */
export async function linearStatus(options: StatusOptions): Promise<Answer> {
  const environment = ownSettings();
  const path = options.database ?? environment.database;
  const command = "forgehand auth linear --status";
  const standings = existsSync(path)
    ? await atLinear({ ...options, command }, "read", (linear) => standingsOf(linear, options.workspace))
    : [];
  const person = await personOf(environment.linear);
  const isMissing = standings.length === 0 && person?.is !== "accepted";
  const isOut = isMissing || standings.some(({ state }) => state === "signed-out");
  return {
    schema: "auth-linear/1",
    data: { did: "told", workspaces: standings, personalKey: person === undefined ? null : keyData(person) },
    text: textOf(standings, person),
    ...(isOut ? { exit: exitCodes.permission } : {}),
    ...(isMissing ? { hint: "nobody is signed in to Linear: `forgehand auth linear`" } : {}),
  };
}

async function standingsOf(linear: LinearAtDesk, name: string | undefined): Promise<readonly Standing[]> {
  const { store } = linear;
  const rows = name === undefined ? await store.linearWorkspaces() : await workspacesNamed(store, name);
  return await Promise.all(rows.map((row) => standingOf(linear, row)));
}

/** One workspace as it stands in its row. */
export async function standingOf({ desk, store }: LinearAtDesk, row: LinearWorkspace): Promise<Standing> {
  const out = (await desk.signedOut()).find(({ workspace }) => workspace === row.id);
  const isWaiting = row.retryAt > systemClock().now();
  return {
    id: row.id,
    name: row.name,
    urlKey: row.urlKey,
    user: { id: row.userId, name: row.userName },
    client: row.client,
    grantedBy: row.grantedBy,
    scopes: row.scopes,
    missingScopes: missingScopes(row.scopes),
    state: out === undefined ? "signed-in" : "signed-out",
    since: timeOf(out === undefined ? row.signedInAt : out.since),
    expiresAt: timeOf(row.expiresAt),
    why: out?.why ?? null,
    fix: out?.fix ?? null,
    trouble: row.failure ?? null,
    nextTryAt: isWaiting ? timeOf(row.retryAt) : null,
    lostTeams: await store.lostLinearTeams(row.id),
  };
}

export type Person =
  | {
      readonly is: "accepted";
      readonly workspace: string;
      readonly name: string;
      readonly id: string;
      readonly urlKey: string;
    }
  | { readonly is: "refused" }
  | { readonly is: "unknown"; readonly why: string };

/** Whose the personal API key is, as Linear says. */
export async function personOf(settings: LinearSettings | undefined): Promise<Person | undefined> {
  if (settings?.apiKey === undefined) return undefined;
  const oauth = openLinearOAuth({ settings, fetch: globalThis.fetch, clock: systemClock() });
  try {
    const identity = await oauth.identity(settings.apiKey, "person");
    if (identity === undefined) return { is: "refused" };
    const { id, name, urlKey } = identity.workspace;
    return { is: "accepted", workspace: name, name: identity.user.name, id, urlKey };
  } catch (error) {
    if (error instanceof Trouble) return { is: "unknown", why: error.message };
    throw error;
  }
}

const keyData = (person: Person): object => ({
  state: person.is,
  workspace: person.is === "accepted" ? person.workspace : null,
  user: person.is === "accepted" ? person.name : null,
  why: person.is === "unknown" ? person.why : null,
  cannot: personalKeyCannot,
});

function textOf(standings: readonly Standing[], person: Person | undefined): string {
  const rows = standings.map((one) => [
    one.name,
    one.state,
    one.user.name,
    one.expiresAt ?? "",
    one.missingScopes.length === 0 ? "all" : `lacks ${one.missingScopes.join(" ")}`,
    one.why ?? one.trouble ?? "",
    one.id,
  ]);
  const parts = [
    ...(rows.length === 0
      ? []
      : [
          table(
            ["WORKSPACE", "STATE", "APP USER", "HOLDS UNTIL", "SCOPES", "WHY", "ID"],
            rows,
            terminal.isTty,
          ),
        ]),
    ...standings.flatMap(({ name, fix }) => (fix === null ? [] : [plain(`${name}: ${fix}`)])),
    ...standings.flatMap(({ name, lostTeams }) =>
      lostTeams.length === 0
        ? []
        : [plain(`${name}: the app was taken out of ${lostTeams.length} teams: ${lostTeams.join(", ")}`)],
    ),
    ...(person === undefined ? [] : [plain(personText(person))]),
  ];
  return parts.join("\n");
}

export function personText(person: Person): string {
  switch (person.is) {
    case "accepted":
      return `FORGEHAND_LINEAR_API_KEY acts as ${person.name} in ${person.workspace} (${person.id}), for trials. It cannot: ${personalKeyCannot.join("; ")}.`;
    case "refused":
      return "Linear does not accept FORGEHAND_LINEAR_API_KEY.";
    case "unknown":
      return `Whose FORGEHAND_LINEAR_API_KEY is could not be asked: ${person.why}`;
  }
}
