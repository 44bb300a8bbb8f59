import { settingsHelp } from "../src/cli/help-topics.ts";
import { configJsonSchema } from "../src/config-file.ts";
import { mergeVariables, protectedPaths, templateVariables } from "../src/config-schema.ts";
import { foreignWhys, takenKeys } from "../src/config-workflow-keys.ts";
import { cell } from "./regions.ts";

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
}

/** The generated parts of `docs/configuration.md`, each by the name of its region. */
export const configurationText = (): Readonly<Record<string, string>> => ({
  keys: keysText(),
  "protected-paths": protectedPaths.map((path) => `- \`${path}\``).join("\n"),
  variables: [
    "| In | Variables |",
    "|---|---|",
    `| \`prompts\` | ${variables(templateVariables)} |`,
    `| \`merge.title\`, \`merge.body\` | ${variables(mergeVariables)} |`,
  ].join("\n"),
  workflow: [
    "| In `WORKFLOW.md` | Here |",
    "|---|---|",
    "| the Markdown below the front matter | `prompts.build` |",
    "| `codex` | `runtime.default: codex` |",
    ...Object.entries(takenKeys).map(([key, { path }]) => `| \`${key}\` | \`${path.join(".")}\` |`),
    ...Object.entries(foreignWhys).map(([key, why]) => `| \`${key}\` | left out: ${why} |`),
  ].join("\n"),
  environment: [
    "| Setting | What it is for | Otherwise |",
    "|---|---|---|",
    ...Object.entries(settingsHelp).map(
      ([name, { about, otherwise }]) => `| \`FORGEHAND_${name}\` | ${cell(about)} | ${cell(otherwise)} |`,
    ),
  ].join("\n"),
});

function keysText(): string {
  // The shape that zod writes.
  const { properties = {} } = configJsonSchema() as Node;
  const isGroup = ({ properties: inner }: Node): boolean => inner !== undefined;
  const single = Object.entries(properties).filter(([, node]) => !isGroup(node));
  const groups = Object.entries(properties).filter(([, node]) => isGroup(node));
  return [
    "### At the top",
    "",
    ...rows(single),
    ...groups.flatMap(([name, node]) => [
      "",
      `### \`${name}\``,
      "",
      ...(node.description === undefined ? [] : [node.description, ""]),
      ...rows(leaves(node, name)),
    ]),
  ].join("\n");
}

/** Keys of a group and of the groups in it. */
function leaves({ properties = {} }: Node, above: string): readonly (readonly [string, Node])[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const key = `${above}.${name}`;
    return node.properties === undefined
      ? [[key, node] as const]
      : [
          ...(node.description === undefined ? [] : [[key, { description: node.description }] as const]),
          ...leaves(node, key),
        ];
  });
}

const rows = (entries: readonly (readonly [string, Node])[]): readonly string[] => [
  "| Key | Type | Default | What it does |",
  "|---|---|---|---|",
  ...entries.map(
    ([key, node]) =>
      `| \`${key}\` | ${cell(typeOf(node))} | ${cell(defaultOf(node))} | ${cell(node.description ?? "")} |`,
  ),
];

function typeOf(node: Node): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((one) => `\`${String(one)}\``).join(", ");
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(" or ");
  switch (node.type) {
    case "integer":
      return `${node.minimum ?? ""} to ${node.maximum ?? ""}`;
    case "number":
      return `number up to ${node.maximum ?? ""}`;
    case "string":
      return "text";
    case "boolean":
      return "`true`, `false`";
    case "array":
      return `list of ${typeOf(node.items ?? {})}${node.maxItems === undefined ? "" : `, at most ${node.maxItems}`}`;
    case "object":
      return typeof node.additionalProperties === "object"
        ? `by name: ${typeOf(node.additionalProperties)}`
        : `\`{ ${Object.keys(node.properties ?? {}).join(", ")} }\``;
    default:
      return "group";
  }
}

const defaultOf = (node: Node): string =>
  node.default === undefined ? "–" : `\`${JSON.stringify(node.default)}\``;

const variables = (known: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(known)
    .flatMap(([name, fields]) => (fields.length === 0 ? [name] : fields.map((field) => `${name}.${field}`)))
    .map((one) => `\`${one}\``)
    .join(", ");
