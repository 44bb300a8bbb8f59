import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { OwnTool } from "../../../ports-agents.ts";
import type { PermissionRequest, ToolCall } from "./messages.ts";
import type { Permitted } from "../tools.ts";

/** What is answered to an agent that asks for leave. */
export interface Leave {
  readonly granted: "yes" | "no";
  readonly why: string;
  /** As the protocol spells it. */
  readonly outcome:
    | { readonly outcome: "selected"; readonly optionId: string }
    | { readonly outcome: "cancelled" };
}

/** Our words for the protocol's; whatever is not among them is told apart below. */
const kinds: Readonly<Record<string, OwnTool>> = {
  read: "read",
  search: "search",
  edit: "edit",
  delete: "edit",
  move: "edit",
  execute: "shell",
};
/** Fields of a tool's input that hold a path, or a list of them. */
const pathField = /(?:^|_)(?:(?:path|file|dir|workdir|cwd|filename|destination)s?|director(?:y|ies))$/iu;

/** What an order lets its agent do, and where. */
export interface Bounds {
  readonly cwd: string;
  readonly permitted: Permitted;
}

/**
 * May the agent do what it asks for? It may what its order permits, inside the worktree alone. Leave is given once, never
 * for good: what an agent remembers outlives the order.
 */
export function judgePermission(request: PermissionRequest, bounds: Bounds): Leave {
  const why = whyNot(request.toolCall, bounds);
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

function whyNot(call: ToolCall, { cwd, permitted }: Bounds): string | undefined {
  const kind = call.kind ?? "other";
  const paths = pathsOf(call);
  const outside = paths.find((path) => !isInside(path, cwd));
  if (outside !== undefined) return `${outside} is outside the worktree`;
  if (kind === "think") return undefined;
  const tool = kinds[kind];
  if (tool === undefined) return isOpen(call, kind, permitted) ? undefined : notPermitted(kind);
  if (!permitted.own.has(tool)) return notPermitted(kind);
  if (tool !== "edit") return undefined;
  if (paths.length === 0) return "it names no file";
  const git = paths.find((path) => insideOf(path, cwd).split(sep).some(isGit));
  return git === undefined ? undefined : `${git} belongs to git`;
}

/** Something of its own may be whoever may run commands, too; a call of a server of the order's, whoever was given it. */
function isOpen(call: ToolCall, kind: string, { own, servers }: Permitted): boolean {
  if (kind !== "other") return false;
  const names = [call.name, call.title].map((name) => name?.toLowerCase() ?? "");
  return own.has("shell") || servers.some(({ server }) => names.some((name) => name.includes(server.name)));
}

const notPermitted = (kind: string): string => `this order permits no ${kindInWords(kind)}`;

/** Every spelling: a file system may not tell them apart. */
const isGit = (step: string): boolean => step.toLowerCase() === ".git";

function kindInWords(kind: string): string {
  if (kinds[kind] === "edit") return "change of files";
  if (kind === "execute") return "command";
  if (kind === "fetch") return "look at the network";
  return kind === "switch_mode" ? "other mode" : `tool of the kind \`${kind}\``;
}

/** Every path that the request names, wherever it names it. */
function pathsOf({ locations, content, rawInput }: ToolCall): readonly string[] {
  const named = [...(locations ?? []), ...(content ?? [])].flatMap(({ path }) => path ?? []);
  const input = typeof rawInput === "object" && rawInput !== null ? Object.entries(rawInput) : [];
  const given = input.flatMap(([name, value]: [string, unknown]) =>
    pathField.test(name.replaceAll(/([a-z])([A-Z])/gu, "$1_$2"))
      ? [value].flat().filter((one) => typeof one === "string")
      : [],
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
