import type { Candidate } from "./candidate.ts";
import { kindOfName } from "./classify.ts";
import { fieldsOf, tomlOf, yamlOf } from "./parse.ts";
import { evidenceAt, evidenceOf, lineMatching, type Text } from "./text.ts";
import { within, type Tree } from "./tree.ts";

interface Target {
  readonly name: string;
  readonly line: number;
}
interface Runner {
  readonly files: readonly string[];
  readonly verb: string;
  readonly targets: (text: Text) => readonly Target[];
}

const maxTargets = 300;

/** What the runners of tasks in a folder offer for setting up, testing, checking and building. */
export function readTargets(tree: Tree, folder: string): readonly Candidate[] {
  return [...fromRunners(tree, folder), ...fromPrograms(tree, folder)];
}

/** Programs of the repository's own that are named for what they do: `script/test`. */
function fromPrograms(tree: Tree, folder: string): readonly Candidate[] {
  return ["script", "scripts", "bin"].flatMap((inside) =>
    tree.names(within(folder, inside)).flatMap((name): readonly Candidate[] => {
      const plain = /^(setup|bootstrap|test|lint|build)(?:\.sh)?$/u.exec(name)?.[1];
      const kind = plain === undefined ? undefined : kindOfName(plain);
      if (kind === undefined) return [];
      const evidence = [evidenceOf(within(folder, `${inside}/${name}`))];
      return [
        {
          kind,
          command: `${inside}/${name}`,
          folder,
          source: "target",
          evidence,
          reason: `it is a program named for it`,
        },
      ];
    }),
  );
}

function fromRunners(tree: Tree, folder: string): readonly Candidate[] {
  return runners.flatMap(({ files, verb, targets }) => {
    const path = files.map((name) => within(folder, name)).find((name) => tree.has(name));
    const text = path === undefined ? undefined : tree.read(path);
    return text === undefined
      ? []
      : targets(text)
          .slice(0, maxTargets)
          .flatMap((target) => candidateOf(target, text, folder, verb));
  });
}

function candidateOf({ name, line }: Target, text: Text, folder: string, verb: string): readonly Candidate[] {
  const kind = kindOfName(name);
  if (kind === undefined) return [];
  const plain = /^(?:test|lint|build|setup)$/u.test(name);
  return [
    {
      kind,
      command: `${verb} ${name}`,
      folder,
      source: "target",
      evidence: [evidenceAt(text, line)],
      reason: `${text.path} has a target of that name`,
      ...(plain ? {} : { doubt: "its name tells less than another's" }),
    },
  ];
}

const runners: readonly Runner[] = [
  {
    files: ["Makefile", "makefile", "GNUmakefile"],
    verb: "make",
    targets: (text) => named(text, /^([A-Za-z][\w.-]*)(?:\s+[\w.-]+)*\s*::?(?!=)/u),
  },
  {
    files: ["justfile", "Justfile", ".justfile"],
    verb: "just",
    targets: (text) => named(text, /^@?([A-Za-z][\w-]*)(?:\s+[*+]?\w+(?:=\S+)?)*\s*:(?!=)/u),
  },
  {
    files: ["Taskfile.yml", "Taskfile.yaml", "taskfile.yml"],
    verb: "task",
    targets: (text) => keyed(text, yamlOf(text), "tasks"),
  },
  {
    files: ["mise.toml", ".mise.toml"],
    verb: "mise run",
    targets: (text) => keyed(text, tomlOf(text), "tasks"),
  },
];

function named(text: Text, pattern: RegExp): readonly Target[] {
  const targets = new Map<string, number>();
  for (const [index, line] of text.lines.entries()) {
    const name = pattern.exec(line.slice(0, 200))?.[1];
    if (name !== undefined && !targets.has(name)) targets.set(name, index + 1);
  }
  return [...targets].map(([name, line]) => ({ name, line }));
}

function keyed(text: Text, parsed: ReturnType<typeof yamlOf>, key: string): readonly Target[] {
  if ("fault" in parsed) return [];
  return Object.keys(fieldsOf(parsed.value, key))
    .filter((name) => /^[A-Za-z][\w:.-]*$/u.test(name))
    .map((name) => {
      const plain = name.replaceAll(".", "\\.");
      const pattern = new RegExp(
        String.raw`^\s+["']?${plain}["']?\s*:|^\[${key}\.["']?${plain}["']?\]|^["']?${plain}["']?\s*=`,
        "u",
      );
      return { name, line: lineMatching(text, pattern) ?? 1 };
    });
}
