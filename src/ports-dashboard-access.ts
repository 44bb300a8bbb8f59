/** Who may come in beside operators with a link, told in one shape to store, door and command line. */

import type { Viewer } from "./ports-dashboard.ts";

/** Who somebody of the forge is here, now. */
export interface Standing {
  readonly login: string;
  readonly rights: Viewer["rights"];
}
export interface People {
  /** By the number of their account, since names change hands: `lately` is at most a minute old, `now` is asked again. Undefined: there is no such person any more. */
  standing(account: number, asOf: "lately" | "now"): Promise<Standing | undefined>;
}
/** Logging in with an account of the forge. */
export interface ForgeLogin {
  /** Where a person is sent to consent. */
  consentUrl(ask: { readonly state: string; readonly challenge: string; readonly redirect: string }): string;
  /** Who came back with this code; `refused` when the forge does not know it. */
  personOf(came: {
    readonly code: string;
    readonly verifier: string;
    readonly redirect: string;
  }): Promise<{ readonly id: number; readonly login: string } | "refused">;
}

/** Somebody who is in the dashboard, as listed. */
export interface OpenSession {
  /** The beginning of the hash of its cookie: enough to name it, of no use to come in. */
  readonly id: string;
  readonly who: string;
  readonly kind: "link" | "github";
  readonly openedAt: number;
  /** Kept at most once a minute. */
  readonly seenAt: number;
  readonly expiresAt: number;
}

/** What a token may be used for: `read`, `act` and `admin` each include those before; `metrics` is for `/metrics` alone. */
export const scopes = ["read", "act", "admin", "metrics"] as const;
export type Scope = (typeof scopes)[number];

/** A token as it is listed; what it is hashed from is nowhere kept. */
export interface ApiToken {
  readonly name: string;
  readonly scope: Scope;
  /** Numbers of the repositories it is good for; undefined: all of them. */
  readonly repos: readonly number[] | undefined;
  /** As the ledger names them: `operator:ada`. */
  readonly madeBy: string;
  readonly madeAt: number;
  /** Undefined: until it is revoked. */
  readonly expiresAt: number | undefined;
  /** Kept at most once a minute. */
  readonly usedAt: number | undefined;
}
