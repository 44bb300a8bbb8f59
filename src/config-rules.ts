import { configInForce, placeIn } from "./config-file.ts";
import { seatsOf } from "./config-panel.ts";
import { personasOf, type Persona } from "./config-persona.ts";
import { configPath, type RepoConfig } from "./config.ts";

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
  /** `path:line:column: message`, of the configuration and of personas. */
  readonly problems: readonly string[];
  /** While the configuration has problems: the commit whose configuration stays in force. */
  readonly soundAt: string | undefined;
}

/** How a repository wants to be served, and everything that is wrong with how it says so. */
export function rulesIn(kept: Kept): KeptRules {
  const { config, problems, soundAt } = configInForce(kept);
  const read = personasOf(kept.personas, config.runtime.personas);
  const panel = seatsOf(config.review.panel, read.named).map(({ persona }) => persona);
  const seated = personasOf(kept.personas, { review: panel });
  const ill = [
    ...read.misnamed.map(({ role, message }) => ({
      ...placeIn(kept.config, ["runtime", "personas", role]),
      message,
    })),
    ...seated.misnamed.map(({ message }) => ({ ...placeIn(kept.config, ["review", "panel"]), message })),
  ];
  return {
    config,
    personas: read.named,
    problems: [
      ...[...problems, ...ill].map(
        ({ line, column, message }) => `${configPath}:${line}:${column}: ${message}`,
      ),
      ...read.problems,
    ],
    soundAt,
  };
}
