import { LineCounter, isMap, isScalar, parseDocument, type Document } from "yaml";
import { z } from "zod";
import {
  asPlain,
  errorsIn,
  takeOutFaults,
  toPlain,
  type Layer,
  type Path,
  type Said,
} from "./config-layer.ts";
import { templateFault } from "./config-template.ts";
import type { ConfigProblem } from "./config.ts";
import { foreignWhy, sections, takenKeys, type Taken } from "./config-workflow-keys.ts";
import { placeOfPath, type Place } from "./yaml-place.ts";

/** Where Symphony keeps its workflow file. */
export const workflowPath = "WORKFLOW.md";

/** A key of a workflow file that has no meaning here, or not all of it. */
export interface WorkflowNote extends Place {
  readonly key: string;
  readonly why: string;
  /** It counts, only otherwise. */
  readonly isTaken?: true;
}
/** A workflow file as a layer of configuration, and what of it was left out. */
export interface WorkflowLayer extends Layer {
  readonly notes: readonly WorkflowNote[];
  /** The keys that were taken, each with the path it went to. */
  readonly taken: readonly { readonly key: Path; readonly path: Path }[];
}

const maxChars = 100_000;
/** Told of one file; each takes its time to find. */
const maxNotes = 100;

interface Parts {
  readonly front: string;
  /** As Symphony takes it: without the white space around it. */
  readonly body: string;
  /** The line its first word stands on. */
  readonly bodyLine: number;
}

/** Front matter and prompt; undefined when the front matter has no end. */
export function partsOf(text: string): Parts | undefined {
  const all = text.replace(/^\uFEFF/u, "");
  const opened = /^---[ \t]*\r?\n/u.exec(all);
  if (opened === null) return bodyFrom(all, "", 0);
  const rest = all.slice(opened[0].length);
  const closed = /^---[ \t]*(?:\r?\n|$)/mu.exec(rest);
  if (closed === null) return undefined;
  return bodyFrom(all, rest.slice(0, closed.index), opened[0].length + closed.index + closed[0].length);
}

function bodyFrom(all: string, front: string, from: number): Parts {
  const rest = all.slice(from);
  const lead = rest.length - rest.trimStart().length;
  const bodyLine = all.slice(0, from + lead).split("\n").length;
  return { front, body: rest.trim(), bodyLine };
}

const opensLikeOne = new RegExp(String.raw`^(?:${sections.join("|")})[ \t]*:`, "mu");

/** Many a repository has a page of this name for people; Symphony's opens with keys of its own. */
export const isWorkflow = (text: string): boolean =>
  /^\uFEFF?---[ \t]*\r?\n/u.test(text) && opensLikeOne.test(partsOf(text)?.front ?? text);

/** Reads a workflow file of Symphony. What does not apply here is told, and is no fault. */
export function readWorkflow(text: string): WorkflowLayer {
  if (text.length > maxChars)
    return unusable([{ line: 1, column: 1, message: `It has over ${maxChars} characters.` }]);
  const parts = partsOf(text);
  if (parts === undefined)
    return unusable([
      { line: 1, column: 1, message: "The front matter has no end: a line `---` closes it." },
    ]);
  const lines = new LineCounter();
  const document = parseDocument(parts.front, { ...asPlain, lineCounter: lines });
  // The line above it is the one that opens it.
  const down = ({ line, column }: Place): Place => ({ line: line + 1, column });
  const errors = errorsIn(document, lines);
  if (errors.length > 0) return unusable(errors.map((one) => ({ ...one, ...down(one) })));
  const { contents } = document;
  if (contents !== null && !isMap(contents) && !(isScalar(contents) && contents.value === null))
    return unusable([{ line: 2, column: 1, message: "The front matter must hold keys with values." }]);
  const placeOf = (key: Path): Place => down(placeOfPath(document, lines, key));
  return asLayer(takeKeys(document, placeOf), parts, placeOf);
}

const unusable = (problems: readonly ConfigProblem[]): WorkflowLayer => ({
  said: {},
  problems,
  notes: [],
  taken: [],
  placeOf: () => ({ line: 1, column: 1 }),
});

