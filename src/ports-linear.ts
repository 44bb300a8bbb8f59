/** The seam to Linear's sign-in: who we are there, and the token of the moment. */
import type { Instant, Tracker } from "./ports.ts";

/** Id of a Linear organisation; people call it a workspace. */
export type WorkspaceId = string;

/** A token to work with, or why there is none until a person acts. */
export type LinearAccess =
  | {
      readonly is: "granted";
      /** Never log it. */
      readonly token: string;
      /** `app`: our own identity, sent as a bearer token; `person`: a personal API key, sent as it is. */
      readonly as: "app" | "person";
      /** Undefined for a personal API key. */
      readonly expiresAt: Instant | undefined;
    }
  | ({ readonly is: "signed-out" } & SignedOut);

export interface SignedOut {
  readonly workspace: WorkspaceId;
  /** What people call it; its id where it was never signed in. */
  readonly name: string;
  readonly since: Instant | undefined;
  readonly why: string;
  /** The command that resumes. */
  readonly fix: string;
}

/** What the adapter of Linear and dispatch ask. A failure that passes is thrown as `Trouble` with a time to try again. */
export interface LinearTokens {
  /** The token of the moment, refreshed where it is about to end and stored before it is answered. */
  accessToken(workspace: WorkspaceId): Promise<LinearAccess>;
  /** Linear refused this token although it should hold: another one, or signed out. */
  replace(workspace: WorkspaceId, refused: string): Promise<LinearAccess>;
  /** Workspaces that wait for a person to sign in: nothing new is dispatched for them. */
  signedOut(): Promise<readonly SignedOut[]>;
  /** Every workspace there is a sign-in for, the one of a personal API key included. */
  workspaces(): Promise<readonly WorkspaceId[]>;
  /** The webhook `OAuthApp` with the action `revoked`; one about an earlier sign-in, or another app, changes nothing. */
  revoked(notice: {
    readonly workspace: WorkspaceId;
    /** As the webhook calls it, which need not be what it signs in with. */
    readonly client: string | undefined;
    readonly at: Instant;
  }): Promise<void>;
  /** The webhook `PermissionChange`; late and repeated ones change nothing. */
  teamsChanged(change: TeamsChange): Promise<void>;
  /** Teams the app was taken out of, by id. */
  lostTeams(workspace: WorkspaceId): Promise<readonly string[]>;
}

export interface TeamsChange {
  readonly workspace: WorkspaceId;
  /** Whom of the workspace it is about: each app has a user of its own there. */
  readonly appUser: string | undefined;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly at: Instant;
}

/** How a workspace was signed in to: a person consented in a browser, or the app's secret alone. */
export type LinearGrant = "code" | "client-credentials";

/** A pair of tokens as Linear gave it. */
export interface TokenPair {
  readonly access: string;
  /** None with client credentials: the app asks again. */
  readonly refresh: string | undefined;
  /** Undefined where Linear does not say: those that were asked for, or had before. */
  readonly scopes: readonly string[] | undefined;
  readonly lifetimeMs: number;
}

/** Who a token speaks for. */
export interface LinearIdentity {
  readonly workspace: { readonly id: WorkspaceId; readonly name: string; readonly urlKey: string };
  readonly user: { readonly id: string; readonly name: string };
}

/**
 * What a request for tokens came to. `refused`: this grant is good for nothing any more (`invalid_grant`);
 * `app-refused`: Linear does not take our client id and secret, which says nothing of the grant.
 */
export type TokenAnswer =
  | { readonly is: "granted"; readonly pair: TokenPair }
  | { readonly is: "refused"; readonly why: string }
  | { readonly is: "app-refused"; readonly why: string };

/** Linear's OAuth endpoints. What passes (no answer, 5xx, a rate limit) is thrown as `Trouble`. */
export interface LinearOAuth {
  readonly clientId: string;
  consentUrl(ask: { readonly redirect: string; readonly state: string; readonly challenge: string }): string;
  exchange(
    code: string,
    proof: { readonly redirect: string; readonly verifier: string },
  ): Promise<TokenAnswer>;
  refresh(refreshToken: string): Promise<TokenAnswer>;
  clientCredentials(): Promise<TokenAnswer>;
  /** Throws a `Problem` where Linear does not take our client id and secret: then nothing is revoked. */
  revoke(pair: Pick<TokenPair, "access" | "refresh">): Promise<void>;
  /** Undefined when Linear does not accept the token. */
  identity(token: string, as: "app" | "person"): Promise<LinearIdentity | undefined>;
}

/** What the app needs in a workspace. */
export const linearScopes = ["read", "write", "app:assignable", "app:mentionable"] as const;

type State = Parameters<Tracker["move"]>[2];

/** What a team calls our states on its board; what is left out has its usual name. */
export type BoardNames = Partial<Readonly<Record<State, string>>>;

/** The usual names, and the category that does where a board has none of them. A blocked card stays where it is. */
export const usualBoard: Readonly<
  Record<State, { readonly names: readonly string[]; readonly category: string | undefined }>
> = {
  Backlog: { names: ["Backlog"], category: "backlog" },
  Ready: { names: ["Ready for Dev", "Ready"], category: "unstarted" },
  Gate: { names: ["Spec Gate", "Gate"], category: "started" },
  "In Progress": { names: ["In Progress"], category: "started" },
  "Adversarial Review": { names: ["Adversarial Review"], category: "started" },
  "In Review": { names: ["In Review"], category: "started" },
  Merging: { names: ["Merging"], category: "started" },
  Rework: { names: ["Rework"], category: "started" },
  Blocked: { names: ["Blocked"], category: undefined },
  Done: { names: ["Done"], category: "completed" },
  Cancelled: { names: ["Cancelled", "Canceled"], category: "canceled" },
};
