import type { Candidate, Look } from "./candidate.ts";
import type { CommandKind, Evidence } from "./detected.ts";
import { matching } from "./globs.ts";
import { managerOf, wordsOfManager, type ManagerFound, type NodeManager } from "./node-manager.ts";
import { readScripts } from "./node-scripts.ts";
import { fieldsOf, jsonOf, own, wordsOf, yamlOf, type Fields } from "./parse.ts";
import { evidenceMatching, evidenceOf, type Text } from "./text.ts";
import { folderOf, isBelow, within, type Tree } from "./tree.ts";

/** A package of Node: `package.json`, whoever installs it. */
export function lookAtNode(
  tree: Tree,
  folder: string,
  {
    inWorkflows,
    above,
  }: { readonly inWorkflows: readonly string[]; readonly above: NodeManager | undefined },
): Look | undefined {
  const text = tree.read(within(folder, "package.json"));
  if (text === undefined) return undefined;
  const parsed = jsonOf(text);
  const manifest = "fault" in parsed ? {} : parsed.value;
  const found = managerOf(tree, { folder, text, manifest, inWorkflows, above });
  const words = wordsOfManager[found.manager];
  const scripts = readScripts({ folder, text, manifest, words });
  const members = membersOf(tree, folder, manifest);
  const candidates = [
    ...setupOf(found, folder, text),
    ...scripts.candidates,
    ...whole(tree, { folder, members, manifest, found }),
    ...tools(tree, { folder, text, manifest, found }),
  ];
  return {
    ecosystem: "node",
    manager: found.manager,
    evidence: [evidenceOf(text.path), ...found.evidence],
    members,
    candidates,
    warnings: [...found.warnings, ...scripts.warnings],
    adapt: ({ command }) =>
      scripts.troubled.has(/^(?:npm|pnpm|yarn|bun)(?: run)? ([\w:.-]+)$/u.exec(command)?.[1] ?? "")
        ? undefined
        : command,
  };
}

function setupOf(found: ManagerFound, folder: string, text: Text): readonly Candidate[] {
  const words = wordsOfManager[found.manager];
  const evidence = found.evidence.length > 0 ? found.evidence : [evidenceOf(text.path)];
  const base = { kind: "setup", folder, evidence } as const;
  if (found.lockfile === undefined)
    return [
      { ...base, source: "custom", command: words.loose, reason: `${found.manager} has no lockfile here` },
    ];
  const frozen: Candidate = {
    ...base,
    source: "lock",
    command: words.frozen,
    reason: `it installs exactly what ${found.lockfile} holds`,
  };
  return found.byField === "by-field" && found.manager !== "npm" && found.manager !== "bun"
    ? [
        {
          ...frozen,
          reason: `${text.path} asks for it, and it installs exactly what ${found.lockfile} holds`,
        },
        {
          ...frozen,
          command: `corepack ${words.frozen}`,
          doubt: "only where the manager itself is missing and corepack is there",
        },
      ]
    : [frozen];
}

/** Folders of the workspace's packages. */
function membersOf(tree: Tree, folder: string, manifest: Fields): readonly string[] {
  const patterns: string[] = [];
  const listed = own(manifest, "workspaces");
  patterns.push(...wordsOf(Array.isArray(listed) ? listed : own(fieldsOf(listed), "packages")));
  for (const [name, key] of [
    ["pnpm-workspace.yaml", "packages"],
    ["lerna.json", "packages"],
  ] as const) {
    const text = tree.read(within(folder, name));
    const parsed = text === undefined ? undefined : yamlOf(text);
    if (parsed !== undefined && "value" in parsed) patterns.push(...wordsOf(own(parsed.value, key)));
  }
  if (patterns.length === 0) return [];
  const inside = tree.folders
    .filter(
      (one) =>
        isBelow(one, folder) &&
        tree.has(within(one, "package.json")) &&
        !/(?:^|\/)node_modules(?:\/|$)/u.test(one),
    )
    .map((one) => (folder === "." ? one : one.slice(folder.length + 1)));
  return matching(inside, patterns).map((one) => within(folder, one));
}

interface Here {
  readonly folder: string;
  readonly manifest: Fields;
  readonly found: ManagerFound;
}

const kinds = ["test", "lint", "build"] as const satisfies readonly CommandKind[];

