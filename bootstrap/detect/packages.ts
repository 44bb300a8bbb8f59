import type { Look } from "./candidate.ts";
import type { DetectionWarning } from "./detected.ts";
import type { Place } from "./gather.ts";
import { lookAtJvm } from "./jvm.ts";
import { lookAtNode } from "./node.ts";
import type { NodeManager } from "./node-manager.ts";
import { lookAtOthers } from "./others.ts";
import { fieldsOf, jsonOf, tomlOf } from "./parse.ts";
import { lookAtPython } from "./python.ts";
import { lookAtElixir, lookAtRuby } from "./ruby-elixir.ts";
import { lookAtGo, lookAtRust } from "./rust-go.ts";
import { evidenceOf } from "./text.ts";
import { isBelow, within, type Tree } from "./tree.ts";

/** Folders looked at for packages; a repository with more is told so. */
const maxFolders = 200;

const manifest =
  /^(?:package\.json|deno\.jsonc?|pyproject\.toml|setup\.py|setup\.cfg|Pipfile|tox\.ini|noxfile\.py|requirements[\w.-]*\.txt|go\.mod|go\.work|Cargo\.toml|pom\.xml|(?:build|settings)\.gradle(?:\.kts)?|Gemfile|mix\.exs|composer\.json|Package\.swift|CMakeLists\.txt|[^/]+\.(?:slnx?|csproj|fsproj|vbproj))$/u;

/** Somebody else's code, or examples of what tools read: never packages of the repository. */
const foreign =
  /(?:^|\/)(?:node_modules|bower_components|vendor|third[-_]?party|external|Pods|site-packages|\.venv|venv|\.yarn|\.git|dist|target|_build|deps|fixtures?|__fixtures__|test-?data|testdata|__mocks__|templates?|template-[^/]+|snapshots)(?:\/|$)/iu;
/** Beside the point: packages, but not what a change is judged by while there are others. */
const aside =
  /(?:^|\/)(?:docs?|website|site|examples?|samples?|demos?|playgrounds?|benchmarks?|benches|bench|tools?|scripts|e2e|\.github|\.devcontainer)(?:\/|$)/iu;

export const isForeign = (folder: string): boolean => foreign.test(folder);
export const isAside = (folder: string): boolean => aside.test(folder);

export interface PackagesRead {
  readonly places: readonly Place[];
  readonly warnings: readonly DetectionWarning[];
}

/** Every package, the root first. */
export function readPackages(tree: Tree, inWorkflows: readonly string[]): PackagesRead {
  const folders = tree.folders.filter(
    (folder) => !isForeign(folder) && tree.names(folder).some((name) => manifest.test(name)),
  );
  const managers = new Map<string, NodeManager>();
  const looked = folders.slice(0, maxFolders).flatMap((folder) => {
    const looks = looksAt(tree, folder, { inWorkflows, above: managers.get(folder) });
    // Folders come shallow ones first, so a workspace is looked at before its members.
    for (const { look } of looks)
      if (look.ecosystem === "node")
        for (const member of look.members) managers.set(member, look.manager as NodeManager);
    return looks;
  });
  const places = looked.filter((place) => !isPart(place, looked));
  const warnings: DetectionWarning[] = folders.slice(0, maxFolders).flatMap((folder) => faults(tree, folder));
  if (folders.length > maxFolders)
    warnings.push({
      code: "too-many-packages",
      message: `${folders.length} folders hold a manifest; the ${maxFolders} nearest to the root were looked at.`,
      evidence: [],
    });
  return { places, warnings };
}

interface Known {
  /** First words of the commands of workflows. */
  readonly inWorkflows: readonly string[];
  readonly above: NodeManager | undefined;
}

function looksAt(tree: Tree, folder: string, known: Known): readonly Place[] {
  const looks: readonly (Look | undefined)[] = [
    lookAtNode(tree, folder, known),
    lookAtPython(tree, folder),
    lookAtGo(tree, folder),
    lookAtRust(tree, folder),
    lookAtJvm(tree, folder, known.inWorkflows),
    lookAtRuby(tree, folder),
    lookAtElixir(tree, folder),
    ...lookAtOthers(tree, folder),
  ];
  return looks.flatMap((look) =>
    look === undefined || isEmpty(tree, folder, look) ? [] : [{ folder, look }],
  );
}

/** A `package.json` that only says how files are read, or requirements of a page of documents. */
function isEmpty(tree: Tree, folder: string, look: Look): boolean {
  if (folder === ".") return false;
  if (look.ecosystem === "node") {
    const text = tree.read(within(folder, "package.json"));
    const parsed = text === undefined ? undefined : jsonOf(text);
    if (parsed === undefined || "fault" in parsed) return false;
    return ["scripts", "dependencies", "devDependencies", "workspaces"].every(
      (key) => parsed.value[key] === undefined,
    );
  }
  return (
    look.ecosystem === "python" &&
    isAside(folder) &&
    !tree.has(within(folder, "pyproject.toml")) &&
    !tree.has(within(folder, "setup.py"))
  );
}

/** Projects of these lie under the one that builds them, with nothing in it that names them to us. */
const nested = new Set(["cmake", "dotnet", "java"]);

const isPart = ({ folder, look }: Place, places: readonly Place[]): boolean =>
  nested.has(look.ecosystem) &&
  places.some(
    (other) =>
      other.look.manager === look.manager &&
      isBelow(folder, other.folder) &&
      (look.ecosystem !== "java" || other.look.members.length === 0) &&
      !other.look.members.includes(folder),
  );

/** Manifests that are there and cannot be read. */
function faults(tree: Tree, folder: string): readonly DetectionWarning[] {
  return tree
    .names(folder)
    .filter((name) => manifest.test(name))
    .flatMap((name): readonly DetectionWarning[] => {
      const path = within(folder, name);
      const text = tree.read(path);
      const parsed =
        text === undefined
          ? { fault: "it is too large or no text" }
          : /\.jsonc?$/u.test(name)
            ? jsonOf(text)
            : name.endsWith(".toml")
              ? tomlOf(text)
              : { value: fieldsOf({}) };
      return "fault" in parsed
        ? [
            {
              code: "unreadable-file",
              message: `${path} was left out: ${parsed.fault.replace(/\.$/u, "")}.`,
              evidence: [evidenceOf(path)],
            },
          ]
        : [];
    });
}
