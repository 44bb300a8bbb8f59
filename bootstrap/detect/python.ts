import type { Candidate, Look } from "./candidate.ts";
import type { CommandKind, DetectionWarning, Evidence } from "./detected.ts";
import { matching } from "./globs.ts";
import { fieldsOf, own, tomlOf, wordOf, wordsOf, type Fields } from "./parse.ts";
import { pythonTools } from "./python-tools.ts";
import { quoted } from "./shell.ts";
import { evidenceAt, evidenceMatching, evidenceOf, lineMatching, type Text } from "./text.ts";
import { isBelow, within, type Tree } from "./tree.ts";

export type PythonManager = "uv" | "poetry" | "pdm" | "pipenv" | "hatch" | "pip";

interface Managed {
  readonly manager: PythonManager;
  readonly evidence: readonly Evidence[];
  readonly warnings: readonly DetectionWarning[];
}

/** What is run in the package's own environment. */
const runs: Readonly<Record<PythonManager, (command: string) => string>> = {
  uv: (command) => `uv run ${command}`,
  poetry: (command) => `poetry run ${command}`,
  pdm: (command) => `pdm run ${command}`,
  pipenv: (command) => `pipenv run ${command}`,
  hatch: (command) => `hatch run ${command}`,
  pip: (command) => `.venv/bin/${command}`,
};

/** A package of Python, by whichever of its many manifests. */
export function lookAtPython(tree: Tree, folder: string): Look | undefined {
  const names = tree.names(folder);
  const requirements = names.filter((name) => /^requirements[\w.-]*\.(?:txt|in)$/u.test(name));
  const manifests = ["pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "tox.ini", "noxfile.py"].filter(
    (name) => names.includes(name),
  );
  if (manifests.length === 0 && requirements.length === 0) return undefined;
  const text = tree.read(within(folder, "pyproject.toml"));
  const parsed = text === undefined ? undefined : tomlOf(text);
  const project = parsed !== undefined && "value" in parsed ? parsed.value : {};
  const managed = managerOf(tree, folder, project, text);
  const manifest = text ?? (manifests[0] === undefined ? undefined : tree.read(within(folder, manifests[0])));
  const run = runs[managed.manager];
  return {
    ecosystem: "python",
    manager: managed.manager,
    evidence: [
      evidenceOf(manifest?.path ?? within(folder, requirements[0] ?? "setup.py")),
      ...managed.evidence,
    ],
    members: membersOf(tree, folder, wordsOf(own(fieldsOf(project, "tool", "uv", "workspace"), "members"))),
    candidates: [
      ...setupOf(tree, folder, { managed, project, requirements, manifests }),
      ...hatchScripts(folder, project, text),
      ...pythonTools(tree, folder, project, run),
    ],
    warnings: managed.warnings,
    adapt: (one) => adapted(managed.manager, venv(tree, folder), one),
  };
}

function membersOf(tree: Tree, folder: string, patterns: readonly string[]): readonly string[] {
  if (patterns.length === 0) return [];
  const inside = tree.folders
    .filter((one) => isBelow(one, folder) && tree.has(within(one, "pyproject.toml")))
    .map((one) => (folder === "." ? one : one.slice(folder.length + 1)));
  return matching(inside, patterns).map((one) => within(folder, one));
}

const locks: readonly (readonly [string, PythonManager])[] = [
  ["uv.lock", "uv"],
  ["poetry.lock", "poetry"],
  ["pdm.lock", "pdm"],
  ["Pipfile.lock", "pipenv"],
  ["Pipfile", "pipenv"],
];

