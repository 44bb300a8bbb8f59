import { LineCounter, isMap, isScalar, parseDocument } from "yaml";
import type { Document } from "yaml";
import { z } from "zod";
import { defaultConfig, type ConfigProblem, type ReadConfig } from "./config.ts";
import { mergeVariables, RepoConfig, templateVariables } from "./config-schema.ts";
import { templateFault } from "./config-template.ts";
import { nearest } from "./nearest.ts";
import { placeOfOffset, placeOfPath } from "./yaml-place.ts";

type Path = readonly PropertyKey[];
const maxBytes = 256 * 1024;

/**
 * Reads the text of a repository's configuration, taken from its default branch at a pinned commit. A wrong part is
 * reported with its place and replaced by its default; the rest counts. Undefined means there is no such file.
 */
export function readConfig(text: string | undefined): ReadConfig {
  if (text === undefined || text.trim() === "") return { config: defaultConfig(), problems: [] };
  if (text.length > maxBytes) return broken(`the file is over ${maxBytes / 1024} KiB`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: false });
  if (document.errors.length > 0) {
    return {
      config: defaultConfig(),
      problems: document.errors.map((error) => ({
        ...placeOfOffset(lines, error.pos[0]),
        message: `This is no YAML: ${error.message.split("\n", 1)[0] ?? "unreadable"}`,
      })),
    };
  }
  const found = toPlain(document);
  if (found === undefined) return broken("the file nests aliases too deeply");
  if (found === null) return { config: defaultConfig(), problems: [] };
  if (!isMap(document.contents)) return broken("the file must hold keys with values, such as `version: 1`");
  return check(withoutNulls(found), document, lines);
}

/** What is right of a configuration of which none was ever sound; only people merge under it. */
export const guarded = (config: RepoConfig): RepoConfig => ({
  ...config,
  merge: { ...config.merge, after_approval: false },
  paths: { ...config.paths, protected: ["**"] },
});

function broken(why: string): ReadConfig {
  const problem = {
    line: 1,
    column: 1,
    message: `Unusable: ${why}.`,
  };
  return { config: defaultConfig(), problems: [problem] };
}

function toPlain(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 50 }) as unknown;
  } catch {
    return undefined;
  }
}

/** At most as many rounds as a file can have wrong parts: each takes at least one away. */
const maxRounds = 500;

function check(found: unknown, document: Document.Parsed, lines: LineCounter): ReadConfig {
  const problems: ConfigProblem[] = [];
  const report = (path: Path, message: string, line?: number): void => {
    const place = placeOfPath(document, lines, path);
    problems.push(line === undefined ? { ...place, message } : { line, column: 1, message });
  };
  for (let round = 0; round < maxRounds; round += 1) {
    const parsed = RepoConfig.safeParse(found);
    if (parsed.success) {
      const config = withoutBadTemplates(parsed.data, document, lines, report);
      return { config, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) };
    }
    // Every report comes before the first removal, so that each still finds its value and place.
    const wrong = parsed.error.issues.flatMap((issue) => faultsOf(issue, found));
    for (const { path, message } of wrong) report(path, message);
    for (const { path } of wrong) remove(found, path);
  }
  return broken("more is wrong than can be listed");
}

function faultsOf(issue: z.core.$ZodIssue, found: unknown): readonly { path: Path; message: string }[] {
  return issue.code === "unrecognized_keys"
    ? issue.keys.map((key) => ({ path: [...issue.path, key], message: unknownKey(issue.path, key) }))
    : [{ path: issue.path, message: wrongValue(issue, found) }];
}

function unknownKey(path: Path, key: string): string {
  const known = keysAt(path);
  const meant = nearest(key, known);
  const name = [...path.map(String), key].join(".");
  const hint =
    meant === undefined
      ? `Known here: ${known.map((one) => `\`${one}\``).join(", ")}.`
      : `Did you mean \`${meant}\`?`;
  return `Unknown key \`${name}\`. ${hint}`;
}

function wrongValue(issue: z.core.$ZodIssue, found: unknown): string {
  const name = issue.path.length === 0 ? "the file" : `\`${issue.path.map(String).join(".")}\``;
  const value = issue.path.reduce<unknown>((at, key) => childOf(at, key), found);
  const shown = value === undefined ? "" : `, and found ${JSON.stringify(value).slice(0, 60)}`;
  const wants = issue.message
    .replace(/^Invalid (?:input|option|string): ?/u, "")
    .replace(/, received \w+$/u, "");
  return `Wrong value of ${name}: ${wants}${shown}.`;
}

/** The keys the schema knows under this path, for the hint. */
function keysAt(path: Path): readonly string[] {
  let node = z.toJSONSchema(RepoConfig, { io: "input" });
  for (const key of path) {
    const next = node.properties?.[String(key)];
    if (next === undefined || typeof next === "boolean") return [];
    node = next as typeof node;
  }
  return Object.keys(node.properties ?? {});
}

function childOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

/** Takes a wrong part out. A list with a wrong member goes as a whole: half a list is not what was meant. */
function remove(value: unknown, path: Path): void {
  let parent = value;
  for (const [depth, key] of path.entries()) {
    const child = childOf(parent, key);
    if (depth === path.length - 1 || Array.isArray(child)) {
      if (typeof parent === "object" && parent !== null) Reflect.deleteProperty(parent, key);
      return;
    }
    parent = child;
  }
}

/** A key with nothing behind it is as good as absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])),
  );
}

/** The place of a key in the text of a configuration, or of the nearest thing around it. */
export function placeIn(
  text: string | undefined,
  path: Path,
): { readonly line: number; readonly column: number } {
  const lines = new LineCounter();
  const document = parseDocument(text ?? "", { lineCounter: lines });
  // What is no YAML has no places; it is told of anyway.
  return document.errors.length > 0 ? { line: 1, column: 1 } : placeOfPath(document, lines, path);
}

function withoutBadTemplates(
  config: RepoConfig,
  document: Document.Parsed,
  lines: LineCounter,
  report: (path: Path, message: string, line: number) => void,
): RepoConfig {
  const whole = { prompts: { ...config.prompts }, merge: { ...config.merge } };
  for (const [group, key, variables] of templates) {
    const at = whole[group] as Record<string, unknown>;
    const template = at[key];
    const fault = typeof template === "string" ? templateFault(template, variables) : undefined;
    if (fault === undefined) continue;
    report(
      [group, key],
      `Template \`${group}.${key}\`: ${fault.why}`,
      firstLine(document, lines, [group, key]) + fault.row - 1,
    );
    delete at[key];
  }
  return { ...config, ...whole };
}
const templates = [
  ...(["gate", "build", "review", "mediate"] as const).map(
    (role) => ["prompts", role, templateVariables] as const,
  ),
  ...(["title", "body"] as const).map((part) => ["merge", part, mergeVariables] as const),
];

function firstLine(document: Document.Parsed, lines: LineCounter, path: Path): number {
  const node = document.getIn(path, true);
  if (!isScalar(node) || !node.range) return 1;
  const { line } = placeOfOffset(lines, node.range[0]);
  // The text of a block scalar begins on the line after its `|`.
  return node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED" ? line + 1 : line;
}

/** The JSON schema of the file, for editors. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(RepoConfig, { io: "input" }), title: "forgehand configuration" };
}
