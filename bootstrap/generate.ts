/** What a repository would be given, from what was found in it. Pure: the same in, the same out. */
import { stringify } from "yaml";
import { defaultLabelNames, type LabelNames } from "./labels.ts";
import type { CommandFound, CommandKind, Detected, PackageFound } from "./detect/detected.ts";
import { filled, type Templates } from "./templates.ts";

export const skillNames = ["commit", "pull", "push", "land", "tracker", "debug"] as const;
/** In the order in which they are run. */
export const commandKinds = ["setup", "lint", "build", "test"] as const satisfies readonly CommandKind[];

/** For editors; what it describes is what `forgehand config schema` prints. */
const schemaAddress = "https://unpkg.com/forgehand/schema/forgehand.v1.json";

export interface GenerateInput {
  readonly detected: Detected;
  readonly defaultBranch: string;
  /** What this repository calls our labels. */
  readonly labels?: LabelNames | undefined;
}
export interface Generated {
  readonly config: string;
  /** Of `AGENTS.md`, with or without the rules for reviews. */
  agents(rules: "with rules" | "without rules"): string;
  /** `SKILL.md` by the name of its skill. */
  readonly skills: ReadonlyMap<string, string>;
  readonly settings: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly issueForm: string;
  readonly pullTemplate: string;
  /** Body of the ticket by which an agent writes the part of `AGENTS.md` that only this repository needs. */
  readonly agentTicket: string;
}

export function generate(templates: Templates, input: GenerateInput): Generated {
  const { commands } = input.detected;
  const checks = [commands.lint, commands.build, commands.test].flatMap((one) => one?.command ?? []);
  const before = checks.length === 0 ? "it was tried out" : `${checks.map(code).join(", ")} pass`;
  const labels = input.labels ?? defaultLabelNames;
  const skillValues = {
    base: input.defaultBranch,
    setup: inCode(commands.setup),
    test: inCode(commands.test),
    checks: checks.map(code),
    labels: {
      ready: labels["agent-ready"],
      halt: labels["forgehand:halt"],
      merge: labels["auto-merge"],
    },
  };
  return {
    config: filled(templates, "forgehand.yml", {
      schema: schemaAddress,
      commands: commandKinds.map((kind) => configLine(kind, commands[kind])),
    }),
    agents: (rules) =>
      filled(templates, "agents.md", {
        table: tableOf(commands),
        packages: packagesOf(input.detected.packages),
        before,
        rules: rules === "with rules",
      }),
    skills: new Map(skillNames.map((name) => [name, filled(templates, `skills/${name}.md`, skillValues)])),
    settings: { allow: allowed(commands), deny: secretReads },
    issueForm: filled(templates, "forgehand-task.yml", { ready: oneLine(labels["agent-ready"]) }),
    pullTemplate: filled(templates, "pull_request_template.md", {
      before: `${before[0]?.toUpperCase()}${before.slice(1)}`,
    }),
    agentTicket: filled(templates, "ticket.md", {}),
  };
}

/** In Markdown, also within a table. */
const code = (text: string): string => {
  const fence = "`".repeat(Math.max(0, ...[...text.matchAll(/`+/gu)].map(([run]) => run.length)) + 1);
  const pad = fence.length > 1 ? " " : "";
  return `${fence}${pad}${text}${pad}${fence}`;
};
const inCode = (found: CommandFound | undefined): string => (found === undefined ? "" : code(found.command));
const inTable = (text: string): string => text.replaceAll("|", String.raw`\|`);

const purposes: Readonly<Record<CommandKind, string>> = {
  setup: "Set up",
  lint: "Lint",
  build: "Build",
  test: "Test",
};

const tableOf = (commands: Detected["commands"]) =>
  commandKinds.map((kind) => {
    const found = commands[kind];
    return {
      for: purposes[kind],
      command: found === undefined ? "none known" : inTable(code(found.command)),
    };
  });

const maxPackages = 12;

/** Only where there is more than the root. */
function packagesOf(packages: readonly PackageFound[]) {
  const inside = packages.filter(({ folder }) => folder !== ".");
  const shown = inside.slice(0, maxPackages).map(({ folder, ecosystem, manager, commands }) => ({
    folder,
    about: `${ecosystem} (${manager})${commands.test === undefined ? "" : `, tests: ${code(commands.test.command)}`}`,
  }));
  const left = inside.length - shown.length;
  return left > 0 ? [...shown, { folder: "…", about: `and ${left} more` }] : shown;
}

const configPurposes: Readonly<Record<CommandKind, string>> = {
  setup: "Once in a fresh worktree.",
  lint: "Must pass before a build is delivered.",
  build: "Must pass before the tests.",
  test: "Must pass before a build is delivered.",
};

function configLine(kind: CommandKind, found: CommandFound | undefined) {
  if (found === undefined) return { kind, line: "", why: `${configPurposes[kind]} None was found.` };
  return {
    kind,
    line: stringify(found.command, { lineWidth: 0, blockQuote: false }).trimEnd(),
    why: `${configPurposes[kind]} ${sourceOf(found)}`,
  };
}

/** `From package.json:7 (sure).` */
function sourceOf({ evidence, confidence }: CommandFound): string {
  const [first] = evidence;
  const where = first === undefined ? "By custom" : `From ${oneLine(first.path)}:${first.line}`;
  return `${where} (${confidence}).`;
}
const oneLine = (text: string): string => text.replaceAll(/\s+/gu, " ");

const secretReads: readonly string[] = [
  "Read(./.env)",
  "Read(./.env.local)",
  "Read(./.env.*.local)",
  "Read(./**/*.pem)",
  "Read(./**/*.key)",
];

/** Commands that are known to be these, word for word. What a shell would take apart is left to a person's yes. */
const allowed = (commands: Detected["commands"]): readonly string[] => [
  ...new Set(
    commandKinds.flatMap((kind) => {
      const found = commands[kind];
      return found === undefined ||
        found.confidence === "guess" ||
        !/^[\w./:@=+-]+(?: [\w./:@=+-]+)*$/u.test(found.command)
        ? []
        : [`Bash(${found.command})`];
    }),
  ),
];
