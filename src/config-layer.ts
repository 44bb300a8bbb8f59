import { LineCounter, isMap, isNode, isScalar, parseDocument, visit } from "yaml";
import type { Document } from "yaml";
import { z } from "zod";
import type { ConfigProblem } from "./config.ts";
import { mergeVariables, RepoConfig, templateVariables } from "./config-schema.ts";
import { templateFault } from "./config-template.ts";
import { nearest } from "./nearest.ts";
import { placeOfOffset, placeOfPath, type Place } from "./yaml-place.ts";

export type Path = readonly PropertyKey[];
/** Keys and values of one file, as somebody wrote them. */
export type Said = Readonly<Record<string, unknown>>;

/** One file of configuration by itself: what is right of it, and everything that is wrong. */
export interface Layer {
  readonly said: Said;
  readonly problems: readonly ConfigProblem[];
  /** Where it says this, or the nearest thing around it. */
  placeOf(path: Path): Place;
}
const maxBytes = 256 * 1024;
/** Told of one file; each takes its time to find, and nobody reads more. */
const maxTold = 100;
const start = { line: 1, column: 1 };

/** Reads one file of configuration. A wrong part is reported with its place and taken out; the rest counts. */
export function readLayer(text: string | undefined): Layer {
  const nothing = (problems: readonly ConfigProblem[]): Layer => ({
    said: {},
    problems,
    placeOf: () => start,
  });
  const broken = (why: string): Layer => nothing([{ ...start, message: `Unusable: ${why}.` }]);
  if (text === undefined || text.trim() === "") return nothing([]);
  if (text.length > maxBytes) return broken(`the file is over ${maxBytes / 1024} KiB`);
  const lines = new LineCounter();
  const document = parseDocument(text, { ...asPlain, lineCounter: lines });
  const errors = errorsIn(document, lines);
  if (errors.length > 0) return nothing(errors);
  const found = toPlain(document);
  if (found === undefined) return broken("the file nests aliases too deeply, or one of them holds itself");
  if (found === null) return nothing([]);
  if (!isMap(document.contents)) return broken("the file must hold keys with values, such as `version: 1`");
  // A map has text as keys by now.
  const said = withoutNulls(found) as Record<string, unknown>;
  const problems: ConfigProblem[] = [];
  const placeOf = (path: Path): Place => placeOfPath(document, lines, path);
  let untold = 0;
  const isListable = takeOutFaults(said, (path, message) => {
    if (problems.length < maxTold) problems.push({ ...placeOf(path), message });
    else untold += 1;
  });
  if (!isListable) return broken("more is wrong than can be listed");
  if (untold > 0) problems.push({ ...lastOf(problems), message: `And ${untold} more parts are wrong.` });
  for (const { path, fault } of badTemplates(said)) {
    const line = firstLine(document, lines, path) + fault.row - 1;
    problems.push({ line, column: 1, message: `Template \`${path.join(".")}\`: ${fault.why}` });
    remove(said, path);
  }
  return { said, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column), placeOf };
}

/** One way to read YAML: no merging, no types but its own, no word to the terminal. */
export const asPlain = {
  // Looked for below: the library compares each key with each, which takes minutes for a file made of keys.
  uniqueKeys: false,
  merge: false,
  resolveKnownTags: false,
  logLevel: "error",
} as const;

/** What keeps a text from being YAML, each at its place. */
export function errorsIn(document: Document.Parsed, lines: LineCounter): readonly ConfigProblem[] {
  if (document.errors.length > 0)
    return document.errors.slice(0, maxTold).map((error) => ({
      ...placeOfOffset(lines, error.pos[0]),
      message: `This is no YAML: ${error.message.split("\n", 1)[0] ?? "unreadable"}`,
    }));
  const found: ConfigProblem[] = [];
  const tell = (node: unknown, why: string): void => {
    if (found.length >= maxTold) return;
    const place = isNode(node) && node.range ? placeOfOffset(lines, node.range[0]) : start;
    found.push({ ...place, message: `This is no YAML: ${why}` });
  };
  const anchors = new Set<string | undefined>();
  visit(document, {
    Value: (_, node) => {
      anchors.add(node.anchor);
      if (!isMap(node)) return;
      const seen = new Set<string>();
      for (const { key } of node.items) {
        const name = String(isScalar(key) ? key.value : key);
        if (seen.has(name)) tell(key, "Map keys must be unique");
        seen.add(name);
      }
    },
    Alias: (_, node) => {
      if (!anchors.has(node.source))
        tell(node, "An alias of nothing; a value that begins with `*`, such as a glob, stands in quotes");
    },
  });
  return found;
}

