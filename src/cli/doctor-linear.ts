import { existsSync } from "node:fs";
import { systemClock } from "../adapters/clock.ts";
import type { Environment } from "../config-environment.ts";
import { openLinear, type Linear } from "../linear.ts";
import { Trouble } from "../ports.ts";
import { signInCommand } from "../shell/linear-pairs.ts";
import { openSqlite } from "../sql.ts";
import { migrations } from "../store/database.ts";
import type { LinearWorkspace } from "../store/linear-workspaces.ts";
import type { Store } from "../store/store.ts";
import { missingScopes, personalKeyCannot, personOf, timeOf } from "./auth-status.ts";
import { deskStore, versionOf } from "./database.ts";
import { Problem } from "../problems.ts";
import type { LinearFile } from "../config-linear-file.ts";
import { checkBoards } from "./doctor-linear-boards.ts";
import { bad, badly, ok, warn, type Finding, type Group } from "./doctor-finding.ts";
import { fixedTokens, type BoardedWorkspace } from "./linear-boards.ts";
import { ownLinearRules } from "./linear-rules.ts";

/** How Linear stands; no group at all where nothing speaks of Linear. Reads and asks, and refreshes nothing. */
export async function checkLinear(environment: Environment): Promise<readonly Group[]> {
  const file = checkFile(environment);
  const app = await checkWorkspaces(environment);
  const person = await checkPerson(environment);
  const own = person.boarded.filter(({ id }) => app.boarded.every((one) => one.id !== id));
  const boarded = [...app.boarded, ...own];
  const findings = [
    ...file.findings,
    ...app.findings,
    ...person.findings,
    ...(await checkBoards(environment, boarded, file.rules, app.isAll)),
  ];
  return findings.length === 0 ? [] : [{ title: "Linear", findings }];
}

/** A wrong file keeps `up` from starting, whether Linear is used or not. */
function checkFile(environment: Environment): {
  readonly rules: LinearFile | undefined;
  readonly findings: readonly Finding[];
} {
  try {
    return { rules: ownLinearRules(environment), findings: [] };
  } catch (error) {
    if (error instanceof Problem) return { rules: undefined, findings: [badly(error)] };
    throw error;
  }
}

interface Checked {
  readonly findings: readonly Finding[];
  /** Whose boards can be read. */
  readonly boarded: readonly BoardedWorkspace[];
}
interface AppChecked extends Checked {
  /** No workspace is left out of those. */
  readonly isAll: boolean;
}

async function checkWorkspaces(environment: Environment): Promise<AppChecked> {
  const { database, linear: settings } = environment;
  const isApp = settings?.clientId !== undefined;
  const nobody = {
    findings: isApp
      ? [
          bad(
            "permission",
            `nobody is signed in to Linear as the app ${settings.clientId}`,
            "forgehand auth linear",
          ),
        ]
      : [],
    boarded: [],
    isAll: true,
  };
  if (!existsSync(database)) return nobody;
  const sql = openDatabase(database);
  const unknown = { findings: [], boarded: [], isAll: false };
  // What is wrong with the database its own group says.
  if (sql === undefined) return unknown;
  try {
    if ((await versionOf(sql).catch(() => undefined)) !== migrations().at(-1)?.number) return unknown;
    const store = deskStore(sql);
    const linear = openLinear({ environment, store, page: () => undefined });
    const rows = await store.linearWorkspaces();
    if (rows.length === 0) return nobody;
    const found = await Promise.all(rows.map((row) => checkWorkspace(linear, store, row)));
    const boarded = found.flatMap((one) => one.boarded);
    return { findings: found.flatMap((one) => one.findings), boarded, isAll: boarded.length === rows.length };
  } finally {
    sql.close();
  }
}

function openDatabase(path: string) {
  try {
    return openSqlite(path, { readonly: true });
  } catch {
    return undefined;
  }
}

