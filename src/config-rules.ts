import { guarded } from "./config-file.ts";
import { layersOf, mergeLayers, faultAmong, type RuleSources } from "./config-layers.ts";
import { seatsOf } from "./config-panel.ts";
import { personasOf, type Persona } from "./config-persona.ts";
import { toldAt, type FileProblem, type RepoConfig } from "./config.ts";

/** The files in which a repository says how it wants to be served, as they were read at one commit of its default branch. */
export interface RuleFiles {
  /** Of its own file. */
  readonly config: string | undefined;
  /** What counts besides it; that file alone when left out. */
  readonly sources?: RuleSources | undefined;
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
  const problems = faults.map(toldAt);
  const sound = kept.sound && judged(kept.sound);
  // A later version may find fault with what an earlier one took.
  if (sound?.faults.length === 0) return { ...sound, faults, problems, soundAt: kept.sound?.at };
  return { ...read, config: guarded(read.config), problems, soundAt: undefined };
}

function judged({
  config: text,
  sources,
  personas,
}: RuleFiles): Pick<KeptRules, "config" | "personas" | "faults"> {
  const layers = layersOf(text, sources);
  const { config, faults } = mergeLayers(layers);
  const read = personasOf(personas, config.runtime.personas);
  const panel = seatsOf(config.review.panel, read.named).map(({ persona }) => persona);
  const seated = personasOf(personas, { review: panel });
  const ill = [
    ...read.misnamed.map(({ role, message }) => faultAmong(layers, ["runtime", "personas", role], message)),
    ...seated.misnamed.map(({ message }) => faultAmong(layers, ["review", "panel"], message)),
  ];
  return {
    config,
    personas: read.named,
    faults: [...(sources?.faults ?? []), ...faults, ...ill, ...read.problems],
  };
}
