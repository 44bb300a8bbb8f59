/** Tokens of Linear's workspaces: who gets one, and when a person must sign in. */
import { Trouble, type Instant } from "../ports.ts";
import {
  linearScopes,
  type LinearAccess,
  type LinearGrant,
  type LinearIdentity,
  type LinearTokens,
  type TokenAnswer,
  type WorkspaceId,
} from "../ports-linear.ts";
import type { LinearWorkspace } from "../store/linear-workspaces.ts";
import { closed, openPair, outOf, sealed, signInCommand, type StoredPair } from "./linear-pairs.ts";
import { personal } from "./linear-personal.ts";
import { renewing, signOut, type LinearTokensOptions } from "./linear-refresh.ts";

/** What commands may do beyond asking for tokens. */
export interface LinearDesk extends LinearTokens {
  /** Keeps what Linear granted, under the workspace it is for. */
  signIn(by: LinearGrant, ask: () => Promise<TokenAnswer>): Promise<SignedIn>;
  /** Asks for new tokens now, signed out or not. */
  refresh(workspace: WorkspaceId): Promise<LinearAccess>;
  /** Revokes at Linear, then forgets. Where the tokens cannot be read there is nothing to revoke with. */
  revoke(workspace: WorkspaceId): Promise<"revoked" | "forgotten">;
  /** Refreshes whatever ends before long, so that nobody has to wait for it. */
  keepFresh(): Promise<void>;
  /** Resolves once no answer of Linear is on its way: before that, a database that is closed loses one. */
  settled(): Promise<void>;
  /** Opens what is stored, without refreshing anything. */
  stored(row: LinearWorkspace): StoredPair;
}
export type SignedIn =
  | {
      readonly is: "signed-in";
      readonly identity: LinearIdentity;
      readonly scopes: readonly string[];
      readonly expiresAt: Instant;
    }
  | Exclude<TokenAnswer, { readonly is: "granted" }>;

/** Ahead of the end of a token: somebody refreshes in the background, and nobody goes on without. */
const early = { mostMs: 2 * 3_600_000, part: 6 };
const late = { mostMs: 5 * 60_000, part: 12 };
/** A clock that was set back by more makes the end of a token unknown. */
const setBackMs = 5 * 60_000;
const mostLooks = 8;
/** Linear's longest window; a rest that ends later is the work of a clock that was set back. */
const longestRestMs = 24 * 3_600_000;

type Wanted =
  | { readonly is: "any" }
  | { readonly is: "lasting" }
  | { readonly is: "other"; readonly than: string }
  | { readonly is: "newer"; readonly than: number };

/** Opens the tokens of one app, on one database. */
export function openLinearTokens(options: LinearTokensOptions): LinearDesk {
  const { store, oauth, clock } = options;
  const renew = renewing(options);
  const person = personal(options);
  const opened = (row: LinearWorkspace): StoredPair => openPair(row, options.seal);

  const access = async (workspace: WorkspaceId, wanted: Wanted): Promise<LinearAccess> => {
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const row = await store.linearWorkspace(workspace);
      if (row === undefined)
        return await person.access(workspace, wanted.is === "other" ? wanted.than : undefined);
      const isTold = wanted.is === "newer" && row.generation === wanted.than && looks === 0;
      if (row.signedOut !== undefined && !isTold) return outOf(row);
      const pair = opened(row);
      if (pair.is === "closed") return closed(row, pair);
      const granted: LinearAccess = {
        is: "granted",
        token: pair.access,
        as: "app",
        expiresAt: row.expiresAt,
      };
      if (fits(row, pair.access, wanted, clock.now())) return granted;
      const mayStay = row.expiresAt > clock.now() && (wanted.is === "any" || wanted.is === "lasting");
      if (isResting(row, clock.now()) && wanted.is !== "newer") {
        if (mayStay) return granted;
        throw new Trouble("linear-unavailable", row.failure ?? "Linear could not give us a token.", {
          retryAt: row.retryAt,
        });
      }
      const unfit = misfit(row, oauth.clientId);
      if (unfit !== undefined) return mayStay ? granted : closed(row, unfit);
      try {
        await renew.once(row, pair.refresh);
      } catch (error) {
        if (!(error instanceof Trouble) || !mayStay) throw error;
        return granted;
      }
    }
    throw new Trouble(
      "linear-unavailable",
      `The tokens of the Linear workspace ${workspace} changed again and again.`,
    );
  };
  const isRefused = async (row: LinearWorkspace): Promise<boolean> => {
    const pair = opened(row);
    return pair.is === "open" && (await oauth.identity(pair.access, "app")) === undefined;
  };
  return {
    accessToken: (workspace) => access(workspace, { is: "any" }),
    replace: (workspace, refused) => access(workspace, { is: "other", than: refused }),
    refresh: async (workspace) => {
      const row = await store.linearWorkspace(workspace);
      return await access(workspace, { is: "newer", than: row?.generation ?? 0 });
    },
    signedOut: async () =>
      (await store.linearWorkspaces()).flatMap((row) => {
        if (row.signedOut !== undefined) return outOf(row);
        const pair = opened(row);
        if (pair.is === "closed") return closed(row, pair);
        const unfit = row.expiresAt > clock.now() ? undefined : misfit(row, oauth.clientId);
        return unfit === undefined ? [] : closed(row, unfit);
      }),
    workspaces: () => workspacesIn(options, person.identity),
    revoked: async ({ workspace, client, at }) => {
      const row = await store.linearWorkspace(workspace);
      if (row === undefined || row.signedOut !== undefined) return;
      // A delivery may be hours late, the two clocks may differ, and Linear may call the app by an id that is not the one
      // it signs in with: then the token itself tells.
      const isSure = client === row.client && at >= row.signedInAt;
      if (!isSure && !(await isRefused(row))) return;
      await signOut(options, row, "the app was revoked in Linear");
    },
    teamsChanged: async ({ workspace, appUser, added, removed, at }) => {
      const row = await store.linearWorkspace(workspace);
      if (row === undefined || row.userId !== appUser) return;
      for (const team of added) await store.tellLinearTeam({ workspace, team, is: "open", at });
      for (const team of removed) await store.tellLinearTeam({ workspace, team, is: "lost", at });
    },
    lostTeams: (workspace) => store.lostLinearTeams(workspace),
    signIn: (by, ask) => signIn(options, by, ask),
    revoke: async (workspace) => {
      const row = await store.linearWorkspace(workspace);
      const pair = row === undefined ? undefined : opened(row);
      if (pair?.is === "open") await oauth.revoke(pair);
      await store.forgetLinear(workspace);
      return pair?.is === "open" ? "revoked" : "forgotten";
    },
    keepFresh: async () => {
      for (const row of await store.linearWorkspaces()) {
        if (row.signedOut !== undefined || isResting(row, clock.now())) continue;
        await access(row.id, { is: "lasting" }).catch((error: unknown) => {
          // It stands in the row, with the time of the next try.
          if (!(error instanceof Trouble)) throw error;
        });
      }
    },
    settled: renew.settled,
    stored: opened,
  };
}