async function checkWorkspace({ desk, oauth }: Linear, store: Store, row: LinearWorkspace): Promise<Checked> {
  const out = (await desk.signedOut()).find(({ workspace }) => workspace === row.id);
  if (out !== undefined)
    return {
      findings: [bad("permission", `${row.name} needs a person to sign in: ${out.why}`, out.fix)],
      boarded: [],
    };
  const missing = missingScopes(row.scopes);
  const lost = await store.lostLinearTeams(row.id);
  const again = signInCommand(row);
  const token = await checkToken({ desk, oauth }, row);
  const findings = [
    token.finding,
    missing.length === 0
      ? ok(`${row.name}: all scopes are granted (${row.scopes.join(" ")})`)
      : bad("permission", `${row.name}: Linear did not grant ${missing.join(", ")}`, again),
    ...(row.client === oauth.clientId
      ? []
      : [
          bad(
            "usage",
            `${row.name} was signed in to as the app ${row.client}, and FORGEHAND_LINEAR_CLIENT_ID is ${oauth.clientId === "" ? "not set" : oauth.clientId}: its tokens cannot be refreshed`,
            `set FORGEHAND_LINEAR_CLIENT_ID to ${row.client}, or \`${again}\``,
          ),
        ]),
    ...(lost.length === 0
      ? []
      : [
          warn(
            `${row.name}: the app was taken out of ${lost.length} teams (${lost.join(", ")})`,
            "give it access again in Linear: Settings, Applications, the app, Team access",
          ),
        ]),
    ...(row.failure === undefined
      ? []
      : [warn(`${row.name}: the last refresh failed: ${row.failure}`, "forgehand auth linear --refresh")]),
  ];
  const { id, name, urlKey } = row;
  const { access } = token;
  return {
    findings,
    boarded: access === undefined ? [] : [{ id, name, urlKey, tokens: fixedTokens(access, "app") }],
  };
}

/** Asks Linear whom the token speaks for. One that has ended is not refreshed here: doctor changes nothing. */
async function checkToken(
  { desk, oauth }: Pick<Linear, "desk" | "oauth">,
  row: LinearWorkspace,
): Promise<{ readonly finding: Finding; readonly access?: string }> {
  const pair = desk.stored(row);
  if (pair.is === "closed") return { finding: bad("permission", `${row.name}: ${pair.why}`, pair.fix) };
  const until = timeOf(row.expiresAt);
  if (row.expiresAt <= systemClock().now())
    return {
      finding: warn(
        `${row.name}: the token ended at ${until}; the next use refreshes it`,
        "forgehand auth linear --refresh",
      ),
    };
  try {
    const identity = await oauth.identity(pair.access, "app");
    if (identity === undefined)
      return {
        finding: bad(
          "permission",
          `${row.name}: Linear does not accept the token any more`,
          "forgehand auth linear --refresh",
        ),
      };
    const what = `${row.name}: signed in as ${identity.user.name}, Linear answers, the token holds until ${until}`;
    return { finding: ok(what), access: pair.access };
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    const fix =
      "look at the network and FORGEHAND_LINEAR_API_URL; behind a proxy start with NODE_USE_ENV_PROXY=1 and HTTPS_PROXY set";
    return { finding: bad("remote", `${row.name}: ${error.message}`, fix) };
  }
}

async function checkPerson({ linear }: Environment): Promise<Checked> {
  const person = await personOf(linear);
  const told = (finding: Finding): Checked => ({ findings: [finding], boarded: [] });
  switch (person?.is) {
    case undefined:
      return { findings: [], boarded: [] };
    case "accepted": {
      const { id, urlKey, workspace } = person;
      const tokens = fixedTokens(linear?.apiKey ?? "", "person");
      const { findings } = told(
        warn(
          `the personal API key acts as ${person.name} in ${workspace}; it cannot ${personalKeyCannot.join("; nor ")}`,
          "for more than trials make an OAuth application and run `forgehand auth linear`",
        ),
      );
      return { findings, boarded: [{ id, urlKey, name: workspace, tokens }] };
    }
    case "refused":
      return told(
        bad(
          "permission",
          "Linear does not accept FORGEHAND_LINEAR_API_KEY",
          "make a new key in Linear (Settings, Security & access), or take the setting away",
        ),
      );
    case "unknown":
      return told(
        bad(
          "remote",
          `the personal API key could not be tried: ${person.why}`,
          "look at the network and FORGEHAND_LINEAR_API_URL",
        ),
      );
  }
}
