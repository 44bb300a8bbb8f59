import type { Candidate, Look } from "./candidate.ts";
import { kindOfName } from "./classify.ts";
import type { CommandKind, Ecosystem, Evidence } from "./detected.ts";
import { isPlaceholder } from "./node-scripts.ts";
import { fieldsOf, jsonOf, wordsOf, own } from "./parse.ts";
import { evidenceAt, evidenceOf, lineMatching, type Text } from "./text.ts";
import { within, type Tree } from "./tree.ts";

/** Ecosystems that are known by their manifest and their tools' custom alone. */
export function lookAtOthers(tree: Tree, folder: string): readonly Look[] {
  return [lookAtDeno, lookAtPhp, ...plain.map(lookAtPlain)].flatMap((look) => look(tree, folder) ?? []);
}

interface Plain {
  readonly ecosystem: Ecosystem;
  readonly manager: string;
  readonly manifest: RegExp;
  readonly commands: Readonly<Partial<Record<CommandKind, string>>>;
  readonly adapt?: NonNullable<Look["adapt"]>;
}

const plain: readonly Plain[] = [
  {
    ecosystem: "dotnet",
    manager: "dotnet",
    manifest: /\.(?:slnx?|csproj|fsproj|vbproj)$/u,
    commands: {
      setup: "dotnet restore",
      test: "dotnet test",
      lint: "dotnet format --verify-no-changes",
      build: "dotnet build",
    },
    // What an earlier step of a workflow has built is not there when the command runs alone.
    adapt: ({ command }) => command.replaceAll(/ --no-(?:build|restore)(?= |$)/gu, ""),
  },
  {
    ecosystem: "swift",
    manager: "swiftpm",
    manifest: /^Package\.swift$/u,
    commands: { setup: "swift package resolve", test: "swift test", build: "swift build" },
  },
  {
    ecosystem: "cmake",
    manager: "cmake",
    manifest: /^CMakeLists\.txt$/u,
    commands: {
      setup: "cmake -S . -B build",
      test: "cmake --build build && ctest --test-dir build --output-on-failure",
      build: "cmake --build build",
    },
    adapt: ({ kind, command }) =>
      kind === "test" && command.startsWith("ctest") ? `cmake --build build && ${command}` : command,
  },
];

const lookAtPlain =
  ({ ecosystem, manager, manifest, commands, adapt }: Plain) =>
  (tree: Tree, folder: string): Look | undefined => {
    const name = tree.names(folder).find((one) => manifest.test(one));
    if (name === undefined) return undefined;
    const evidence = [evidenceOf(within(folder, name))];
    // A linter that nobody asked for would fail on code that nobody formatted.
    const candidates = Object.entries(commands).map(([kind, command]): Candidate => ({
      kind: kind as CommandKind,
      command,
      folder,
      source: "custom",
      evidence,
      reason: "it is what its tools do of themselves",
      ...(kind === "lint" && !tree.has(within(folder, ".editorconfig"))
        ? { doubt: "no .editorconfig says how it is formatted" }
        : {}),
    }));
    return {
      ecosystem,
      manager,
      evidence,
      members: [],
      candidates,
      warnings: [],
      ...(adapt === undefined ? {} : { adapt }),
    };
  };

function lookAtDeno(tree: Tree, folder: string): Look | undefined {
  const text = ["deno.json", "deno.jsonc"]
    .map((name) => tree.read(within(folder, name)))
    .find((one) => one !== undefined);
  if (text === undefined) return undefined;
  const parsed = jsonOf(text);
  const manifest = "fault" in parsed ? {} : parsed.value;
  const lock = within(folder, "deno.lock");
  const say = sayOf(folder, evidenceOf(text.path));
  return {
    ecosystem: "deno",
    manager: "deno",
    evidence: [evidenceOf(text.path), ...(tree.has(lock) ? [evidenceOf(lock)] : [])],
    members: wordsOf(own(manifest, "workspace"))
      .map((one) => one.replace(/^\.\//u, ""))
      .filter((one) => tree.names(within(folder, one)).length > 0)
      .map((one) => within(folder, one)),
    candidates: [
      tree.has(lock)
        ? { ...sayOf(folder, evidenceOf(lock))("setup", "deno install --frozen"), source: "lock" as const }
        : say("setup", "deno install"),
      say("test", "deno test"),
      say("lint", "deno lint && deno fmt --check"),
      ...tasks(folder, text, fieldsOf(manifest, "tasks"), (name) => `deno task ${name}`, "tasks"),
    ],
    warnings: [],
  };
}

function lookAtPhp(tree: Tree, folder: string): Look | undefined {
  const text = tree.read(within(folder, "composer.json"));
  if (text === undefined) return undefined;
  const parsed = jsonOf(text);
  const manifest = "fault" in parsed ? {} : parsed.value;
  const lock = within(folder, "composer.lock");
  const names = tree.names(folder);
  const configured = (pattern: RegExp): Evidence | undefined => {
    const name = names.find((one) => pattern.test(one));
    return name === undefined ? undefined : evidenceOf(within(folder, name));
  };
  const phpunit = configured(/^phpunit\.xml(?:\.dist)?$/u);
  const phpstan = configured(/^phpstan\.neon(?:\.dist)?$/u);
  const say = sayOf(folder, evidenceOf(text.path));
  return {
    ecosystem: "php",
    manager: "composer",
    evidence: [evidenceOf(text.path), ...(tree.has(lock) ? [evidenceOf(lock)] : [])],
    members: [],
    candidates: [
      say("setup", "composer install --no-interaction"),
      ...(phpunit === undefined
        ? []
        : [{ ...sayOf(folder, phpunit)("test", "vendor/bin/phpunit"), source: "tool" as const }]),
      ...(phpstan === undefined
        ? []
        : [{ ...sayOf(folder, phpstan)("lint", "vendor/bin/phpstan analyse"), source: "tool" as const }]),
      ...tasks(
        folder,
        text,
        fieldsOf(manifest, "scripts"),
        (name) => `composer ${name === "test" ? name : `run ${name}`}`,
        "scripts",
      ),
    ],
    warnings: [],
  };
}

const sayOf =
  (folder: string, evidence: Evidence) =>
  (kind: CommandKind, command: string): Candidate => ({
    kind,
    command,
    folder,
    source: "custom",
    evidence: [evidence],
    reason: "it is what its tools do of themselves",
  });

function tasks(
  folder: string,
  text: Text,
  fields: Readonly<Record<string, unknown>>,
  run: (name: string) => string,
  key: string,
): readonly Candidate[] {
  const start = lineMatching(text, new RegExp(`"${key}"\\s*:`, "u")) ?? 1;
  return Object.entries(fields)
    .slice(0, 200)
    .flatMap(([name, body]): readonly Candidate[] => {
      const kind = /^[\w:-]{1,80}$/u.test(name) ? kindOfName(name) : undefined;
      if (kind === undefined || kind === "setup" || (typeof body === "string" && isPlaceholder(body)))
        return [];
      const line = lineMatching(text, new RegExp(`"${name}"\\s*:`, "u"), start) ?? start;
      return [
        {
          kind,
          command: run(name),
          folder,
          source: "script",
          evidence: [evidenceAt(text, line)],
          reason: `it is a script of ${text.path}`,
          ...(name === kind ? {} : { doubt: "its name tells less than another's" }),
        },
      ];
    });
}