async function workspacesIn(
  { store }: LinearTokensOptions,
  ownerOfKey: () => Promise<LinearIdentity | undefined>,
): Promise<readonly WorkspaceId[]> {
  const rows = (await store.linearWorkspaces()).map(({ id }) => id);
  const own = await ownerOfKey().catch((error: unknown) => {
    // Whoever a key belongs to, the app's own workspaces wait for nobody's.
    if (!(error instanceof Trouble) || rows.length === 0) throw error;
    return undefined;
  });
  return own === undefined || rows.includes(own.workspace.id) ? rows : [...rows, own.workspace.id];
}

function fits(row: LinearWorkspace, token: string, wanted: Wanted, now: Instant): boolean {
  switch (wanted.is) {
    case "any":
      return !isDue(row, now, late);
    case "lasting":
      return !isDue(row, now, early);
    case "other":
      return token !== wanted.than && row.expiresAt > now;
    case "newer":
      return row.generation > wanted.than;
  }
}

function isDue(
  { obtainedAt, expiresAt }: Pick<LinearWorkspace, "obtainedAt" | "expiresAt">,
  now: Instant,
  { mostMs, part }: typeof early,
): boolean {
  const marginMs = Math.min(mostMs, (expiresAt - obtainedAt) / part);
  return now >= expiresAt - marginMs || now < obtainedAt - setBackMs;
}

const isResting = ({ retryAt }: LinearWorkspace, now: Instant): boolean =>
  retryAt > now && retryAt <= now + longestRestMs;

/** Only the app that was consented to can refresh. */
function misfit(
  row: LinearWorkspace,
  clientId: string,
): { readonly why: string; readonly fix: string } | undefined {
  if (row.client === clientId) return undefined;
  const why =
    clientId === ""
      ? "FORGEHAND_LINEAR_CLIENT_ID is not set, so its tokens cannot be refreshed"
      : `it was signed in to as the app ${row.client}, and FORGEHAND_LINEAR_CLIENT_ID is ${clientId}`;
  return { why, fix: `set FORGEHAND_LINEAR_CLIENT_ID to ${row.client}, or run \`${signInCommand(row)}\`` };
}

async function signIn(
  options: LinearTokensOptions,
  by: LinearGrant,
  ask: () => Promise<TokenAnswer>,
): Promise<SignedIn> {
  const { store, oauth, clock } = options;
  // Before anything is asked of Linear: an unusable key must not cost a code.
  options.seal("make");
  const at = clock.now();
  const answer = await ask();
  if (answer.is !== "granted") return answer;
  // Which row it belongs to only Linear can say. Nothing is lost if we die here: nobody waits for this sign-in yet.
  const identity = await oauth.identity(answer.pair.access, "app");
  if (identity === undefined) return { is: "refused", why: "Linear gave a token and does not accept it" };
  const { workspace, user } = identity;
  const kept = sealed(options.seal, workspace.id, { pair: answer.pair, at, scopes: linearScopes });
  await store.signInToLinear({
    ...kept,
    id: workspace.id,
    name: workspace.name,
    urlKey: workspace.urlKey,
    userId: user.id,
    userName: user.name,
    client: oauth.clientId,
    grantedBy: by,
  });
  return { is: "signed-in", identity, scopes: kept.scopes, expiresAt: kept.expiresAt };
}
