/** What every step of `forgehand init` works with. */
import type { Keychain } from "../adapters/keychain.ts";
import type { Environment } from "../config-environment.ts";
import type { Places } from "../places.ts";
import type { Outside } from "./app-access.ts";
import type { ImportOptions } from "./app-import.ts";
import type { Prompter } from "./prompter.ts";

export interface InitOptions extends ImportOptions {
  readonly yes?: true | undefined;
  readonly create?: true | undefined;
  readonly import?: true | undefined;
  readonly replace?: true | undefined;
  readonly org?: string | undefined;
  readonly name?: string | undefined;
  readonly feed?: string | undefined;
  readonly url?: string | undefined;
  readonly hookUrl?: string | undefined;
  readonly keychain?: true | undefined;
  readonly linear?: boolean | undefined;
  readonly browser: boolean;
  readonly port: string;
  readonly timeout: string;
  readonly json?: true | undefined;
}
export interface Init extends Outside {
  readonly options: InitOptions;
  readonly prompter: Prompter;
  readonly places: Places;
  /** As it is now: each step reads what the one before wrote. */
  environment(): Environment;
  /** Opened when secrets are to go there. */
  readonly keychain: Keychain | undefined;
  /** Answers whether a browser was there to be asked. */
  openBrowser(url: string): Promise<boolean>;
  readonly random: (bytes: number) => string;
  /** For names that nobody else has. */
  readonly user: string;
}
