import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { WorkOrder } from "../ports.ts";
import type { PermissionRequest, ToolCall } from "./acp-messages.ts";

/** What is answered to an agent that asks for leave. */
export interface Leave {
  readonly granted: "yes" | "no";
  readonly why: string;
  /** As the protocol spells it. */
  readonly outcome:
    | { readonly outcome: "selected"; readonly optionId: string }
    | { readonly outcome: "cancelled" };
}

const looking: ReadonlySet<string> = new Set(["read", "search", "think"]);
const changing: ReadonlySet<string> = new Set(["edit", "delete", "move"]);
/** Fields of a tool's input that hold a path. */
const pathField = /(?:^|_)(?:path|file|dir|workdir|directory|cwd|filename|destination)$/iu;

/**
 * May the agent do what it asks for? A reader looks inside the worktree and does nothing else; a writer changes files
 * inside it and runs commands there. Leave is given once, never for good: what an agent remembers outlives the order.
 */
export function judgePermission(request: PermissionRequest, order: Pick<WorkOrder, "access" | "cwd">): Leave {
  const why = whyNot(request.toolCall, order);
  const allowed = request.options.find(({ kind }) => kind === "allow_once");
  if (why === undefined && allowed !== undefined)
    return { granted: "yes", why: "inside the worktree", outcome: selected(allowed.optionId) };
  const refused = request.options.find(({ kind }) => kind === "reject_once");
  return {
    granted: "no",
    why: why ?? "the agent offers leave for good only",
    // Without a way to refuse once, the whole turn is refused rather than anything remembered.
    outcome: refused === undefined ? { outcome: "cancelled" } : selected(refused.optionId),
  };
}
const selected = (optionId: string) => ({ outcome: "selected", optionId }) as const;

function whyNot(call: ToolCall, { access, cwd }: Pick<WorkOrder, "access" | "cwd">): string | undefined {
  const kind = call.kind ?? "other";
  const paths = pathsOf(call);
  const outside = paths.find((path) => !isInside(path, cwd));
  if (outside !== undefined) return `${outside} is outside the worktree`;
  if (looking.has(kind)) return undefined;
  if (access === "read") return `this order only reads, and this is ${kindInWords(kind)}`;
  if (changing.has(kind)) {
    if (paths.length === 0) return "it names no file";
    const git = paths.find((path) => insideOf(path, cwd).split(sep).some(isGit));
    return git === undefined ? undefined : `${git} belongs to git`;
  }
  return kind === "execute" || kind === "other" ? undefined : `nobody allows ${kindInWords(kind)}`;
}

/** Every spelling: a file system may not tell them apart. */
const isGit = (step: string): boolean => step.toLowerCase() === ".git";

function kindInWords(kind: string): string {
  if (changing.has(kind)) return "a change of files";
  if (kind === "execute") return "a command";
  if (kind === "fetch") return "a look at the network";
  return kind === "switch_mode" ? "another mode" : "something of its own";
}

/** Every path that the request names, wherever it names it. */
function pathsOf({ locations, content, rawInput }: ToolCall): readonly string[] {
  const named = [...(locations ?? []), ...(content ?? [])].flatMap(({ path }) => path ?? []);
  const input = typeof rawInput === "object" && rawInput !== null ? Object.entries(rawInput) : [];
  const given = input.flatMap(([name, value]: [string, unknown]) =>
    typeof value === "string" && pathField.test(name.replaceAll(/([a-z])([A-Z])/gu, "$1_$2")) ? [value] : [],
  );
  return [...named, ...given];
}

/** Inside the folder, links followed; a file that does not exist yet counts by the folders that do. */
function isInside(path: string, folder: string): boolean {
  const within = insideOf(path, folder);
  return within !== ".." && !within.startsWith(`..${sep}`) && !isAbsolute(within);
}
const insideOf = (path: string, folder: string): string =>
  relative(followed(folder), followed(resolve(folder, path)));

function followed(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(followed(above), basename(path));
  }
}
