/** The pair of tokens of a workspace, as its row keeps it. */
import type { Instant } from "../ports.ts";
import type { LinearAccess, SignedOut, TokenPair, WorkspaceId } from "../ports-linear.ts";
import type { Seal } from "../ports-seal.ts";
import type { LinearWorkspace, SealedPair } from "../store/linear-workspaces.ts";

/** What tokens are sealed with; `make` may write a new key. Throws where the key cannot be used. */
export type SealOf = (absent: "make" | "none") => Seal | undefined;

export type StoredPair =
  | { readonly is: "open"; readonly access: string; readonly refresh: string | undefined }
  | { readonly is: "closed"; readonly why: string; readonly fix: string };

export const signInCommand = ({ grantedBy }: Pick<LinearWorkspace, "grantedBy">): string =>
  grantedBy === "code" ? "forgehand auth linear" : "forgehand auth linear --client-credentials";

/** A workspace that was signed out, in words. */
export const outOf = (row: LinearWorkspace): LinearAccess & SignedOut => ({
  is: "signed-out",
  workspace: row.id,
  name: row.name,
  since: row.signedOut?.at,
  why: row.signedOut?.why ?? "unknown",
  fix: `\`${signInCommand(row)}\` signs in again; \`forgehand auth linear --refresh\` tries the tokens that are stored`,
});

/** The same for one whose tokens are there and of no use. */
export const closed = (
  row: LinearWorkspace,
  { why, fix }: { readonly why: string; readonly fix: string },
): LinearAccess & SignedOut => ({
  is: "signed-out",
  workspace: row.id,
  name: row.name,
  since: undefined,
  why,
  fix,
});

const purposeOf = (id: WorkspaceId, token: "access" | "refresh"): string => `linear/${id}/${token}`;

/** Opens what a row keeps. */
export function openPair(row: LinearWorkspace, sealOf: SealOf): StoredPair {
  let seal: Seal | undefined;
  try {
    seal = sealOf("none");
  } catch (error) {
    // The catalogue's words say what is wrong with the key, never what it is.
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "unknown") : String(error);
    return { is: "closed", why: why.replace(/\.$/u, ""), fix: "`forgehand doctor` says how to mend it" };
  }
  const again = `\`${signInCommand(row)}\``;
  if (seal === undefined)
    return {
      is: "closed",
      why: "the key its tokens are sealed with is gone",
      fix: `put the key file back beside the database, set FORGEHAND_SECRET_KEY, or sign in again: ${again}`,
    };
  const access = seal.open(row.access, purposeOf(row.id, "access"));
  const refresh =
    row.refresh === undefined ? undefined : seal.open(row.refresh, purposeOf(row.id, "refresh"));
  if (access.is === "open" && (refresh === undefined || refresh.is === "open"))
    return { is: "open", access: access.text, refresh: refresh?.text };
  const isOther = access.is === "other-key" || refresh?.is === "other-key";
  return {
    is: "closed",
    why: isOther
      ? "its tokens are sealed with another key than the one there is now"
      : "its sealed tokens are damaged in the database",
    fix: isOther
      ? `set FORGEHAND_SECRET_KEY (or the key file beside the database) to what it was, or sign in again: ${again}`
      : `sign in again: ${again}`,
  };
}

/** The pair as a row keeps it. Lives from when it was asked for, so that a slow answer counts against it. */
export function sealed(
  sealOf: SealOf,
  id: WorkspaceId,
  {
    pair,
    at,
    scopes,
  }: { readonly pair: TokenPair; readonly at: Instant; readonly scopes: readonly string[] },
): SealedPair {
  const seal = sealOf("make");
  if (seal === undefined) throw new Error("a key that is to be made is there");
  return {
    scopes: pair.scopes ?? scopes,
    access: seal.seal(pair.access, purposeOf(id, "access")),
    refresh: pair.refresh === undefined ? undefined : seal.seal(pair.refresh, purposeOf(id, "refresh")),
    obtainedAt: at,
    expiresAt: at + pair.lifetimeMs,
  };
}