/** What it holds; undefined when aliases make more of it than there is, or go round in a circle. */
export function toPlain(document: Document.Parsed): unknown {
  try {
    const found: unknown = document.toJS({ maxAliasCount: 50 });
    // Throws for what holds itself.
    JSON.stringify(found);
    return found;
  } catch {
    return undefined;
  }
}

const lastOf = (problems: readonly ConfigProblem[]): Place => {
  const { line, column } = problems.at(-1) ?? start;
  return { line, column };
};

/** At most as many rounds as a file can have wrong parts: each takes at least one away. */
const maxRounds = 500;

/** Reports every wrong part and takes it out, until what is left is sound; false when that has no end. */
export function takeOutFaults(said: Said, report: (path: Path, message: string) => void): boolean {
  for (let round = 0; round < maxRounds; round += 1) {
    const parsed = RepoConfig.safeParse(said);
    if (parsed.success) return true;
    // Every report comes before the first removal, so that each still finds its value and place.
    const wrong = parsed.error.issues.flatMap((issue) => faultsOf(issue, said));
    for (const { path, message } of wrong) report(path, message);
    for (const { path } of wrong) remove(said, path);
  }
  return false;
}

function faultsOf(issue: z.core.$ZodIssue, found: unknown): readonly { path: Path; message: string }[] {
  return issue.code === "unrecognized_keys"
    ? issue.keys.map((key) => ({ path: [...issue.path, key], message: unknownKey(issue.path, key) }))
    : [{ path: issue.path, message: wrongValue(issue, found) }];
}

function unknownKey(path: Path, key: string): string {
  const known = keysAt(path);
  const meant = nearest(key, known);
  const name = shownName([...path, key]);
  const hint =
    meant === undefined
      ? `Known here: ${known.map((one) => `\`${one}\``).join(", ")}.`
      : `Did you mean \`${meant}\`?`;
  return `Unknown key \`${name}\`. ${hint}`;
}

/** A key may be any text. */
const shownName = (path: Path): string => {
  const name = path
    .map(String)
    .join(".")
    .replaceAll(/[\p{C}\s`]+/gu, " ");
  return name.length > 100 ? `${name.slice(0, 99)}…` : name;
};

function wrongValue(issue: z.core.$ZodIssue, found: unknown): string {
  const name = issue.path.length === 0 ? "the file" : `\`${shownName(issue.path)}\``;
  const value = valueAt(found, issue.path);
  const shown = value === undefined ? "" : `, and found ${JSON.stringify(value).slice(0, 60)}`;
  const wants = issue.message
    .replace(/^Invalid (?:input|option|string): ?/u, "")
    .replace(/, received \w+$/u, "");
  return `Wrong value of ${name}: ${wants}${shown}.`;
}

const schemaOf = () => z.toJSONSchema(RepoConfig, { io: "input" });
/** It takes its time to make. */
let schema: ReturnType<typeof schemaOf> | undefined;

/** The keys the schema knows under this path, for the hint. */
function keysAt(path: Path): readonly string[] {
  schema ??= schemaOf();
  let node = schema;
  for (const key of path) {
    const next = node.properties?.[String(key)];
    if (next === undefined || typeof next === "boolean") return [];
    node = next as typeof node;
  }
  return Object.keys(node.properties ?? {});
}

const childOf = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;

/** What stands under a path; undefined when nothing does. */
export const valueAt = (said: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => childOf(at, key), said);

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

const templates = [
  ...(["gate", "build", "review", "mediate"] as const).map(
    (role) => [["prompts", role], templateVariables] as const,
  ),
  ...(["title", "body"] as const).map((part) => [["merge", part], mergeVariables] as const),
];

const badTemplates = (said: Said) =>
  templates.flatMap(([path, variables]) => {
    const text = valueAt(said, path);
    const fault = typeof text === "string" ? templateFault(text, variables) : undefined;
    return fault === undefined ? [] : [{ path: [...path] as readonly string[], fault }];
  });

function firstLine(document: Document.Parsed, lines: LineCounter, path: Path): number {
  const node = document.getIn(path, true);
  if (!isScalar(node) || !node.range) return 1;
  const { line } = placeOfOffset(lines, node.range[0]);
  // The text of a block scalar begins on the line after its `|`.
  return node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED" ? line + 1 : line;
}
