/** The keychain of the operating system, where the optional `@napi-rs/keyring` is installed and there is one to speak to. */
import { createRequire } from "node:module";
import { Problem } from "../problems.ts";

export interface Keychain {
  /** Undefined when nothing is kept under this name. */
  get(name: string): string | undefined;
  set(name: string, secret: string): void;
}
/** As far as we use it; settings are read before anything could be awaited, so its synchronous half. */
interface Keyring {
  readonly Entry: new (
    service: string,
    account: string,
  ) => { getPassword(): string | null; setPassword(secret: string): void };
}

const service = "forgehand";

/** Opens it. Throws a `Problem` when the package is absent or the system has no keychain that answers. */
export function openKeychain(load: () => unknown = loadKeyring): Keychain {
  const within = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (cause) {
      const why = cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause);
      throw new Problem("keychain-unusable", { why }, { cause });
    }
  };
  // The package has no types we could check at run time; what is missing shows at the first use, inside `within`.
  const { Entry } = within(load) as Keyring;
  return {
    get: (name) => within(() => new Entry(service, name).getPassword()) ?? undefined,
    set: (name, secret) => within(() => new Entry(service, name).setPassword(secret)),
  };
}

/** Found at run time only, since it may not be installed. */
const loadKeyring = (): unknown => createRequire(import.meta.url)("@napi-rs/keyring") as unknown;
