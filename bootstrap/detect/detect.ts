import type { Candidate } from "./candidate.ts";
import type { CommandsFound, Detected, DetectionWarning, PackageFound, RepoFiles } from "./detected.ts";
import { fromReadme, fromWorkflows, ownerOf, type Gathered, type Place } from "./gather.ts";
import { isForeign, readPackages } from "./packages.ts";
import { readReadme, type ReadmeCommand } from "./readme.ts";
import { readTargets } from "./targets.ts";
import { testFoldersOf } from "./test-folders.ts";
import { readToolchain } from "./toolchain.ts";
import { treeOf, type Tree } from "./tree.ts";
import { commandsFrom, mainOf, wholeCommands } from "./whole.ts";
import { readWorkflows, type CiCommand } from "./workflows.ts";

/** Warnings that anybody would read. */
const maxWarnings = 40;

/** What the files of a repository say of its packages and commands. It runs nothing and reads few of them. */
export function detect(files: RepoFiles): Detected {
  const tree = treeOf(files);
  const ci = readWorkflows(tree);
  const { places, warnings } = readPackages(
    tree,
    ci.commands.map(({ command }) => command.split(" ")[0] ?? ""),
  );
  const members = new Set(
    places.flatMap(({ look }) => look.members.map((member) => `${look.ecosystem} ${member}`)),
  );
  const isMember = ({ folder, look }: Place): boolean => members.has(`${look.ecosystem} ${folder}`);
  const written = readWritten(
    tree,
    places.filter((place) => !isMember(place)),
    ci.commands,
  );
  const gathered = places.map((place) =>
    gather(tree, place, isMember(place) ? [] : written.readme, written, places),
  );
  const packages = gathered.map((one) => packageOf(one, isMember(one)));
  const main = mainOf(gathered.filter((one) => !isMember(one)));
  const whole = wholeCommands({ main, packages, shared: written.shared });
  const testFolders = testFoldersOf(tree, isForeign);
  const all: readonly DetectionWarning[] = [
    ...warnings,
    ...main.flatMap(({ look }) => look.warnings),
    ...ci.warnings,
    ...whole.warnings,
    ...missing(packages, whole.commands, testFolders),
    ...services(whole.commands, ci.commands),
  ];
  return {
    packages,
    commands: whole.commands,
    toolchain: [...new Set([".", ...main.map(({ folder }) => folder)])].flatMap((folder) =>
      readToolchain(tree, folder),
    ),
    ci: ci.found,
    testFolders,
    warnings: unique(all).slice(0, maxWarnings),
  };
}

interface Written {
  readonly ci: readonly CiCommand[];
  readonly readme: readonly ReadmeCommand[];
  /** Runners of tasks at the root, where they are for no single package. */
  readonly shared: readonly Candidate[];
}

function readWritten(tree: Tree, places: readonly Place[], ci: readonly CiCommand[]): Written {
  const folders = [...new Set([".", ...places.map(({ folder }) => folder)])];
  const readme = folders.flatMap((folder) => readReadme(tree, folder));
  const atRoot = (command: CiCommand | ReadmeCommand): boolean =>
    command.ecosystem === undefined && command.folder === "." && ownerOf(places, command) === undefined;
  const targets = places.filter(({ folder }) => folder === ".").length === 1 ? [] : readTargets(tree, ".");
  return {
    ci,
    readme,
    shared: [
      ...fromWorkflows(ci.filter(atRoot), undefined),
      ...targets,
      ...fromReadme(readme.filter(atRoot), undefined),
    ],
  };
}

function gather(
  tree: Tree,
  { folder, look }: Place,
  readme: readonly ReadmeCommand[],
  { ci }: Written,
  places: readonly Place[],
): Gathered {
  const isOwn = (command: CiCommand | ReadmeCommand): boolean => {
    const owner = ownerOf(places, command);
    return owner?.folder === folder && owner.look === look;
  };
  const alone = places.filter((place) => place.folder === folder).length === 1;
  return {
    folder,
    look,
    candidates: [
      ...fromWorkflows(ci.filter(isOwn), look.adapt),
      ...look.candidates,
      ...(alone ? readTargets(tree, folder) : []),
      ...fromReadme(readme.filter(isOwn), look.adapt),
    ],
  };
}

function packageOf({ folder, look, candidates }: Gathered, isMember: boolean): PackageFound {
  return {
    folder,
    ecosystem: look.ecosystem,
    manager: look.manager,
    evidence: [...new Map(look.evidence.map((one) => [`${one.path}:${one.line}`, one])).values()],
    members: look.members,
    // What belongs to a workspace is set up with it.
    commands: commandsFrom(isMember ? candidates.filter(({ kind }) => kind !== "setup") : candidates),
  };
}

function missing(
  packages: readonly PackageFound[],
  commands: CommandsFound,
  testFolders: readonly string[],
): readonly DetectionWarning[] {
  if (packages.length === 0 && Object.keys(commands).length === 0)
    return [
      {
        code: "nothing-found",
        message: "No manifest, workflow or target of a kind that is known was found.",
        evidence: [],
      },
    ];
  if (commands.test === undefined)
    return [
      {
        code: "no-test-command",
        message: `No command that tests the repository was found${testFolders.length > 0 ? `, though ${testFolders[0]} holds tests` : ""}: until \`commands.test\` is set, no change is tested before it is delivered.`,
        evidence: [],
      },
    ];
  // Tests of Rust stand in the file they test.
  if (testFolders.length === 0 && packages.every(({ ecosystem }) => ecosystem !== "rust"))
    return [
      {
        code: "no-tests-found",
        message: `\`${commands.test.command}\` was found, but no file that looks like a test.`,
        evidence: commands.test.evidence.slice(0, 1),
      },
    ];
  return [];
}

function services(commands: CommandsFound, ci: readonly CiCommand[]): readonly DetectionWarning[] {
  const lines = new Set(commands.test?.evidence.map(({ path, line }) => `${path}:${line}`));
  const needed = ci.filter(
    ({ kind, services: beside, evidence }) =>
      kind === "test" && beside.length > 0 && lines.has(`${evidence.path}:${evidence.line}`),
  );
  return needed.map(({ services: beside, evidence }) => ({
    code: "needs-service",
    message: `The workflow that runs these tests starts ${beside.join(" and ")} beside them: without it they may fail here.`,
    evidence: [evidence],
  }));
}

function unique(warnings: readonly DetectionWarning[]): readonly DetectionWarning[] {
  return [...new Map(warnings.map((one) => [`${one.code} ${one.message}`, one])).values()];
}