function managerOf(tree: Tree, folder: string, project: Fields, text: Text | undefined): Managed {
  const held = locks.filter(([name]) => tree.has(within(folder, name)));
  const kinds = [...new Set(held.map(([, manager]) => manager))];
  const evidence = held.map(([name]) => evidenceOf(within(folder, name)));
  const section = (["poetry", "pdm", "hatch", "uv"] as const).find(
    (name) =>
      own(fieldsOf(project, "tool"), name) !== undefined &&
      (name !== "hatch" || own(fieldsOf(project, "tool", "hatch"), "envs") !== undefined),
  );
  const bySection =
    text === undefined || section === undefined
      ? []
      : [evidenceMatching(text, new RegExp(String.raw`^\s*\[+tool\.${section}\b`, "u"))];
  const agreed = kinds.find((manager) => manager === section);
  const chosen = agreed ?? kinds[0] ?? section ?? "pip";
  const warnings: DetectionWarning[] = [];
  if (kinds.length > 1)
    warnings.push({
      code: "two-lockfiles",
      message: `${folder === "." ? "The root" : folder} has lockfiles of ${kinds.join(" and ")}. ${chosen} was chosen, ${agreed === undefined ? "for the newest of these tools is seldom there by chance" : `for pyproject.toml has a section of it`}; delete the other.`,
      evidence,
    });
  return {
    manager: chosen,
    evidence: [
      ...evidence.filter((_, index) => held[index]?.[1] === chosen),
      ...(section === chosen ? bySection : []),
    ],
    warnings,
  };
}

interface SetupIn {
  readonly managed: Managed;
  readonly project: Fields;
  readonly requirements: readonly string[];
  readonly manifests: readonly string[];
}

function setupOf(tree: Tree, folder: string, given: SetupIn): readonly Candidate[] {
  const { managed, manifests } = given;
  const has = (name: string): boolean => tree.has(within(folder, name));
  const extras = extraOf(given.project);
  const commands: Readonly<Record<PythonManager, () => string>> = {
    uv: () =>
      `uv sync${has("uv.lock") ? " --locked" : ""}${extras === undefined ? "" : ` --extra ${extras}`}`,
    poetry: () => `poetry install --no-interaction${extras === undefined ? "" : ` --extras ${extras}`}`,
    pdm: () => (has("pdm.lock") ? "pdm install --frozen-lockfile" : "pdm install"),
    pipenv: () => (has("Pipfile.lock") ? "pipenv sync --dev" : "pipenv install --dev"),
    hatch: () => "hatch env create",
    pip: () => `${venv(tree, folder)} && .venv/bin/pip install ${pipArguments(given, extras)}`,
  };
  const command = commands[managed.manager]();
  const path = given.requirements[0] ?? manifests[0];
  return [
    {
      kind: "setup",
      command,
      folder,
      source:
        managed.manager === "pip"
          ? "custom"
          : locks.some(([name]) => name !== "Pipfile" && has(name))
            ? "lock"
            : "tool",
      evidence:
        managed.evidence.length > 0
          ? managed.evidence
          : path === undefined
            ? []
            : [evidenceOf(within(folder, path))],
      reason:
        managed.manager === "pip"
          ? "it installs into an environment of the checkout, so that the machine's own Python stays as it is"
          : `${managed.manager} installs it`,
    },
  ];
}

/** The optional dependencies that hold what tests need. */
function extraOf(project: Fields): string | undefined {
  const extras = [
    ...Object.keys(fieldsOf(project, "project", "optional-dependencies")),
    ...Object.keys(fieldsOf(project, "tool", "poetry", "extras")),
  ];
  return ["dev", "test", "tests", "testing", "all"].find((name) => extras.includes(name));
}

function pipArguments({ requirements, manifests, project }: SetupIn, extra: string | undefined): string {
  const files = requirements
    .filter(
      (name) =>
        name.endsWith(".txt") &&
        /^requirements(?:[-_.]?(?:dev|test|tests|testing|ci|lint))?\.txt$/u.test(name),
    )
    .map((name) => `-r ${quoted(name)}`);
  const installs =
    manifests.includes("setup.py") ||
    own(project, "project") !== undefined ||
    own(project, "build-system") !== undefined;
  const itself = installs ? [`-e ${extra === undefined ? "." : quoted(`.[${extra}]`)}`] : [];
  const runners = ["tox", "nox"].filter((name) =>
    manifests.includes(name === "tox" ? "tox.ini" : "noxfile.py"),
  );
  const words = [...files, ...itself];
  return (words.length > 0 ? words : runners.length > 0 ? runners : ["-r requirements.txt"]).join(" ");
}

