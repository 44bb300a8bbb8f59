import type { Octokit } from "@octokit/rest";
import { Trouble } from "../../ports.ts";
import type { Clock, Key, Repo } from "../../ports.ts";
import type { RateBudget } from "../../ports-host.ts";
import { openRates } from "./rates.ts";
import { grants, grantText } from "./permissions.ts";
import type { Operation } from "./permissions.ts";
import { appAuthOf, octokitMaker, openTokens, repoScope, scopeName, tokenAuth } from "./tokens.ts";
import type { TokenScope } from "./tokens.ts";
import { asTrouble } from "./trouble.ts";
import type { Call } from "./trouble.ts";

/** Ids of what we once wrote, kept over restarts. Losing one costs a search, never a second comment. */
interface Memory {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}
/** One write about to be made on GitHub. */
export interface ExternalWrite {
  readonly key: Key;
  /** `owner/name#42`, or `owner/name` */
  readonly ref: string;
  readonly operation: Operation;
}
export interface GitHubOptions {
  readonly appId: number;
  /** PEM; a `\n` spelled out, as environment files have it, is accepted. */
  readonly privateKey: string;
  /** `https://api.github.com` (default), or `https://HOST/api/v3` for GitHub Enterprise Server. */
  readonly apiUrl?: string | undefined;
  readonly userAgent: string;
  readonly clock: Pick<Clock, "now">;
  readonly remember: Memory;
  /** Takes secrets out of everything we say. */
  readonly scrub: (text: string) => string;
  /** Told before each write; throwing forbids it. */
  readonly onWrite?: ((write: ExternalWrite) => void | Promise<void>) | undefined;
  readonly log?: ((line: string) => void) | undefined;
  /** `github` spaces writes as GitHub asks (a second apart, three for what notifies); the default for any host but loopback. */
  readonly pacing?: "github" | "none" | undefined;
}
interface AppIdentity {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly events: readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
}
/** Who wrote something, as GitHub's answers carry it. */
interface Authored {
  readonly user?: { readonly login: string; readonly type?: string | undefined } | null | undefined;
  readonly performed_via_github_app?: { readonly id: number } | null | undefined;
}
/** The App's connection to one GitHub: what the Forge, Tracker, Voice and Hooks adapters share. */
export interface GitHub {
  readonly appId: number;
  readonly memory: Memory;
  readonly scrub: (text: string) => string;
  identity(): Promise<AppIdentity>;
  /** Written by our App: by its bot account, never by a login somebody chose. */
  isOurs(thing: Authored): Promise<boolean>;
  /** Works with a token for this one repository and no more than the operation needs; whatever fails is Trouble. */
  within<Result>(
    operation: Operation,
    repo: Repo,
    work: (octokit: Octokit) => Promise<Result>,
  ): Promise<Result>;
  /** Works with a token for all repositories of an installation. */
  across<Result>(
    operation: Operation,
    installation: number,
    work: (octokit: Octokit) => Promise<Result>,
  ): Promise<Result>;
  /** Works as the App itself. */
  asApp<Result>(doing: string, work: (octokit: Octokit) => Promise<Result>): Promise<Result>;
  /** Announces a write just before it is made. */
  writing(key: Key, operation: Operation, repo: Repo, number?: number): Promise<void>;
  /** An installation token for git over HTTPS, as the password of `x-access-token`. Never log it. */
  pushToken(repo: Repo, access: "read" | "write"): Promise<string>;
  /** `https://host/owner/name.git` */
  gitUrl(repo: Repo): string;
  /** What it still answers, as its last answers said. */
  rates(): readonly RateBudget[];
}

/** What a function that writes needs at hand. */
export interface Writing {
  readonly github: GitHub;
  readonly octokit: Octokit;
  readonly key: Key;
}

