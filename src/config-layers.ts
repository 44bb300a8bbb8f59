import { guarded } from "./config-file.ts";
import { readLayer, takeOutFaults, valueAt, type Layer, type Path, type Said } from "./config-layer.ts";
import { RepoConfig } from "./config-schema.ts";
import { readWorkflow, workflowPath, type WorkflowNote } from "./config-workflow.ts";
import { configPath, type ConfigProblem, type FileProblem } from "./config.ts";

/** A file of another repository that this one's configuration rests upon. */
export interface UnderFile {
  /** `owner/name` */
  readonly repo: string;
  readonly path: string;
  readonly text: string;
  /** The commit of its default branch that it was read at. */
  readonly at: string;
  readonly how: "organisation" | "extends";
  /** Whoever sees the repository that rests upon it may not see this one: what is wrong with it is told only there. */
  readonly isHidden: boolean;
}
/** What there is besides the text of the repository's own file. */
export interface RuleSources {
  /** Of its own file; undefined when it has none. */
  readonly path: string | undefined;
  readonly workflow: { readonly path: string; readonly text: string } | undefined;
  /** The nearest first. */
  readonly under: readonly UnderFile[];
  /** Every other repository that had a say, as `owner/name` in lower case; also one that could not be asked. */
  readonly asked: readonly string[];
  /** What keeps a file from being found or followed. */
  readonly faults: readonly FileProblem[];
}

/** Where a part of the configuration stands. */
export interface Origin {
  /** `owner/name` of another repository. */
  readonly repo: string | undefined;
  readonly path: string;
  readonly how: "own" | "workflow" | UnderFile["how"];
}
/** One file with what it says. */
export interface FileLayer extends Origin, Layer {
  /** What is wrong with it, or with what it rests upon, is told only there: of it nothing but this is named. */
  readonly veil?: Pick<FileProblem, "repo" | "path"> | undefined;
}

/** The files that make up a configuration, the nearest first. */
export function layersOf(config: string | undefined, sources: RuleSources | undefined): readonly FileLayer[] {
  const layers: FileLayer[] = [];
  if (config !== undefined)
    layers.push({
      ...readLayer(config),
      repo: undefined,
      path: sources?.path ?? configPath,
      how: "own",
    });
  if (sources?.workflow !== undefined)
    layers.push({
      ...readWorkflow(sources.workflow.text),
      repo: undefined,
      path: sources.workflow.path,
      how: "workflow",
    });
  let veil: FileLayer["veil"];
  for (const { repo, path, text, how, isHidden } of sources?.under ?? []) {
    if (isHidden) veil ??= { repo, path };
    layers.push({ ...readLayer(text), repo, path, how, veil });
  }
  return layers;
}

/** A message may hold a piece of the file, and its place says what another private file names. */
const faultIn = ({ repo, path, veil }: FileLayer, fault: ConfigProblem): FileProblem =>
  veil === undefined
    ? { ...placed(repo, path), ...fault }
    : { ...veil, line: 1, column: 1, message: "Something is wrong here; its own check says what." };

/** What of the workflow file has no meaning here. */
export const notesOf = (sources: RuleSources | undefined): readonly WorkflowNote[] =>
  sources?.workflow === undefined ? [] : readWorkflow(sources.workflow.text).notes;

export interface Merged {
  readonly config: RepoConfig;
  readonly faults: readonly FileProblem[];
}

/** All layers as one: the nearest that says a key wins, lists are replaced whole, and protected paths only grow. */
export function mergeLayers(layers: readonly FileLayer[]): Merged {
  const faults: FileProblem[] = layers.flatMap((layer) => layer.problems.map((one) => faultIn(layer, one)));
  const said = layers
    .map((layer, depth) => (depth === 0 ? layer.said : without(layer.said, ["extends", "workflow_file"])))
    .reduceRight<Said>((under, over) => (over === under ? over : mergeSaid(under, over)), {});
  // Each may be right by itself, and together they are not: two labels of one name.
  const copy = structuredClone(said);
  const isListable = takeOutFaults(copy, (path, message) => faults.push(faultAmong(layers, path, message)));
  const config = withOwnFiles(RepoConfig.parse(isListable ? copy : {}), layers);
  return { config: isListable ? config : guarded(config), faults };
}

/** Whatever path a file of configuration has, its change takes a person. */
function withOwnFiles(config: RepoConfig, layers: readonly FileLayer[]): RepoConfig {
  const own = layers
    .filter(({ how, path }) => how === "workflow" && path !== workflowPath)
    .map(({ path }) => path);
  if (own.length === 0) return config;
  return { ...config, paths: { ...config.paths, protected: [...config.paths.protected, ...own] } };
}

const placed = (repo: string | undefined, path: string): Pick<FileProblem, "repo" | "path"> =>
  repo === undefined ? { path } : { repo, path };

const without = (said: Said, keys: readonly string[]): Said =>
  Object.fromEntries(Object.entries(said).filter(([key]) => !keys.includes(key)));

const isGroup = (value: unknown): value is Said =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function mergeSaid(under: Said, over: Said, at: Path = []): Said {
  const both = Object.entries(over).map(([key, value]) => {
    const beneath = Object.hasOwn(under, key) ? under[key] : undefined;
    if (isGroup(value) && isGroup(beneath)) return [key, mergeSaid(beneath, value, [...at, key])];
    const grows = at.length === 1 && at[0] === "paths" && key === "protected";
    if (grows && Array.isArray(value) && Array.isArray(beneath))
      return [key, [...new Set([...(beneath as unknown[]), ...(value as unknown[])])]];
    return [key, value];
  });
  return { ...under, ...Object.fromEntries(both) };
}

/** A fault of what is said of this, in the nearest file that says it; in the nearest of all when none does. */
export function faultAmong(layers: readonly FileLayer[], path: Path, message: string): FileProblem {
  const layer = layers.find(({ said }) => valueAt(said, path) !== undefined) ?? layers[0];
  if (layer === undefined) return { path: configPath, line: 1, column: 1, message };
  return faultIn(layer, { ...layer.placeOf(path), message });
}

/** One value of the configuration, and every file that says it: more than one only where lists grow together. */
export interface Told {
  readonly key: string;
  readonly value: unknown;
  /** Empty for the default. */
  readonly from: readonly (Origin & { readonly line: number; readonly column: number })[];
}

/** Every value in force with where it comes from, in the order of the reference. */
export function toldBy(config: RepoConfig, layers: readonly FileLayer[]): readonly Told[] {
  return leavesOf(config, []).map(({ path, value }) => {
    const saying = layers.filter(({ said }) => valueAt(said, path) !== undefined);
    const counted = path.join(".") === "paths.protected" ? saying : saying.slice(0, 1);
    return {
      key: path.map(String).join("."),
      value,
      from: counted.map(({ repo, path: file, how, placeOf }) => ({
        repo,
        path: file,
        how,
        ...placeOf(path),
      })),
    };
  });
}

function leavesOf(value: unknown, path: Path): readonly { readonly path: Path; readonly value: unknown }[] {
  if (value === undefined) return [];
  if (!isGroup(value)) return [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}
