/** What a repository tells of itself: which packages it holds, and how each is set up, tested, checked and built. */

/** A repository as its tracked files. Detection asks for the text of few of them. */
export interface RepoFiles {
  /** From the root, with `/` between folders, in any order. */
  readonly paths: readonly string[];
  /** Undefined where a file is absent, binary or too large. */
  read(path: string): string | undefined;
}

export type CommandKind = "setup" | "test" | "lint" | "build";

/** Where it is written. `text` stands on that line; it is empty where the file's being there says it all. */
export interface Evidence {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** `sure`: written for machines, or agreed on by two sources. `likely`: the ecosystem's custom. `guess`: worth a look. */
export type Confidence = "sure" | "likely" | "guess";

export interface CommandAlternative {
  readonly command: string;
  readonly evidence: readonly Evidence[];
  /** Why it came second, as half a sentence. */
  readonly reason: string;
}

export interface CommandFound {
  /** One line for a shell, run from the root of the repository. */
  readonly command: string;
  readonly evidence: readonly Evidence[];
  readonly confidence: Confidence;
  /** Why it was chosen, as half a sentence. */
  readonly reason: string;
  readonly alternatives: readonly CommandAlternative[];
}

export type CommandsFound = Readonly<Partial<Record<CommandKind, CommandFound>>>;

export type Ecosystem =
  | "node"
  | "deno"
  | "python"
  | "go"
  | "rust"
  | "java"
  | "ruby"
  | "elixir"
  | "dotnet"
  | "php"
  | "swift"
  | "cmake";

export interface PackageFound {
  /** From the root; `.` for the root itself. */
  readonly folder: string;
  readonly ecosystem: Ecosystem;
  /** `npm`, `pnpm`, `yarn`, `yarn-berry`, `bun`, `uv`, `poetry`, `pip`, `go`, `cargo`, `maven`, `gradle`, `bundler`, `mix`, … */
  readonly manager: string;
  /** What says so: the manifest, then the lockfile or field that names the manager. */
  readonly evidence: readonly Evidence[];
  /** Packages of a workspace that belong to this one, as folders. */
  readonly members: readonly string[];
  /** Its own commands, each written to run from the root. */
  readonly commands: CommandsFound;
}

/** A version of a tool that the repository asks for. */
export interface ToolchainFact {
  readonly tool: string;
  /** As written; undefined where a file asks for the tool and leaves the version open. */
  readonly version: string | undefined;
  readonly evidence: Evidence;
}

export interface CiFound {
  /** Workflow files of GitHub that are read as such. */
  readonly workflows: readonly string[];
  /** Those that run for a pull request. */
  readonly onPullRequest: readonly Evidence[];
  /** Those that run for a merge queue. */
  readonly onMergeGroup: readonly Evidence[];
  /** Configuration of other services, such as `.gitlab-ci.yml`. */
  readonly others: readonly string[];
}

export type WarningCode =
  | "unreadable-file"
  | "two-lockfiles"
  | "manager-conflict"
  | "no-lockfile"
  | "no-test-command"
  | "no-tests-found"
  | "placeholder-script"
  | "circular-script"
  | "watch-mode"
  | "needs-secret"
  | "needs-service"
  | "several-packages"
  | "too-many-packages"
  | "refused-command"
  | "nothing-found";

/** What a person should look at, in whole sentences: what was found, what was chosen and why. */
export interface DetectionWarning {
  readonly code: WarningCode;
  readonly message: string;
  readonly evidence: readonly Evidence[];
}

export interface Detected {
  /** By folder, the root first. */
  readonly packages: readonly PackageFound[];
  /** Of the whole repository, as its configuration wants them. */
  readonly commands: CommandsFound;
  readonly toolchain: readonly ToolchainFact[];
  readonly ci: CiFound;
  /** Folders that hold tests, from the root. */
  readonly testFolders: readonly string[];
  readonly warnings: readonly DetectionWarning[];
}