interface Found {
  readonly said: Record<string, unknown>;
  readonly problems: ConfigProblem[];
  readonly notes: WorkflowNote[];
  readonly taken: { readonly key: Path; readonly path: Path }[];
}

function takeKeys(document: Document.Parsed, placeOf: (key: Path) => Place): Found {
  const found: Found = { said: {}, problems: [], notes: [], taken: [] };
  const plain = toPlain(document);
  if (plain === undefined) {
    const message = "It nests aliases too deeply, or one of them holds itself.";
    found.problems.push({ line: 2, column: 1, message });
    return found;
  }
  // A map, or nothing.
  for (const [section, inner] of Object.entries((plain ?? {}) as Said)) {
    if (inner === null) continue;
    if (!sections.some((one) => one === section)) {
      note(found, section, () => ({ ...placeOf([section]), why: foreignWhy(section) }));
      continue;
    }
    const keys = z.record(z.string(), z.unknown()).safeParse(inner);
    if (!keys.success) {
      found.problems.push({ ...placeOf([section]), message: `\`${section}\` must hold keys with values.` });
      continue;
    }
    if (section === "codex") {
      put(found.said, ["runtime", "default"], "codex");
      found.taken.push({ key: [section], path: ["runtime", "default"] });
    }
    for (const [name, value] of Object.entries(keys.data))
      if (value !== null) takeKey(found, [section, name], value, placeOf);
  }
  return found;
}

function takeKey(found: Found, key: Path, value: unknown, placeOf: (key: Path) => Place): void {
  const name = key.join(".");
  const known = Object.hasOwn(takenKeys, name) ? takenKeys[name] : undefined;
  if (known === undefined) {
    note(found, name, () => ({ ...placeOf(key), why: foreignWhy(name, value) }));
    return;
  }
  const read: Taken | { readonly wrong: string } = known.read(value);
  if ("wrong" in read) {
    found.problems.push({ ...placeOf(key), message: `Wrong value of \`${name}\`: ${read.wrong}.` });
    return;
  }
  const { note: why } = read;
  if (why !== undefined)
    note(found, name, () => ({
      ...placeOf(key),
      why,
      ...(read.value === undefined ? {} : { isTaken: true as const }),
    }));
  if (read.value === undefined) return;
  put(found.said, known.path, read.value);
  found.taken.push({ key, path: known.path });
}

/** The key may be any text; it is told on one line. */
function note({ notes }: Found, key: string, tell: () => Omit<WorkflowNote, "key">): void {
  if (notes.length < maxNotes)
    notes.push({ key: key.replaceAll(/[\p{C}\s]+/gu, " ").slice(0, 100), ...tell() });
}

function put(said: Record<string, unknown>, path: Path, value: unknown): void {
  let at: Record<string, unknown> = said;
  for (const key of path.slice(0, -1)) {
    at[String(key)] ??= {};
    // Made by the line above, or by an earlier call.
    at = at[String(key)] as Record<string, unknown>;
  }
  at[String(path.at(-1))] = value;
}

function asLayer(found: Found, { body, bodyLine }: Parts, placeOfKey: (key: Path) => Place): WorkflowLayer {
  const { said, problems, notes, taken } = found;
  const fault = body === "" ? undefined : templateFault(body);
  if (fault !== undefined)
    problems.push({ line: bodyLine + fault.row - 1, column: 1, message: `The prompt: ${fault.why}` });
  else if (body !== "") put(said, ["prompts", "build"], body);
  const placeOf = (path: Path): Place => {
    if (path[0] === "prompts") return { line: bodyLine, column: 1 };
    const from = taken.find((one) => path.every((key, depth) => one.path[depth] === key));
    return placeOfKey(from?.key ?? []);
  };
  takeOutFaults(said, (path, message) => problems.push({ ...placeOf(path), message }));
  return {
    said,
    problems: problems.toSorted((one, other) => one.line - other.line || one.column - other.column),
    notes,
    taken,
    placeOf,
  };
}
