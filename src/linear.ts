/** Linear's sign-in put together: the endpoints, the rows, the key. */
import { systemClock } from "./adapters/clock.ts";
import { openLinearOAuth } from "./adapters/linear/oauth.ts";
import { isDead, thisProcess } from "./adapters/owner.ts";
import { openSeal, secretKeyOf } from "./adapters/sealed.ts";
import type { Environment } from "./config-environment.ts";
import { linearDefaults, type LinearSettings } from "./config-linear.ts";
import type { Clock } from "./ports.ts";
import { Problem } from "./problems.ts";
import { lookEvery } from "./shell/loop.ts";
import type { Log } from "./shell/workshop.ts";
import type { LinearOAuth, SignedOut } from "./ports-linear.ts";
import { openLinearTokens, type LinearDesk } from "./shell/linear-tokens.ts";
import type { Store } from "./store/store.ts";

export interface LinearParts {
  readonly environment: Pick<Environment, "linear" | "secretKey" | "database">;
  readonly store: Store;
  readonly clock?: Clock;
  readonly fetch?: typeof globalThis.fetch;
  /** Told once each time a workspace needs a person to sign in. */
  readonly page: (out: SignedOut) => void;
}
export interface Linear {
  readonly desk: LinearDesk;
  readonly oauth: LinearOAuth;
  readonly settings: LinearSettings;
}

/** Workspaces may have been signed in to before the settings were taken away: what they hold still works until it ends. */
const unset: LinearSettings = {
  ...linearDefaults,
  clientId: undefined,
  clientSecret: undefined,
  apiKey: undefined,
};

/** Opens Linear's sign-in on a database; nothing is asked of Linear before somebody wants a token. */
export function openLinear({ environment, store, page, ...given }: LinearParts): Linear {
  const clock = given.clock ?? systemClock();
  const settings: LinearSettings = environment.linear ?? unset;
  const oauth = openLinearOAuth({ settings, fetch: given.fetch ?? globalThis.fetch, clock });
  const { secretKey, database } = environment;
  const desk = openLinearTokens({
    store,
    oauth,
    apiKey: settings.apiKey,
    clock,
    random: Math.random,
    seal: (absent) => {
      const key = secretKeyOf({ secretKey, database }, absent);
      return key === undefined ? undefined : openSeal(key);
    },
    owner: thisProcess(),
    isDead,
    page,
  });
  return { desk, oauth, settings };
}

/** Often enough that no token ends unseen, seldom enough to cost nothing. */
const keepMs = 5 * 60_000;

export interface KeptLinear extends Linear {
  /** Ends after the answer of Linear that is on its way; the database must stay open until then. */
  stop(): Promise<void>;
}

/** Linear's sign-in for a process that serves: tokens stay fresh, and the operator hears when a person is needed. */
export function keepLinear({
  log,
  clock,
  ...parts
}: Omit<LinearParts, "page"> & { readonly log: Log; readonly clock: Clock }): KeptLinear {
  const page = ({ name, why, fix, workspace }: SignedOut): void => {
    const { message } = new Problem("linear-signed-out", { name, why, fix });
    log.error({ code: "linear-signed-out", workspace }, message);
  };
  const linear = openLinear({ ...parts, clock, page });
  const { desk } = linear;
  const tell = (error: unknown): void =>
    log.error(
      { error: error instanceof Error ? error.message : String(error) },
      "Linear's tokens could not be kept fresh",
    );
  let keeping = Promise.resolve();
  const keep = (): void => {
    keeping = keeping.then(() => desk.keepFresh()).catch(tell);
  };
  // Who was signed out before the start is told again: the log may be a new one.
  keeping = desk
    .signedOut()
    .then((out) => out.forEach(page))
    .catch(tell);
  keep();
  const stopLooking = lookEvery(keepMs, clock, keep);
  return {
    ...linear,
    stop: async () => {
      stopLooking();
      await keeping;
      await desk.settled();
    },
  };
}
