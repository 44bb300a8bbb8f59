/** Refreshes of Linear's tokens: one at a time on this host, stored before anybody uses them. */
import { Trouble, type Clock, type Instant } from "../ports.ts";
import type { LinearOAuth, SignedOut, TokenAnswer, TokenPair, WorkspaceId } from "../ports-linear.ts";
import type { Owner } from "../store/database.ts";
import type { LinearWorkspace } from "../store/linear-workspaces.ts";
import type { Store } from "../store/store.ts";
import { outOf, sealed, type SealOf } from "./linear-pairs.ts";

export interface LinearTokensOptions {
  readonly store: Store;
  readonly oauth: LinearOAuth;
  /** Of a person, for trials. */
  readonly apiKey: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly seal: SealOf;
  readonly owner: Owner;
  readonly isDead: (owner: Owner) => boolean;
  /** A workspace needs a person to sign in; told once for each time. */
  readonly page: (out: SignedOut) => void;
}

/** Longer than a request to Linear can take. */
const longestTurnMs = 60_000;
const turnLookMs = 100;
const backOffMs = { first: 5_000, most: 10 * 60_000 };
/** A person must sign in again: written down, and told once. */
export async function signOut(
  options: LinearTokensOptions,
  row: LinearWorkspace,
  why: string,
): Promise<void> {
  const at = options.clock.now();
  const out = { id: row.id, generation: row.generation, why, at };
  const told = await options.store.signOutOfLinear(out);
  if (told === "news") options.page(outOf({ ...row, signedOut: { at, why } }));
}

/** Refreshes: within this process everybody joins the one under way, and of several processes one has the turn. */
export function renewing(options: LinearTokensOptions) {
  const { store, oauth, clock } = options;
  // Tells apart two desks of one process.
  const desk = String(options.random());
  const underWay = new Map<WorkspaceId, Promise<void>>();
  /** Answers that could not be stored: the next try stores them instead of asking with a token that is used up. */
  const unsaved = new Map<string, { readonly pair: TokenPair; readonly at: Instant }>();

  const renew = async (row: LinearWorkspace, refresh: string | undefined): Promise<void> => {
    const turn = await takeTurn(options, desk, row);
    if (turn === "newer") return;
    const name = `${row.id}/${row.generation}`;
    let fresh = unsaved.get(name);
    if (fresh === undefined) {
      const at = clock.now();
      const answer = await asked(row, refresh);
      if (answer.is === "app-refused")
        return await signOut(
          options,
          row,
          `Linear does not accept the app (${answer.why}): compare FORGEHAND_LINEAR_CLIENT_ID and FORGEHAND_LINEAR_CLIENT_SECRET with its page`,
        );
      if (answer.is === "refused") return await signOut(options, row, refusedBecause(row, turn, answer.why));
      // Linear may leave the refresh token as it is.
      fresh = { pair: { ...answer.pair, refresh: answer.pair.refresh ?? refresh }, at };
      unsaved.set(name, fresh);
    }
    // Nobody is given the new pair before it is on disk.
    await store.keepLinearTokens(
      row.id,
      row.generation,
      sealed(options.seal, row.id, { ...fresh, scopes: row.scopes }),
    );
    unsaved.delete(name);
  };
  const asked = async (row: LinearWorkspace, refresh: string | undefined): Promise<TokenAnswer> => {
    try {
      if (row.grantedBy === "client-credentials") return await oauth.clientCredentials();
      if (refresh === undefined) return { is: "refused", why: "Linear gave no refresh token with it" };
      return await oauth.refresh(refresh);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      const failed = { id: row.id, generation: row.generation, why: error.message };
      const retryAt = await store.linearRefreshFailed(
        failed,
        (failures) => error.retryAt ?? nextTry(failures),
      );
      throw new Trouble(error.code, error.message, {
        cause: error,
        retryAt: retryAt ?? clock.now() + backOffMs.first,
      });
    }
  };
  const nextTry = (failures: number): Instant => {
    const waitMs = Math.min(backOffMs.most, backOffMs.first * 2 ** Math.min(failures - 1, 20));
    return Math.round(clock.now() + waitMs * (0.75 + options.random() / 2));
  };
  return {
    once: (row: LinearWorkspace, refresh: string | undefined): Promise<void> => {
      const coming = underWay.get(row.id);
      if (coming !== undefined) return coming;
      const begun = renew(row, refresh).finally(() => underWay.delete(row.id));
      underWay.set(row.id, begun);
      return begun;
    },
    settled: async (): Promise<void> => {
      await Promise.allSettled(underWay.values());
    },
  };
}

function refusedBecause(row: LinearWorkspace, turn: "taken" | "taken-after-crash", said: string): string {
  if (row.grantedBy === "client-credentials") return `Linear gives the app no token any more (${said})`;
  if (turn === "taken-after-crash")
    return `a process ended after Linear had answered a refresh and before the new tokens were stored; they are lost (${said})`;
  if (row.failures > 0)
    return `Linear no longer accepts the refresh token (${said}); the answer to an earlier refresh was lost on its way`;
  return `Linear no longer accepts the refresh token (${said}): the app was revoked, or the token was used elsewhere`;
}

/** Waits until this process may refresh, or somebody else has tried. */
async function takeTurn(
  { store, clock, owner, isDead }: LinearTokensOptions,
  desk: string,
  seen: LinearWorkspace,
): Promise<"taken" | "taken-after-crash" | "newer"> {
  for (;;) {
    const now = clock.now();
    const turn = await store.takeLinearRefresh(seen, { owner, desk, now, longestMs: longestTurnMs }, isDead);
    if (turn.is === "newer") return "newer";
    if (turn.is === "taken") return turn.after === "crash" ? "taken-after-crash" : "taken";
    await clock.until(clock.now() + turnLookMs);
  }
}
