/** Who may come in beside operators with a link, told in one shape to store, door and command line. */

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
