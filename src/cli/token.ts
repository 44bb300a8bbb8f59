/** `forgehand token`: what lets programs in. */
import { randomBytes } from "node:crypto";
import { systemClock } from "../adapters/clock.ts";
import { exitCodes } from "../problems.ts";
import type { ApiToken, Scope } from "../ports-dashboard-access.ts";
import { age } from "../says.ts";
import type { Store } from "../store/store.ts";
import { tokenPrefix } from "../web/bearer.ts";
import { hashed } from "../web/door.ts";
import { atDesk } from "./database.ts";
import { operator } from "./operator.ts";
import { Failure, table, terminal, type Answer } from "./output.ts";

interface TokenOptions {
  readonly database?: string | undefined;
}
interface NewTokenOptions extends TokenOptions {
  readonly name: string;
  readonly scope: Scope;
  readonly repo: readonly string[];
  readonly expires: string;
}

const dayMs = 86_400_000;
const maxDays = 3_650;
/** As many as one token may be held to. */
const maxRepos = 100;

/** The one time its text is told. */
export async function newToken(options: NewTokenOptions): Promise<Answer> {
  const { name, scope } = options;
  if (!/^[\w.-]{1,60}$/u.test(name))
    throw new Failure(exitCodes.usage, "--name: 1 to 60 letters, digits, dots, dashes and underscores");
  if (scope === "metrics" && options.repo.length > 0)
    throw new Failure(exitCodes.usage, "--repo: metrics are of the whole host; leave it out");
  const days = daysOf(options.expires);
  return await atDesk(options, "write", async ({ store }) => {
    const repos = options.repo.length === 0 ? undefined : await numbersOf(store, options.repo);
    const token = `${tokenPrefix}${randomBytes(32).toString("base64url")}`;
    const madeAt = systemClock().now();
    const expiresAt = days === undefined ? undefined : madeAt + days * dayMs;
    const madeBy = `operator:${operator()}`;
    const kept = await store.keepApiToken(hashed(token), { name, scope, repos, madeBy, madeAt, expiresAt });
    if (kept === "taken")
      throw new Failure(
        exitCodes.usage,
        `there is a token ${name} already: take another name, or \`forgehand token revoke ${name}\` first`,
      );
    return {
      schema: "token-new/1",
      data: { name, scope, repos: options.repo, token, expiresAt: instant(expiresAt) },
      text: token,
      hint: `it is told this once; programs send it as \`Authorization: Bearer …\`${expiresAt === undefined ? "" : `; good until ${instant(expiresAt)?.slice(0, 10)}`}`,
    };
  });
}

function daysOf(text: string): number | undefined {
  if (text === "never") return undefined;
  const days = Number(/^(\d{1,4})d$/u.exec(text)?.[1]);
  if (days >= 1 && days <= maxDays) return days;
  throw new Failure(exitCodes.usage, `--expires: days such as 90d (at most ${maxDays}d), or never`);
}

async function numbersOf(store: Store, names: readonly string[]): Promise<readonly number[]> {
  if (names.length > maxRepos)
    throw new Failure(exitCodes.usage, `--repo: at most ${maxRepos}; leave it out for all of them`);
  return await Promise.all(
    names.map(async (full) => {
      const [, owner, name] = /^([\w.-]+)\/([\w.-]+)$/u.exec(full) ?? [];
      const repo = owner === undefined || name === undefined ? undefined : await store.repoNamed(owner, name);
      if (repo === undefined)
        throw new Failure(exitCodes.notFound, `--repo: the App serves no repository ${full}`);
      return repo.id;
    }),
  );
}

const instant = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();

export async function listTokens(options: TokenOptions): Promise<Answer> {
  return await atDesk(options, "read", async ({ store }) => {
    const now = systemClock().now();
    const tokens = await store.apiTokens();
    const names = new Map((await store.knownRepos()).map(({ id, owner, name }) => [id, `${owner}/${name}`]));
    const reposOf = ({ repos }: ApiToken): readonly string[] | undefined =>
      repos?.map((id) => names.get(id) ?? `#${id}`);
    const rows = tokens.map((token) => [
      token.name,
      token.scope,
      reposOf(token)?.join(" ") ?? "all",
      token.madeBy,
      expiry(token, now),
      token.usedAt === undefined ? "never" : `${age(Math.max(0, now - token.usedAt))} ago`,
    ]);
    return {
      schema: "token-ls/1",
      data: tokens.map((token) => ({
        ...token,
        repos: reposOf(token),
        madeAt: instant(token.madeAt),
        expiresAt: instant(token.expiresAt),
        usedAt: instant(token.usedAt),
      })),
      text:
        tokens.length === 0
          ? "no token: `forgehand token new --scope read --name ci` makes one"
          : table(["NAME", "SCOPE", "REPOSITORIES", "MADE BY", "EXPIRES", "USED"], rows, terminal.isTty),
    };
  });
}
const expiry = ({ expiresAt }: ApiToken, now: number): string =>
  expiresAt === undefined ? "never" : expiresAt <= now ? "is over" : `in ${age(expiresAt - now)}`;

export async function revokeToken(name: string, options: TokenOptions): Promise<Answer> {
  return await atDesk(options, "write", async ({ store }) => {
    if ((await store.revokeApiToken(name)) === 0)
      throw new Failure(exitCodes.notFound, `there is no token ${name}: \`forgehand token ls\` names them`);
    return { schema: "token-revoke/1", data: { name }, text: `${name} lets nobody in any more` };
  });
}
