import { configInForce, placeIn } from "./config-file.ts";
import { personasOf, type Persona } from "./config-persona.ts";
import { configPath, type FileProblem, type RepoConfig } from "./config.ts";

/** A repository's files as they were read at one commit of its default branch. */
interface Kept {
  readonly config: string | undefined;
  readonly sound: { readonly config: string | undefined; readonly at: string } | undefined;
  readonly personas: Readonly<Record<string, string | null>>;
}
export interface KeptRules {
  readonly config: RepoConfig;
  /** By name: the repository's own over the bundled ones. */
  readonly personas: ReadonlyMap<string, Persona>;
  /** Of the configuration and of personas. */
  readonly faults: readonly FileProblem[];
  /** The same as `path:line:column: message`. */
  readonly problems: readonly string[];
  /** While there are problems: the commit whose configuration is in force. */
  readonly soundAt: string | undefined;
}

/** How a repository wants to be served, and everything that is wrong with how it says so. */
export function rulesIn(kept: Kept): KeptRules {
  const { config, problems, soundAt } = configInForce(kept);
  const read = personasOf(kept.personas, config.runtime.personas);
  const ill = read.misnamed.map(({ role, message }) => ({
    ...placeIn(kept.config, ["runtime", "personas", role]),
    message,
  }));
  const faults = [...[...problems, ...ill].map((one) => ({ path: configPath, ...one })), ...read.problems];
  // With a fault of personas alone, the configuration is the one that was read beside them.
  const isOfPersonas = problems.length === 0 && faults.length > 0;
  return {
    config,
    personas: read.named,
    faults,
    problems: faults.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`),
    soundAt: isOfPersonas ? kept.sound?.at : soundAt,
  };
}
