import type { Courier } from "./courier.ts";
import {
  organizationOf,
  teamOf,
  type SimNode,
  type SimOrganization,
  type SimTeam,
  type SimUser,
  type World,
} from "./world.ts";

/** An OAuth application, known to every workspace, installed in some. */
export interface SimApp {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly name: string;
  /** The workspace that manages it, and that its client credentials speak for. */
  readonly home: SimOrganization;
  readonly redirectUris: readonly string[];
  readonly allowsClientCredentials: boolean;
  readonly webhook: SimAppWebhook;
}
export interface SimAppWebhook {
  readonly id: string;
  /** Nothing is sent while this is undefined. */
  url: string | undefined;
  secret: string;
  enabled: boolean;
  resourceTypes: readonly string[];
}
/** That an admin let an app into a workspace, with its user there. */
export interface SimInstall {
  readonly app: SimApp;
  readonly organization: SimOrganization;
  readonly user: SimUser;
  scopes: readonly string[];
  /** Teams it may enter besides, or instead of, all public ones. */
  teams: readonly SimTeam[];
  entersAllPublicTeams: boolean;
}
export interface SimToken {
  readonly value: string;
  readonly is: "oauth" | "client credentials" | "key";
  readonly user: SimUser;
  readonly scopes: readonly string[];
  readonly install: SimInstall | undefined;
  readonly app: SimApp | undefined;
  expiresAt: number;
}
/** Who asks, and what with. */
export interface Caller {
  readonly user: SimUser;
  readonly organization: SimOrganization;
  readonly token: SimToken;
}
export interface Budget {
  readonly requests: number;
  readonly complexity: number;
}
/** Budgets an hour, that fill up again steadily, and what may be left of them. */
export interface RateLimits {
  /** Takes one request of that complexity; the headers tell what is left. */
  take(
    token: SimToken,
    complexity: number,
  ): { readonly isOver: boolean; readonly headers: Readonly<Record<string, string>> };
  /** Leaves exactly so much of somebody's budget, as when much was asked before. */
  leave(token: SimToken, left: Partial<Budget>): void;
  statusOf(token: SimToken): object;
}
export interface Fault {
  /**
   * `ratelimited` (HTTP 400), a status, `reset` (the connection drops), `slow` (answers after `delayMs`), `partial` (data
   * with errors: the field at `path` is missing).
   */
  readonly is: "ratelimited" | "reset" | "slow" | "partial" | number;
  /** Which requests: of their root fields (`issueUpdate`), of OAuth paths (`/oauth/token`). All, when left out. */
  readonly of?: RegExp;
  /** Performs the request and loses the answer. */
  readonly after?: true;
  readonly delayMs?: number;
  /** For `partial`, from the root: `issue.comments`. */
  readonly path?: string;
  readonly message?: string;
  times: number;
}
/** One request that reached the API, for tests to count and read. */
export interface Call {
  readonly at: number;
  readonly by: SimUser;
  readonly roots: readonly string[];
  readonly variables: Readonly<Record<string, unknown>>;
  readonly complexity: number;
  status: number;
  errors: readonly string[];
}
/** What every part of the simulated Linear works with. */
export interface Linear {
  readonly url: string;
  readonly world: World;
  readonly courier: Courier;
  readonly apps: SimApp[];
  readonly installs: SimInstall[];
  readonly tokens: Map<string, SimToken>;
  readonly limits: RateLimits;
  readonly faults: Fault[];
  readonly calls: Call[];
  /** A text nobody guesses. */
  secret(): string;
}

/** Who did something: a person, an app's user, an integration of Linear's own, or Linear. */
export type Actor =
  | { readonly is: "user"; readonly user: SimUser; readonly app?: SimApp | undefined }
  | { readonly is: "integration"; readonly id: string; readonly service: string }
  | { readonly is: "linear" };

export const by = (user: SimUser): Actor => ({ is: "user", user });

export const userOf = (actor: Actor): SimUser | undefined => (actor.is === "user" ? actor.user : undefined);

export const installOf = (linear: Linear, user: SimUser): SimInstall | undefined =>
  linear.installs.find((one) => one.user === user);

/** Whether a caller may see a node: of its workspace, and of a team it may enter. */
export function sees(caller: Caller, node: SimNode): boolean {
  if (organizationOf(node) !== caller.organization) return false;
  const team = teamOf(node);
  if (team === undefined) return true;
  const { install } = caller.token;
  if (install !== undefined) return enters(install, team);
  return !team.private || team.members.includes(caller.user);
}

export const enters = (install: SimInstall, team: SimTeam): boolean =>
  (install.entersAllPublicTeams && !team.private) || install.teams.includes(team);
