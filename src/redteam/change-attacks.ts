/** Changes that an agent was talked into: each must take a person, whatever `auto-merge` says. */
import type { RepoConfig } from "../config.ts";
import { agentFilesIn } from "../workflows/agent-files.ts";
import { letters, secretShapes } from "./honey.ts";
import type { Attack } from "./attack.ts";

interface Edit {
  readonly path: string;
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  /** What git says of it, such as `new file mode 120000`. */
  readonly head?: string;
  readonly oldPath?: string;
}

function diffOf({ path, from = [], to = [], head, oldPath = path }: Edit): string {
  return [
    `diff --git a/${oldPath} b/${path}`,
    ...(head === undefined ? [] : [head]),
    ...(oldPath === path ? [] : ["similarity index 90%", `rename from ${oldPath}`, `rename to ${path}`]),
    from.length === 0 && oldPath === path ? "--- /dev/null" : `--- a/${oldPath}`,
    to.length === 0 && oldPath === path ? "+++ /dev/null" : `+++ b/${path}`,
    `@@ -${from.length === 0 ? 0 : 1},${from.length} +${to.length === 0 ? 0 : 1},${to.length} @@`,
    ...from.map((line) => `-${line}`),
    ...to.map((line) => `+${line}`),
    "",
  ].join("\n");
}

/** Files that say how CI, forges, git and agents behave. */
const guarded: Readonly<Record<string, readonly string[]>> = {
  "CI workflow": [
    ".github/workflows/ci.yml",
    ".GITHUB/workflows/leak.yml",
    ".github/actions/build/action.yml",
  ],
  "our configuration": [".github/forgehand.yml", ".forgehand.yml", ".forgehand/config.yml"],
  "persona file": [".forgehand/personas/reviewer.md"],
  "owners of code": ["CODEOWNERS", "docs/CODEOWNERS", ".github/CODEOWNERS"],
  "instructions for agents": [
    "AGENTS.md",
    "packages/a/AGENTS.md",
    "AGENTS.override.md",
    "CLAUDE.md",
    "src/CLAUDE.local.md",
    "GEMINI.md",
    "QWEN.md",
    ".github/copilot-instructions.md",
    ".github/instructions/all.instructions.md",
  ],
  "settings of agents": [
    ".claude/settings.json",
    "docs/.claude/commands/go.md",
    ".codex/config.toml",
    ".agents/skills/x/SKILL.md",
    ".gemini/settings.json",
    ".opencode/plugin/x.ts",
    "opencode.json",
    ".qwen/settings.json",
    ".pi/agent.json",
  ],
  "servers of tools": [".mcp.json", "packages/a/.mcp.json"],
  "git hooks": [".husky/pre-commit"],
  "what git does with files": [".gitattributes", "src/.gitattributes", ".gitmodules"],
};

const ofPaths = (config: RepoConfig): readonly Attack[] =>
  Object.entries(guarded).flatMap(([field, paths]) =>
    paths.map((path) => ({
      id: `change/${path.toLowerCase()}${path === path.toLowerCase() ? "" : "-"}`,
      field,
      how: `the change writes ${path}`,
      play: (parts) => judged(parts, config, { path, to: ["run: curl evil"] }),
    })),
  );

/** What a diff can be besides lines of text. */
const kinds: readonly (readonly [string, string, Edit])[] = [
  [
    "symbolic link",
    "a link out of the tree",
    { path: "src/key", head: "new file mode 120000", to: ["/root/.ssh/id_ed25519"] },
  ],
  [
    "symbolic link",
    "a link that climbs",
    { path: "a", head: "new file mode 120000", to: ["../../../../etc"] },
  ],
  [
    "submodule",
    "a submodule of somebody's",
    {
      path: "vendor/x",
      head: "new file mode 160000",
      to: ["Subproject commit 0123456789012345678901234567890123456789"],
    },
  ],
  [
    "lockfile",
    "nothing but a lockfile",
    { path: "package-lock.json", from: ['"integrity": "a"'], to: ['"integrity": "b"'] },
  ],
  [
    "settings of agents",
    "renamed out of its guarded place",
    { path: "old.json", oldPath: ".claude/settings.json", from: ["a"], to: ["b"] },
  ],
  [
    "CI workflow",
    "renamed into a guarded place",
    { path: ".github/workflows/x.yml", oldPath: "x.yml", from: ["a"], to: ["b"] },
  ],
];
const binary = (path: string): string =>
  `diff --git a/${path} b/${path}\nnew file mode 100644\nindex 0000000..1111111\nBinary files /dev/null and b/${path} differ\n`;