/** An environment in the checkout that git does not see, whether `.gitignore` names it or not. */
function venv(tree: Tree, folder: string): string {
  const ignored = [folder, "."].some((where) => {
    const text = tree.read(within(where, ".gitignore"));
    return text !== undefined && lineMatching(text, /^\/?\.(?:venv|\*)\/?\s*$/u) !== undefined;
  });
  const hide = ignored ? "" : " && echo '*' > .venv/.gitignore";
  return `python3 -m venv .venv${hide}`;
}

/** A command of a throw-away machine, put into the environment of the checkout; undefined where it has no place there. */
function adapted(manager: PythonManager, prepare: string, { kind, command }: AdaptedIn): string | undefined {
  const parts = command.split(" && ").map((part) => {
    const [, env = "", plain = ""] = /^((?:[A-Za-z_]\w*=\S* )*)(.*)$/u.exec(part) ?? [];
    return {
      env,
      plain: manager === "pip" ? plain.replace(/^uv (?=pip )/u, "").replace(/ --system(?= |$)/u, "") : plain,
    };
  });
  if (manager !== "pip") {
    if (parts.some(({ plain }) => /^(?:python[\d.]* -m )?pip[\d.]* |^uv pip /u.test(plain))) return undefined;
    return parts.map(({ env, plain }) => env + (isTool(plain) ? runs[manager](plain) : plain)).join(" && ");
  }
  const inside = parts.map(
    ({ env, plain }) =>
      env + (isTool(plain) ? runs.pip(plain.replace(/^(python|pip)[\d.]+(?= )/u, "$1")) : plain),
  );
  return [...(kind === "setup" ? [prepare] : []), ...inside].join(" && ");
}

type AdaptedIn = Parameters<NonNullable<Look["adapt"]>>[0];

const isTool = (command: string): boolean =>
  /^(?:pytest|py\.test|ruff|flake8|mypy|pyright|pylint|black|isort|tox|nox|coverage|pre-commit|nose2|(?:python|pip)[\d.]*)(?= |$)/u.test(
    command,
  );

const kinds: Readonly<Record<string, CommandKind>> = {
  test: "test",
  tests: "test",
  cov: "test",
  lint: "lint",
  check: "lint",
  types: "lint",
  style: "lint",
  typing: "lint",
};

/** Scripts of hatch's environments. */
function hatchScripts(folder: string, project: Fields, text: Text | undefined): readonly Candidate[] {
  if (text === undefined) return [];
  return Object.entries(fieldsOf(project, "tool", "hatch", "envs")).flatMap(([env, fields]) =>
    Object.keys(fieldsOf(fields, "scripts")).flatMap((name): readonly Candidate[] => {
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      if (kind === undefined || !/^[\w-]+$/u.test(env) || wordOf(fields, "scripts", name) === undefined)
        return [];
      const start =
        lineMatching(text, new RegExp(String.raw`^\s*\[tool\.hatch\.envs\.${env}\.scripts\]`, "u")) ?? 1;
      const line = lineMatching(text, new RegExp(String.raw`^\s*${name}\s*=`, "u"), start) ?? start;
      return [
        {
          kind,
          command: `hatch run ${env === "default" ? "" : `${env}:`}${name}`,
          folder,
          source: "script",
          evidence: [evidenceAt(text, line)],
          reason: `it is a script of ${text.path}`,
          ...(name === "test" || name === "lint" ? {} : { doubt: "the plain name comes first" }),
        },
      ];
    }),
  );
}
