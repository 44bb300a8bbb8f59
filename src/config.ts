import usual from "./config-default.json" with { type: "json" };
import type { RepoConfig } from "./config-schema.ts";
import type { Policy } from "./state-machine/ticket.ts";

export type { RepoConfig } from "./config-schema.ts";

/** Where a repository keeps its configuration. */
export const configPath = ".github/forgehand.yml";
/** Where it may keep it instead. */
export const otherConfigPath = ".forgehand.yml";

/** One thing wrong in the file, to be shown at its place. */
export interface ConfigProblem {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The same, in whichever file. */
export interface FileProblem extends ConfigProblem {
  /** `owner/name`, where the file is another repository's. */
  readonly repo?: string;
  /** From the root of the repository. */
  readonly path: string;
}

export interface ReadConfig {
  /** The default stands in wherever the file is wrong. */
  readonly config: RepoConfig;
  readonly problems: readonly ConfigProblem[];
}

/** The same on one line. */
export const toldAt = ({ repo, path, line, column, message }: FileProblem): string =>
  `${repo === undefined ? "" : `${repo}:`}${path}:${line}:${column}: ${message}`;

/** Every key at its default. The file is made of the schema, which takes a command longer to build than all else it does. */
export function defaultConfig(): RepoConfig {
  // A file has no literal types; that it is what the schema makes of nothing is checked where it is made.
  return structuredClone<unknown>(usual) as RepoConfig;
}

/** The part of the configuration the state machine may ask about. */
export function policyOf(config: RepoConfig): Policy {
  return {
    maxAttempts: config.limits.attempts,
    maxCycles: config.limits.cycles,
    maxUnreviewed: config.limits.unreviewed,
    mergeAfterApproval: config.merge.after_approval,
  };
}
