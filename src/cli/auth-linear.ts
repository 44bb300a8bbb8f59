import { createHash, randomBytes } from "node:crypto";
import { hasScreen, openBrowser } from "../adapters/browser.ts";
import { systemClock } from "../adapters/clock.ts";
import { openConsentPage } from "../adapters/linear/consent.ts";
import { linearScopes, type LinearGrant } from "../ports-linear.ts";
import { exitCodes, Problem } from "../problems.ts";
import type { SignedIn } from "../shell/linear-tokens.ts";
import { linearStatus, missingScopes, timeOf } from "./auth-status.ts";
import { atLinear, unhurried, workspacesNamed, type LinearAtDesk } from "./linear-desk.ts";
import { Failure, plain, terminal, type Answer } from "./output.ts";

export interface AuthOptions {
  readonly browser: boolean;
  readonly clientCredentials?: true | undefined;
  readonly refresh?: true | undefined;
  readonly status?: true | undefined;
  readonly revoke?: true | undefined;
  readonly workspace?: string | undefined;
  readonly timeout: string;
  readonly database?: string | undefined;
}

const schema = "auth-linear/1";
const mostMinutes = 60;

/** `forgehand auth linear`: signs in, or tells, renews or takes back what is there. */
export async function authLinear(options: AuthOptions): Promise<Answer> {
  if (options.status === true) return await linearStatus(options);
  if (options.refresh === true) return await refresh(options);
  if (options.revoke === true) return await revoke(options);
  if (options.workspace !== undefined)
    throw new Failure(
      exitCodes.usage,
      "--workspace is chosen on Linear's page when signing in; leave it out here",
    );
  const by: LinearGrant = options.clientCredentials === true ? "client-credentials" : "code";
  const command = by === "code" ? "forgehand auth linear" : "forgehand auth linear --client-credentials";
  return await atLinear({ ...options, command }, "make", async (linear) => {
    requireApp(linear, by);
    const signedIn =
      by === "code"
        ? await consent(linear, options)
        : await linear.desk.signIn(by, linear.oauth.clientCredentials);
    return told(signedIn, linear, by, command);
  });
}

function requireApp({ settings }: LinearAtDesk, by: LinearGrant): void {
  const missing = [
    ...(settings.clientId === undefined ? ["FORGEHAND_LINEAR_CLIENT_ID"] : []),
    ...(by === "client-credentials" && settings.clientSecret === undefined
      ? ["FORGEHAND_LINEAR_CLIENT_SECRET"]
      : []),
  ];
  if (missing.length === 0) return;
  throw new Problem("linear-missing", { missing: missing.join(" and "), redirect: settings.redirect });
}

/** Authorisation code with PKCE: whoever catches the code on its way can do nothing with it. */
async function consent({ oauth, desk, settings }: LinearAtDesk, options: AuthOptions): Promise<SignedIn> {
  const minutes = Number(options.timeout);
  if (!(minutes > 0 && minutes <= mostMinutes))
    throw new Failure(
      exitCodes.usage,
      `--timeout: minutes up to ${mostMinutes} are expected, not ${options.timeout}`,
    );
  const { redirect } = settings;
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const state = randomBytes(32).toString("base64url");
  const say = (line: string): void => terminal.err(`${line}\n`);
  const page = await openConsentPage({
    redirect,
    state,
    clock: systemClock(),
    limitMs: minutes * 60_000,
    say,
  });
  try {
    const url = oauth.consentUrl({ redirect, state, challenge });
    say(`An administrator of the Linear workspace opens this address and installs the app:\n\n  ${url}\n`);
    const isShown =
      options.browser &&
      hasScreen(process.env, process.platform) &&
      (await openBrowser(url, process.env, process.platform));
    const { port } = new URL(redirect);
    if (!isShown)
      say(
        `Is the browser on another host? Then forward the way back first: ssh -L ${port}:localhost:${port} THIS-HOST`,
      );
    say(`waiting for the answer at ${redirect} (at most ${options.timeout} minutes) …`);
    const code = await page.answer();
    return await desk.signIn("code", () => oauth.exchange(code, { redirect, verifier }));
  } finally {
    await page.close();
  }
}

