import { join } from "node:path";

/** Where this person's forgehand keeps things when nobody says otherwise. */
export interface Places {
  /** Settings and credentials: small, written by people and by `init`, worth a copy. */
  readonly config: string;
  /** Databases, worktrees, logs: what forgehand remembers. */
  readonly state: string;
}

/**
 * The folders of the XDG base directories, on every system: where `XDG_CONFIG_HOME` or `XDG_STATE_HOME` is not an absolute
 * path, the specification has it ignored.
 */
export function placesOf(env: Readonly<Record<string, string | undefined>>, home: string): Places {
  const under = (variable: string, ...usual: readonly string[]): string => {
    const told = env[variable];
    return join(told?.startsWith("/") === true ? told : join(home, ...usual), "forgehand");
  };
  return { config: under("XDG_CONFIG_HOME", ".config"), state: under("XDG_STATE_HOME", ".local", "state") };
}

/** The file of settings that `init` writes and every command reads: lines of `FORGEHAND_NAME=value`, mode 0600. */
export const settingsFile = ({ config }: Pick<Places, "config">): string => join(config, "forgehand.env");
