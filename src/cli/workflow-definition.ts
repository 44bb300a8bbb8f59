/** What a run's file says now against what it said when the run last went on, and whether that may go on. */
import { createTwoFilesPatch } from "diff";
import {
  attemptsOf,
  definitionOf,
  differenceOf,
  keepDefinition,
  type AnyWorkflow,
  type Attempt,
  type Change,
  type Definition,
  type RunRow,
} from "../engine/index.ts";
import type { Sql } from "../sql.ts";
import { plain } from "./output.ts";
import { loadText, readDefinition } from "../adapters/workflows/file.ts";

/** An edit between two moments of a run. */
export interface Edit {
  readonly before: Definition;
  readonly after: Definition;
  readonly changes: readonly Change[];
  /** Files beside it that changed; what they did before is not known. */
  readonly imports: readonly string[];
  /** Whether more than comments differs in the file itself. */
  readonly code: "same" | "changed";
}

/** What was edited since the run last went on; undefined when nothing was, or when nobody kept what it was. */
export async function editOf(sql: Sql, row: RunRow, workflow: AnyWorkflow): Promise<Edit | undefined> {
  const before = await sql.read(() => definitionOf(row.id));
  if (before === undefined || row.source === undefined) return undefined;
  const after = readDefinition(row.source);
  if (after.hash === before.hash) return undefined;
  const attempts = await sql.read(() => attemptsOf(row.id));
  const old = await loadText(row.source, before.text).catch(() => undefined);
  const changes = old === undefined ? [] : changesOf(old, workflow, row.input, attempts);
  const names = new Set([...Object.keys(before.imports), ...Object.keys(after.imports)]);
  const imports = [...names].filter((name) => before.imports[name] !== after.imports[name]);
  const { codeOf } = await import("../adapters/workflows/code.ts");
  const code = codeOf(row.source, before.text) === codeOf(row.source, after.text) ? "same" : "changed";
  return { before, after, changes, imports, code };
}

/** Task by task; none where what it was renders no more, while what it is does. */
function changesOf(
  old: AnyWorkflow,
  fresh: AnyWorkflow,
  ...of: [unknown, readonly Attempt[]]
): readonly Change[] {
  try {
    return differenceOf(old, fresh, ...of);
  } catch {
    return differenceOf(fresh, fresh, ...of);
  }
}

/**
 * Nothing that the run does differs: the edit is in comments. Tasks alone do not tell: what they call, and what is not
 * rendered yet, may differ too.
 */
export const isHarmless = ({ changes, imports, code }: Edit): boolean =>
  changes.length === 0 && imports.length === 0 && code === "same";

/** The run goes on with its file as it is now. */
export const accept = async (sql: Sql, run: string, definition: Definition): Promise<void> =>
  await sql.commit(() => keepDefinition(run, definition));

/** The difference, task by task, for people. */
export function editText({ before: old, after: fresh, changes, imports, code }: Edit): string {
  const lines = changes.map(({ leaf, is, state, parts }) => {
    const what = is === "changed" ? parts.map(({ part }) => part).join(", ") : "";
    const means = meaning(is, state);
    const patches = parts.map(({ part, before, after }) => patchOf(`${leaf} ${part}`, before, after));
    return [`${marks[is]} ${leaf}${what === "" ? "" : `: ${what}`} (${means})`, ...patches].join("\n");
  });
  const beside = imports.map((name) => `~ ${name} (imported; what it changes cannot be told task by task)`);
  const whole = code === "same" ? [] : ["~ the file as a whole:", patchOf("the file", old.text, fresh.text)];
  return plain([...lines, ...beside, ...whole].join("\n"));
}
const marks: Readonly<Record<Change["is"], string>> = { added: "+", removed: "-", changed: "~" };

function meaning(is: Change["is"], state: Change["state"]): string {
  if (is === "added") return "will run";
  if (is === "removed") return state === "not begun" ? "never ran" : `${state}; nothing of it is undone`;
  if (state === "finished") return "finished: keeps its output, is not done again";
  if (state === "running") return "at work: ends as it began";
  return state === "not begun" ? "not begun: the new one will run" : `${state}: the new one is next`;
}

const longestPatch = 40;
/** The lines that differ, indented under their task. */
function patchOf(name: string, before: string, after: string): string {
  const patch = createTwoFilesPatch(name, name, before, after, undefined, undefined, { context: 1 });
  const lines = patch
    .split("\n")
    .slice(4)
    .filter((line) => !line.startsWith("\\") && line !== "");
  const more = lines.length - longestPatch;
  return [...lines.slice(0, longestPatch), ...(more > 0 ? [`… and ${more} lines more`] : [])]
    .map((line) => `    ${line}`)
    .join("\n");
}