function told(signedIn: SignedIn, { oauth }: LinearAtDesk, by: LinearGrant, command: string): Answer {
  // With the app's secret alone there is no code that could be wrong.
  if (signedIn.is === "app-refused" || (signedIn.is === "refused" && by === "client-credentials"))
    throw new Problem("linear-app-refused", { client: oauth.clientId, why: signedIn.why, command });
  if (signedIn.is === "refused") throw new Problem("linear-code-refused", { why: signedIn.why });
  const { identity, scopes, expiresAt } = signedIn;
  const { workspace, user } = identity;
  const missing = missingScopes(scopes);
  const renewal = by === "code" ? "refreshed" : "asked for anew";
  return {
    schema,
    data: {
      did: "signed-in",
      workspaces: [
        {
          id: workspace.id,
          name: workspace.name,
          urlKey: workspace.urlKey,
          user: { id: user.id, name: user.name },
          grantedBy: by,
          scopes,
          missingScopes: missing,
          expiresAt: timeOf(expiresAt),
        },
      ],
    },
    text: plain(
      [
        `Signed in to ${workspace.name} (${workspace.urlKey}) as ${user.name}.`,
        `The token holds until ${timeOf(expiresAt)} and is ${renewal} by itself.`,
      ].join("\n"),
    ),
    ...(missing.length === 0
      ? {}
      : {
          hint: `Linear did not grant ${missing.join(", ")} of ${linearScopes.join(", ")}: allow them on the application's page, then \`${command}\` again`,
        }),
  };
}

async function refresh(options: AuthOptions): Promise<Answer> {
  const command = "forgehand auth linear --refresh";
  return await atLinear({ ...options, command }, "write", async ({ desk, store }) => {
    const rows = await workspacesNamed(store, options.workspace);
    const results = [];
    for (const row of rows) results.push({ row, access: await unhurried(() => desk.refresh(row.id)) });
    const [out] = results.flatMap(({ access }) => (access.is === "signed-out" ? [access] : []));
    if (out !== undefined && results.length === 1)
      throw new Problem("linear-signed-out", { name: out.name, why: out.why, fix: out.fix });
    const lines = results.map(({ row, access }) =>
      access.is === "granted"
        ? `${row.name}: refreshed, holds until ${timeOf(access.expiresAt)}`
        : `${row.name}: signed out: ${access.why}; ${access.fix}`,
    );
    return {
      schema,
      data: {
        did: "refreshed",
        workspaces: results.map(({ row, access }) => ({
          id: row.id,
          name: row.name,
          urlKey: row.urlKey,
          state: access.is === "granted" ? "signed-in" : "signed-out",
          expiresAt: access.is === "granted" ? timeOf(access.expiresAt) : null,
          why: access.is === "granted" ? null : access.why,
          fix: access.is === "granted" ? null : access.fix,
        })),
      },
      text: plain(lines.join("\n")),
      ...(out === undefined ? {} : { exit: exitCodes.permission }),
    };
  });
}

async function revoke(options: AuthOptions): Promise<Answer> {
  const command = "forgehand auth linear --revoke";
  return await atLinear({ ...options, command }, "write", async ({ desk, store }) => {
    const rows = await workspacesNamed(store, options.workspace);
    const [row, ...more] = rows;
    if (row === undefined || more.length > 0)
      throw new Failure(
        exitCodes.usage,
        `there are several workspaces: name one with --workspace (${rows.map((one) => one.urlKey).join(", ")})`,
      );
    const did = await desk.revoke(row.id);
    return {
      schema,
      data: { did, workspaces: [{ id: row.id, name: row.name, urlKey: row.urlKey }] },
      text: plain(
        did === "revoked"
          ? `Revoked at Linear and forgotten: ${row.name}.`
          : `Forgotten: ${row.name}. Its tokens could not be read, so remove the app in Linear too (Settings, Applications).`,
      ),
    };
  });
}
