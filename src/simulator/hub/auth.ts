import { createPublicKey, randomBytes, verify } from "node:crypto";
import type { Caller, Hub } from "./context.ts";
import type { SimRepo, Token } from "./state.ts";

const hourMs = 3_600_000;

export function mintToken(
  hub: Hub,
  repos: Token["repos"],
  permissions: Token["permissions"],
): { readonly token: string; readonly expiresAt: number } {
  const token = `ghs_${hub.state.app.id}_${randomBytes(60).toString("base64url")}`;
  const expiresAt = hub.now() + hourMs;
  hub.state.tokens.set(token, { repos, permissions, expiresAt });
  return { token, expiresAt };
}

/** An installation token that is known, not revoked and not expired; unknown ones are nobody's. */
export function tokenOf(hub: Hub, text: string): Token | undefined {
  const token = hub.state.tokens.get(text);
  return token !== undefined && token.expiresAt > hub.now() ? token : undefined;
}

/** Whether a token is one for this repository: never for another account's. */
export const reaches = ({ repos }: Token, repo: SimRepo): boolean =>
  "allOf" in repos ? repo.owner === repos.allOf : repos.includes(repo.id);

/** The installation token of a request, or undefined when it carries none that is good. */
export function bearerOf(hub: Hub, header: string | undefined): { text: string; token: Token } | undefined {
  const text = /^(?:bearer|token) (.+)$/i.exec(header ?? "")?.[1] ?? "";
  const token = tokenOf(hub, text);
  return token === undefined ? undefined : { text, token };
}

export function authorize(hub: Hub, header: string | undefined, path: string): Caller | undefined {
  const text = /^(?:bearer|token) (.+)$/i.exec(header ?? "")?.[1];
  if (text === undefined) return undefined;
  const login = `${hub.state.app.slug}[bot]`;
  if (text.split(".").length === 3) {
    if (!isJwt(hub, text)) return undefined;
    return {
      is: "app",
      login,
      permissions: undefined,
      denies: () => !/^\/app(\/|$)/.test(path) && !path.endsWith("/installation"),
    };
  }
  const token = tokenOf(hub, text);
  if (token === undefined) return undefined;
  return {
    is: "installation",
    login,
    permissions: token.permissions,
    denies: (method, at) => deniesToken(hub, token, method, at),
  };
}

function isJwt(hub: Hub, text: string): boolean {
  const [head = "", claims = "", signature = ""] = text.split(".");
  const genuine = verify(
    "RSA-SHA256",
    Buffer.from(`${head}.${claims}`),
    createPublicKey(hub.state.app.publicKey),
    Buffer.from(signature, "base64url"),
  );
  if (!genuine) return false;
  const { exp, iss } = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as {
    exp: number;
    iss: string | number;
  };
  // A token's life is real time, whatever clock the simulated forge runs on.
  return exp * 1_000 > Date.now() && String(iss) === String(hub.state.app.id);
}

/** What a path needs, the first that fits; reads need `read`, everything else `write`. */
const areas: readonly (readonly [RegExp, string])[] = [
  [/\/check-(runs|suites)/, "checks"],
  [/\/actions\//, "actions"],
  [/\/status(es)?(\/|$)/, "statuses"],
  [/\/pulls(\/|$)/, "pull_requests"],
  [/\/(issues|labels)(\/|$)/, "issues"],
  [/\/(git|contents|merges)(\/|$)/, "contents"],
];
function deniesToken(hub: Hub, token: Token, method: string, path: string): boolean {
  if (/^\/app(\/|$)/.test(path)) return true;
  const [, owner = "", name = ""] = /^\/repos\/([^/]+)\/([^/]+)/.exec(path) ?? [];
  const repo = hub.repo(owner, name);
  if (repo !== undefined && !reaches(token, repo)) return true;
  const area = areas.find(([pattern]) => pattern.test(path))?.[1];
  if (area === undefined) return false;
  const has = token.permissions[area] ?? (area === "issues" ? token.permissions["pull_requests"] : undefined);
  return has === undefined || (method !== "GET" && has !== "write");
}