/** What runs a script over all packages of a workspace. */
function whole(
  tree: Tree,
  { folder, members, found }: Here & { readonly members: readonly string[] },
): readonly Candidate[] {
  const words = wordsOfManager[found.manager];
  const candidates: Candidate[] = [];
  for (const [name, key, verb] of [
    ["turbo.json", "tasks", (task: string) => `${words.exec} turbo run ${task}`],
    ["turbo.json", "pipeline", (task: string) => `${words.exec} turbo run ${task}`],
    ["nx.json", "targetDefaults", (task: string) => `${words.exec} nx run-many -t ${task}`],
  ] as const) {
    const text = tree.read(within(folder, name));
    const parsed = text === undefined ? undefined : jsonOf(text);
    if (text === undefined || parsed === undefined || "fault" in parsed) continue;
    for (const kind of kinds)
      if (own(fieldsOf(parsed.value, key), kind) !== undefined)
        candidates.push({
          kind,
          command: verb(kind),
          folder,
          source: "tool",
          evidence: [evidenceMatching(text, new RegExp(String.raw`"${kind}"\s*:`, "u"))],
          reason: `${text.path} runs it over the workspace`,
        });
  }
  for (const kind of kinds) {
    const having = members.slice(0, 200).flatMap((member) => scriptIn(tree, member, kind));
    if (having.length === 0) continue;
    candidates.push({
      kind,
      command: words.everywhere(kind),
      folder,
      source: "custom",
      evidence: having.slice(0, 3),
      reason: `${having.length} of ${members.length} packages of the workspace have a script \`${kind}\``,
    });
  }
  return candidates;
}

function scriptIn(tree: Tree, member: string, kind: CommandKind): readonly Evidence[] {
  const text = tree.read(within(member, "package.json"));
  const parsed = text === undefined ? undefined : jsonOf(text);
  if (text === undefined || parsed === undefined || "fault" in parsed) return [];
  const read = readScripts({ folder: member, text, manifest: parsed.value, words: wordsOfManager.npm });
  const own = read.candidates.find((one) => one.kind === kind && one.doubt === undefined);
  return own === undefined ? [] : own.evidence.slice(0, 1);
}

/** Configuration of a tool that no script names. */
function tools(
  tree: Tree,
  { folder, text, manifest, found }: Here & { readonly text: Text },
): readonly Candidate[] {
  const exec = wordsOfManager[found.manager].exec;
  const names = tree.names(folder);
  const depends = new Set(
    ["dependencies", "devDependencies"].flatMap((key) => Object.keys(fieldsOf(manifest, key))),
  );
  return toolRules.flatMap(([kind, command, file, dependency]) => {
    const name = file === undefined ? undefined : names.find((one) => file.test(one));
    const named = dependency !== undefined && depends.has(dependency);
    // A member is checked by the tool its root has.
    if (name === undefined && !(named && kind === "test")) return [];
    if (dependency !== undefined && !named && !hasAbove(tree, folder, dependency)) return [];
    return [
      {
        kind,
        command: `${exec} ${command}`,
        folder,
        source: "tool",
        evidence: [
          name === undefined
            ? evidenceMatching(text, new RegExp(`"${dependency}"\\s*:`, "u"))
            : evidenceOf(within(folder, name)),
        ],
        reason: name === undefined ? `${text.path} depends on ${dependency}` : `${name} configures it`,
      } satisfies Candidate,
    ];
  });
}

const toolRules: readonly (readonly [CommandKind, string, RegExp | undefined, string | undefined])[] = [
  ["test", "vitest run", /^vitest\.(?:config|workspace)\./u, "vitest"],
  ["test", "jest", /^jest\.config\./u, "jest"],
  ["test", "mocha", /^\.mocharc/u, "mocha"],
  ["test", "ava", /^ava\.config\./u, "ava"],
  ["lint", "eslint .", /^(?:eslint\.config\.|\.eslintrc)/u, "eslint"],
  ["lint", "biome ci", /^biome\.jsonc?$/u, "@biomejs/biome"],
  ["lint", "oxlint", /^\.oxlintrc\.json$/u, "oxlint"],
  ["lint", "tsc --noEmit", /^tsconfig\.json$/u, "typescript"],
];

function hasAbove(tree: Tree, folder: string, dependency: string): boolean {
  for (let above = folder; above !== ".";) {
    above = folderOf(above);
    const text = tree.read(within(above, "package.json"));
    if (text?.all.includes(`"${dependency}"`) === true) return true;
  }
  return false;
}
