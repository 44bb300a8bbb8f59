import type { Candidate } from "./candidate.ts";
import type { CommandKind, Evidence } from "./detected.ts";
import { fieldsOf, own, type Fields } from "./parse.ts";
import { evidenceMatching, evidenceOf } from "./text.ts";
import { within, type Tree } from "./tree.ts";

interface Place {
  readonly tree: Tree;
  readonly folder: string;
  readonly project: Fields;
}

/** The tools that test and check a package of Python, by their configuration, else by what is installed. */
export function pythonTools(
  tree: Tree,
  folder: string,
  project: Fields,
  run: (command: string) => string,
): readonly Candidate[] {
  const place = { tree, folder, project };
  const found = (
    kind: CommandKind,
    command: string,
    evidence: Evidence,
    more: Partial<Candidate> = {},
  ): Candidate => ({
    kind,
    command: run(command),
    folder,
    source: "tool",
    evidence: [evidence],
    reason: `${evidence.path} ${evidence.text === "" ? "is there" : "configures it"}`,
    ...more,
  });
  const candidates: Candidate[] = [];
  const pytest = configured(place, "pytest") ?? mentioned(place, "pytest");
  if (pytest !== undefined) candidates.push(found("test", "pytest", pytest));
  const tox = configured(place, "tox");
  if (tox !== undefined)
    candidates.push(
      found(
        "test",
        "tox run -e py",
        tox,
        pytest === undefined ? {} : { doubt: "it makes environments of its own" },
      ),
    );
  const nox = fileOf(place, "noxfile.py");
  if (nox !== undefined)
    candidates.push(
      found("test", "nox", nox, pytest === undefined ? {} : { doubt: "it makes environments of its own" }),
    );
  const django = fileOf(place, "manage.py");
  if (django !== undefined && pytest === undefined)
    candidates.push(found("test", "python manage.py test", django));
  const plain = firstTest(place);
  if (pytest === undefined && django === undefined && plain !== undefined)
    candidates.push(
      found("test", "python -m unittest discover", plain, {
        source: "custom",
        reason: "test files are there and no other runner is named",
      }),
    );
  return [...candidates, ...checks(place, run)];
}

/** All checks that are configured, as one line: a change has to pass each. */
function checks(place: Place, run: (command: string) => string): readonly Candidate[] {
  const ruff = configured(place, "ruff");
  const mypy = configured(place, "mypy");
  const format = ruff !== undefined && own(fieldsOf(place.project, "tool", "ruff"), "format") !== undefined;
  const rules: readonly (readonly [string, Evidence | undefined])[] = [
    ["ruff check .", ruff ?? mentioned(place, "ruff")],
    ["ruff format --check .", format ? ruff : undefined],
    ["flake8", ruff === undefined ? configured(place, "flake8") : undefined],
    ["black --check .", ruff === undefined ? configured(place, "black") : undefined],
    ["mypy .", mypy],
    ["pyright", mypy === undefined ? configured(place, "pyright") : undefined],
  ];
  const held = rules.flatMap(([command, evidence]) =>
    evidence === undefined ? [] : [{ command, evidence }],
  );
  const hooks = fileOf(place, ".pre-commit-config.yaml");
  const base = { kind: "lint", folder: place.folder } as const;
  return [
    ...(held.length === 0
      ? []
      : [
          {
            ...base,
            command: held.map(({ command }) => run(command)).join(" && "),
            source: "tool",
            evidence: held.map(({ evidence }) => evidence),
            reason: held.length > 1 ? "each of these is configured" : "it is configured",
          } satisfies Candidate,
        ]),
    ...(hooks === undefined
      ? []
      : [
          {
            ...base,
            command: run("pre-commit run --all-files"),
            source: "custom",
            evidence: [hooks],
            reason: "hooks before a commit are configured",
            doubt: "it fetches its tools from the network and may change files",
          } satisfies Candidate,
        ]),
  ];
}

const fileOf = ({ tree, folder }: Place, name: string): Evidence | undefined =>
  tree.has(within(folder, name)) ? evidenceOf(within(folder, name)) : undefined;

const ownFiles: Readonly<Record<string, readonly string[]>> = {
  pytest: ["pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py", "tests/conftest.py"],
  tox: ["tox.ini", "tox.toml"],
  ruff: ["ruff.toml", ".ruff.toml"],
  flake8: [".flake8"],
  mypy: ["mypy.ini", ".mypy.ini"],
  pyright: ["pyrightconfig.json"],
};

/** A file of the tool's own, or a section of it in a shared one. */
function configured(place: Place, tool: string): Evidence | undefined {
  const { tree, folder, project } = place;
  const file = (ownFiles[tool] ?? []).map((name) => fileOf(place, name)).find((found) => found !== undefined);
  if (file !== undefined) return file;
  const pyproject = tree.read(within(folder, "pyproject.toml"));
  if (pyproject !== undefined && own(fieldsOf(project, "tool"), tool) !== undefined)
    return evidenceMatching(pyproject, new RegExp(String.raw`^\s*\[+tool\.${tool}\b`, "u"));
  for (const name of ["setup.cfg", "tox.ini"]) {
    const text = tree.read(within(folder, name));
    if (text === undefined) continue;
    const found = evidenceMatching(text, new RegExp(String.raw`^\[(?:tool:)?${tool}\]`, "u"));
    if (found.text !== "") return found;
  }
  return undefined;
}

/** A line that asks for the tool among dependencies. */
function mentioned({ tree, folder }: Place, tool: string): Evidence | undefined {
  const files = tree
    .names(folder)
    .filter((name) =>
      /^(?:pyproject\.toml|Pipfile|setup\.cfg|setup\.py|requirements[\w.-]*\.(?:txt|in))$/u.test(name),
    );
  const pattern = new RegExp(
    String.raw`^\s*(?:[\w.-]+\s*=\s*\[?\s*)?["']?${tool}(?:-cov|-asyncio|-django)?\b(?!\.)|["']${tool}\b`,
    "u",
  );
  for (const name of files) {
    const text = tree.read(within(folder, name));
    const found = text === undefined ? undefined : evidenceMatching(text, pattern);
    if (found !== undefined && found.text !== "") return found;
  }
  return undefined;
}

function firstTest({ tree, folder }: Place): Evidence | undefined {
  const inside = folder === "." ? "" : `${folder}/`;
  const path = tree.paths.find(
    (one) => one.startsWith(inside) && /(?:^|\/)(?:test_[^/]*|[^/]*_test|tests)\.py$/u.test(one),
  );
  return path === undefined ? undefined : evidenceOf(path);
}