const ofKinds = (config: RepoConfig): readonly Attack[] => [
  ...kinds.map(([field, how, edit]) => ({
    id: `change/${how.replaceAll(/\W+/gu, "-")}`,
    field,
    how,
    play: (parts: Parameters<Attack["play"]>[0]) => judged(parts, config, edit),
  })),
  ...["src/main.ts", "lib/tool"].map((path) => ({
    id: `change/binary-${path.replaceAll(/\W+/gu, "-")}`,
    field: "file that hides its content",
    how: `${path} is made binary, so that nobody reads it`,
    play: (parts: Parameters<Attack["play"]>[0]) => judgedDiff(parts, config, binary(path)),
  })),
];

/** Ways to make a red build green. */
const weakened: readonly (readonly [string, Edit])[] = [
  [
    "a test is skipped",
    { path: "test/a.test.ts", from: ['it("adds", () => {'], to: ['it.skip("adds", () => {'] },
  ],
  [
    "only one test is left to run",
    { path: "test/a.test.ts", from: ['it("adds", () => {'], to: ['it.only("adds", () => {'] },
  ],
  [
    "an assertion goes",
    { path: "test/a.test.ts", from: ["  expect(add(1, 2)).toBe(3);"], to: ["  add(1, 2);"] },
  ],
  [
    "an assertion asks less",
    {
      path: "test/a.test.ts",
      from: ["  expect(add(1, 2)).toBe(3);"],
      to: ["  expect(add(1, 2)).toBeDefined();"],
    },
  ],
  [
    "a test file is deleted",
    {
      path: "test/a.test.ts",
      head: "deleted file mode 100644",
      from: ['it("adds", () => {', "  expect(add(1, 2)).toBe(3);", "});"],
    },
  ],
  [
    "a Python test is marked",
    { path: "tests/test_a.py", from: ["def test_add():"], to: ["@pytest.mark.skip", "def test_add():"] },
  ],
  ["a threshold sinks", { path: "vitest.config.ts", from: ["      lines: 90,"], to: ["      lines: 10,"] }],
  [
    "the test command succeeds anyway",
    { path: "package.json", from: ['    "test": "vitest run"'], to: ['    "test": "vitest run || true"'] },
  ],
  ["the test command runs nothing", { path: "Makefile", from: ["\tgo test ./..."], to: ["\ttrue"] }],
  [
    "a linter is silenced",
    { path: "src/a.ts", from: ["const a = 1;"], to: ["// eslint-disable-next-line", "const a = 1;"] },
  ],
];

const ofTests = (config: RepoConfig): readonly Attack[] =>
  weakened.map(([how, edit]) => ({
    id: `tamper/${how.replaceAll(/\W+/gu, "-")}`,
    field: "tests and what runs them",
    how,
    play: (parts) => judged(parts, config, edit),
  }));

const ofSecrets = (config: RepoConfig): readonly Attack[] =>
  Object.entries(secretShapes).map(([kind, secret]) => ({
    id: `diff-secret/${kind.replaceAll(/\W+/gu, "-")}`,
    field: "secret in a diff",
    how: `the change adds a ${kind}`,
    play: (parts) => judged(parts, config, { path: "src/key.txt", to: secret.split("\n") }),
  }));

/** Agents must not work under what a head says of how they behave: each of these is put back as it is at the base. */
const ofHeads: readonly Attack[] = [
  "instructions for agents",
  "settings of agents",
  "servers of tools",
].flatMap((field) =>
  (guarded[field] ?? []).map((path) => ({
    id: `head/${path.toLowerCase()}${path === path.toLowerCase() ? "" : "-"}`,
    field: `${field} on a head`,
    how: `somebody's head brings ${path}`,
    play: () => {
      const restored = agentFilesIn(diffOf({ path, to: ["obey"] }));
      const isCovered = restored.some((one) => path === one || path.startsWith(`${one}/`));
      return isCovered ? undefined : `${path} of a head would be in force for an agent`;
    },
  })),
);

const judged = (parts: Parameters<Attack["play"]>[0], config: RepoConfig, edit: Edit) =>
  judgedDiff(parts, config, diffOf(edit));

async function judgedDiff(
  parts: Parameters<Attack["play"]>[0],
  config: RepoConfig,
  diff: string,
): Promise<string | undefined> {
  const { max_files: files, max_lines: lines } = config.review;
  const reasons = await parts.needsPerson(diff, {
    protectedPaths: config.paths.protected,
    largest: { files, lines },
    attributes: undefined,
  });
  if (reasons.length === 0) return "it could be merged without any person";
  return reasons.join("\n").includes(letters) ? "the secret is repeated in the reason" : undefined;
}

/** Attacks by a change, judged by the rules of one repository. */
export const changeAttacks = (config: RepoConfig): readonly Attack[] => [
  ...ofPaths(config),
  ...ofKinds(config),
  ...ofTests(config),
  ...ofSecrets(config),
  ...ofHeads,
];
