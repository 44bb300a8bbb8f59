/** Programs that come with a token: `Authorization: Bearer fh_…`. */
import type { Context } from "hono";
import type { ApiToken, Scope } from "../ports-dashboard-access.ts";
import type { Right, Viewer } from "../ports-dashboard.ts";

/** What programs' tokens ask of the store. */
export interface Tokens {
  apiToken(hash: string, now: number): Promise<ApiToken | undefined>;
  usedApiToken(hash: string, now: number): Promise<void>;
  /** Numbers of every repository that is served. */
  repoIds(): Promise<readonly number[]>;
}

/** Tells a leaked one from anything else. */
export const tokenPrefix = "fh_";
/** When it was last used is kept this often at most: an answer should not cost a write. */
const usedEveryMs = 60_000;

/** What a request presents; undefined for one without, which is a browser's then. */
export const bearerIn = (context: Context): string | undefined =>
  /^bearer +(\S{1,200})$/iu.exec(context.req.header("authorization") ?? "")?.[1];

const rightOf: Readonly<Record<Exclude<Scope, "metrics">, Right>> = {
  read: "see",
  act: "act",
  admin: "administer",
};

/** Who a token stands for, with the rights of its scope and no more; undefined when it is not good. */
export async function bearerViewer(
  tokens: Tokens,
  { hash, now }: { readonly hash: string; readonly now: number },
): Promise<{ readonly viewer: Viewer; readonly scope: Scope } | undefined> {
  const token = await tokens.apiToken(hash, now);
  if (token === undefined) return undefined;
  if (token.usedAt === undefined || now - token.usedAt >= usedEveryMs) await tokens.usedApiToken(hash, now);
  return {
    viewer: { who: `token:${token.name}`, rights: await rightsOf(tokens, token) },
    scope: token.scope,
  };
}

async function rightsOf(tokens: Tokens, { scope, repos }: ApiToken): Promise<Viewer["rights"]> {
  if (scope === "metrics") return new Map();
  // Whoever made it was an operator; without repositories named it may what they may.
  if (scope === "admin" && repos === undefined) return "operator";
  const right = rightOf[scope];
  const served = await tokens.repoIds();
  return new Map(
    served.filter((repo) => repos === undefined || repos.includes(repo)).map((repo) => [repo, right]),
  );
}
