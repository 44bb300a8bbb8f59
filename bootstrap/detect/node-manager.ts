import type { DetectionWarning, Evidence } from "./detected.ts";
import { fieldsOf, wordOf, type Fields } from "./parse.ts";
import { evidenceMatching, evidenceOf, type Text } from "./text.ts";
import { within, type Tree } from "./tree.ts";

export type NodeManager = "npm" | "pnpm" | "yarn" | "yarn-berry" | "bun";

/** How each manager of Node packages says the same. */
export interface ManagerWords {
  /** Exactly what the lockfile holds. */
  readonly frozen: string;
  readonly loose: string;
  readonly run: (script: string) => string;
  /** A tool that a dependency brings. */
  readonly exec: string;
  /** A script of every package of the workspace that has it. */
  readonly everywhere: (script: string) => string;
  /** Between a script and arguments for it. */
  readonly dashes: string;
}

const short = (manager: string) => (script: string) =>
  script === "test" ? `${manager} test` : `${manager} run ${script}`;

export const wordsOfManager: Readonly<Record<NodeManager, ManagerWords>> = {
  npm: {
    frozen: "npm ci",
    loose: "npm install",
    run: short("npm"),
    exec: "npx",
    everywhere: (script) => `npm run ${script} --workspaces --if-present`,
    dashes: " --",
  },
  pnpm: {
    frozen: "pnpm install --frozen-lockfile",
    loose: "pnpm install",
    run: short("pnpm"),
    exec: "pnpm exec",
    everywhere: (script) => `pnpm -r --if-present run ${script}`,
    dashes: "",
  },
  yarn: {
    frozen: "yarn install --frozen-lockfile",
    loose: "yarn install",
    run: short("yarn"),
    exec: "yarn run",
    everywhere: (script) => `yarn workspaces run ${script}`,
    dashes: "",
  },
  "yarn-berry": {
    frozen: "yarn install --immutable",
    loose: "yarn install",
    run: short("yarn"),
    exec: "yarn run",
    everywhere: (script) => `yarn workspaces foreach --all run ${script}`,
    dashes: "",
  },
  bun: {
    frozen: "bun install --frozen-lockfile",
    loose: "bun install",
    run: (script) => `bun run ${script}`,
    exec: "bunx",
    everywhere: (script) => `bun run --filter '*' ${script}`,
    dashes: "",
  },
};

/** In the order of preference where nothing else decides. */
const lockfiles: readonly (readonly [string, Exclude<NodeManager, "yarn-berry">])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

export interface ManagerFound {
  readonly manager: NodeManager;
  /** Undefined where no lockfile of that manager is there. */
  readonly lockfile: string | undefined;
  readonly evidence: readonly Evidence[];
  readonly warnings: readonly DetectionWarning[];
  /** A field of the manifest asks for it, so corepack brings it. */
  readonly byField: "by-field" | "by-files";
}

/** Who installs: the manifest's own word, else the lockfile, else what the workflows use, else npm. */
export function managerOf(
  tree: Tree,
  at: {
    readonly folder: string;
    readonly text: Text;
    readonly manifest: Fields;
    readonly inWorkflows: readonly string[];
    /** What installs the workspace it is a member of. */
    readonly above: NodeManager | undefined;
  },
): ManagerFound {
  if (at.above !== undefined)
    return { manager: at.above, lockfile: undefined, evidence: [], warnings: [], byField: "by-files" };
  const { folder, text, manifest } = at;
  const locks = lockfiles.filter(([name]) => tree.has(within(folder, name)));
  const field = fieldOf(manifest);
  const kinds = [...new Set(locks.map(([, manager]) => manager))];
  const inUse = kinds.find((manager) => at.inWorkflows.includes(manager));
  const plain =
    field?.manager ?? (kinds.length > 1 ? (inUse ?? kinds[0]) : kinds[0]) ?? customary(tree, folder);
  const lock = locks.find(([, manager]) => manager === plain)?.[0];
  const byField = field === undefined ? undefined : evidenceMatching(text, /"packageManager"/u);
  const lockEvidence = locks.map(([name]) => evidenceOf(within(folder, name)));
  const warnings: DetectionWarning[] = [];
  const others = locks.filter(([, manager]) => manager !== plain).map(([name]) => name);
  if (field !== undefined && others.length > 0)
    warnings.push({
      code: "manager-conflict",
      message: `${text.path} asks for ${field.manager}, but ${others.join(" and ")} ${others.length > 1 ? "lie" : "lies"} beside it. ${field.manager} was chosen, for that field is meant for machines; ${others.length > 1 ? "those lockfiles are" : "that lockfile is"} likely left over.`,
      evidence: [...(byField ? [byField] : []), ...lockEvidence],
    });
  else if (kinds.length > 1)
    warnings.push({
      code: "two-lockfiles",
      message: `${folder === "." ? "The root" : folder} has lockfiles of ${kinds.join(" and ")}. ${plain} was chosen, ${inUse === undefined ? "for its lockfile is not written by chance" : "for the workflows use it"}; delete the other, or say \`"packageManager"\` in ${text.path}.`,
      evidence: lockEvidence,
    });
  if (lock === undefined && hasDependencies(manifest))
    warnings.push({
      code: "no-lockfile",
      message: `${text.path} has dependencies and ${plain} no lockfile here: two installs may differ.`,
      evidence: [evidenceOf(text.path)],
    });
  const manager = plain === "yarn" && isBerry(tree, folder, field?.version, lock) ? "yarn-berry" : plain;
  return {
    manager,
    lockfile: lock,
    evidence: [
      ...(byField ? [byField] : []),
      ...(lock === undefined ? [] : [evidenceOf(within(folder, lock))]),
    ],
    warnings,
    byField: field === undefined ? "by-files" : "by-field",
  };
}

type PlainManager = Exclude<NodeManager, "yarn-berry">;

function fieldOf(manifest: Fields): { manager: PlainManager; version: string } | undefined {
  const [, name, version = ""] =
    /^(npm|pnpm|yarn|bun)@([\w.+-]{1,300})$/u.exec(wordOf(manifest, "packageManager") ?? "") ?? [];
  if (isManager(name)) return { manager: name, version };
  const wanted = fieldsOf(manifest, "devEngines", "packageManager");
  const named = wordOf(wanted, "name");
  return isManager(named) ? { manager: named, version: wordOf(wanted, "version") ?? "" } : undefined;
}

const isManager = (name: string | undefined): name is PlainManager =>
  name === "npm" || name === "pnpm" || name === "yarn" || name === "bun";

function customary(tree: Tree, folder: string): PlainManager {
  if (tree.has(within(folder, "pnpm-workspace.yaml"))) return "pnpm";
  if (tree.has(within(folder, ".yarnrc.yml")) || tree.has(within(folder, ".yarnrc"))) return "yarn";
  return tree.has(within(folder, "bunfig.toml")) ? "bun" : "npm";
}

function isBerry(tree: Tree, folder: string, version: string | undefined, lock: string | undefined): boolean {
  if (version !== undefined && /^\D*[01](?:\.|$)/u.test(version)) return false;
  if (version !== undefined && /\d/u.test(version)) return true;
  if (tree.has(within(folder, ".yarnrc.yml"))) return true;
  const text = lock === undefined ? undefined : tree.read(within(folder, lock));
  return text?.lines.slice(0, 20).some((line) => line.startsWith("__metadata:")) ?? false;
}

const hasDependencies = (manifest: Fields): boolean =>
  ["dependencies", "devDependencies"].some((key) => Object.keys(fieldsOf(manifest, key)).length > 0);
