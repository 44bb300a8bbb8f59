import { guarded, placeIn, readConfig } from "./config-file.ts";
import { seatsOf } from "./config-panel.ts";
import { personasOf, type Persona } from "./config-persona.ts";
import { configPath, type FileProblem, type RepoConfig } from "./config.ts";

/** The files in which a repository says how it wants to be served, as they were read at one commit of its default branch. */
export interface RuleFiles {
  readonly config: string | undefined;
  readonly personas: Readonly<Record<string, string | null>>;
}
interface Kept extends RuleFiles {
  /** The newest of which nothing was wrong. */
  readonly sound: (RuleFiles & { readonly at: string }) | undefined;
}
export interface KeptRules {
  readonly config: RepoConfig;
  /** By name: the repository's own over the bundled ones. */
  readonly personas: ReadonlyMap<string, Persona>;
  /** Of the configuration and of personas. */
  readonly faults: readonly FileProblem[];
  /** The same as `path:line:column: message`. */
  readonly problems: readonly string[];
  /** While there are problems: the commit whose rules are in force, if there ever were sound ones. */
  readonly soundAt: string | undefined;
}

/**
 * The rules that hold, and everything that is wrong with how they are said now: the files' when nothing is wrong with
 * them, else the last sound ones, because a slip of the pen must not loosen what was demanded. Where there never were
 * any, what is right counts, and only people merge.
 */
export function rulesIn(kept: Kept): KeptRules {
  const read = judged(kept);
  const { faults } = read;
  if (faults.length === 0) return { ...read, problems: [], soundAt: undefined };
  const problems = faults.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`);
  const sound = kept.sound && judged(kept.sound);
  // A later version may find fault with what an earlier one took.
  if (sound?.faults.length === 0) return { ...sound, faults, problems, soundAt: kept.sound?.at };
  return { ...read, config: guarded(read.config), problems, soundAt: undefined };
}

function judged({ config: text, personas }: RuleFiles): Pick<KeptRules, "config" | "personas" | "faults"> {
  const { config, problems } = readConfig(text);
  const read = personasOf(personas, config.runtime.personas);
  const panel = seatsOf(config.review.panel, read.named).map(({ persona }) => persona);
  const seated = personasOf(personas, { review: panel });
  const ill = [
    ...read.misnamed.map(({ role, message }) => ({
      ...placeIn(text, ["runtime", "personas", role]),
      message,
    })),
    ...seated.misnamed.map(({ message }) => ({ ...placeIn(text, ["review", "panel"]), message })),
  ];
  const faults = [...[...problems, ...ill].map((one) => ({ path: configPath, ...one })), ...read.problems];
  return { config, personas: read.named, faults };
}