/** Opens the App's connection. Nothing is sent yet; a private key that cannot be read is refused at once. */
export function openGitHub(options: GitHubOptions): GitHub {
  const apiUrl = (options.apiUrl ?? "https://api.github.com").replace(/\/+$/, "");
  const rates = openRates(() => options.clock.now());
  const makeOctokit = octokitMaker({ ...options, heard: rates.heard }, apiUrl);
  const app = makeOctokit("app", appAuthOf(options));
  const tokens = openTokens(app, options.clock);
  const clients = new Map<string, Octokit>();
  let identity: Promise<AppIdentity> | undefined;

  const translate = async <Result>(call: PlannedCall, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw asTrouble(error, { ...call, now: options.clock.now() });
    }
  };
  const clientOf = (scope: TokenScope): Octokit => {
    const name = scopeName(scope);
    const client =
      clients.get(name) ?? makeOctokit(`installation-${scope.installation}`, tokenAuth(tokens, scope));
    clients.set(name, client);
    return client;
  };
  const asApp: GitHub["asApp"] = (doing, work) => translate(appCall(doing, options.appId), () => work(app));
  const readIdentity = (): Promise<AppIdentity> => {
    identity ??= asApp("read the settings", async (octokit) =>
      identityOf((await octokit.rest.apps.getAuthenticated()).data),
    );
    // A failed look must not be remembered as the answer.
    identity.catch(() => (identity = undefined));
    return identity;
  };
  return {
    appId: options.appId,
    memory: options.remember,
    scrub: options.scrub,
    identity: readIdentity,
    isOurs: async (thing) => isOurs(thing, options.appId, readIdentity),
    within: (operation, repo, work) =>
      translate(repoCall(operation, repo), () => work(clientOf(repoScope(repo, grants[operation])))),
    across: (operation, installation, work) =>
      translate(installationCall(operation, installation), () =>
        work(clientOf({ installation, repo: undefined, grant: grants[operation] })),
      ),
    asApp,
    writing: async (key, operation, repo, number) => {
      const ref = `${repo.owner}/${repo.name}${number === undefined ? "" : `#${number}`}`;
      await options.onWrite?.({ key, ref, operation });
    },
    pushToken: (repo, access) => {
      const operation = access === "write" ? "push with git" : "fetch with git";
      return translate(repoCall(operation, repo), () => tokens.get(repoScope(repo, grants[operation])));
    },
    gitUrl: (repo) => `${webUrlOf(apiUrl)}/${repo.owner}/${repo.name}.git`,
    rates: rates.told,
  };
}

type PlannedCall = Omit<Call, "now">;

function appCall(doing: string, appId: number): PlannedCall {
  return {
    doing,
    where: `for App ${appId}`,
    needs: "the App's own key",
    installation: undefined,
    check: "the App's id and FORGEHAND_GITHUB_API_URL",
  };
}

function installationCall(operation: Operation, installation: number): PlannedCall {
  return {
    doing: operation,
    where: `in installation ${installation}`,
    needs: grantText(grants[operation]),
    installation,
  };
}

function repoCall(operation: Operation, repo: Repo): PlannedCall {
  return { ...installationCall(operation, repo.installation), where: `in ${repo.owner}/${repo.name}` };
}

/** Where people and git find what the API speaks about. */
export function webUrlOf(apiUrl: string): string {
  const url = new URL(apiUrl);
  const path = url.pathname.replace(/\/api\/v3$/, "").replace(/\/$/, "");
  const isCloud = url.hostname === "api.github.com" || /^api\..*\.ghe\.com$/.test(url.hostname);
  return `${url.protocol}//${isCloud ? url.host.replace(/^api\./, "") : url.host}${path}`;
}

async function isOurs(
  { user, performed_via_github_app: via }: Authored,
  appId: number,
  identity: () => Promise<AppIdentity>,
): Promise<boolean> {
  if (user?.type !== "Bot") return false;
  if (via !== null && via !== undefined) return via.id === appId;
  return user.login === `${(await identity()).slug}[bot]`;
}

function identityOf(
  app: Awaited<ReturnType<Octokit["rest"]["apps"]["getAuthenticated"]>>["data"],
): AppIdentity {
  if (app === null) throw new Trouble("github-auth", "GitHub knows no App by this key.", { permanent: true });
  const permissions = Object.entries(app.permissions).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return {
    id: app.id,
    slug: app.slug ?? app.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"),
    name: app.name,
    events: app.events,
    permissions: Object.fromEntries(permissions),
  };
}
