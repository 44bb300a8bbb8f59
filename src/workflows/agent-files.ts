/** Files that tell an agent how to behave: on a head, they are somebody's words, and none may tell our agents what to do. */
import type { Step } from "../engine/node.ts";
import type { Workspace, Worktree } from "../ports.ts";
import { parseDiff } from "../review/diff.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

const inRoot = [
  ".claude",
  ".codex",
  ".agents",
  ".gemini",
  ".opencode",
  ".pi",
  ".qwen",
  ".github/copilot-instructions.md",
  ".github/instructions",
  ".mcp.json",
  "opencode.json",
  "opencode.jsonc",
  "AGENTS.md",
  "CLAUDE.md",
  "GEMINI.md",
  "QWEN.md",
];
/** Any spelling: a file system may not tell them apart, and the agents look in every folder they work in. */
const named =
  /^(?:\.claude|\.codex|\.agents|\.gemini|\.opencode|\.pi|\.qwen|\.mcp\.json|opencode\.jsonc?|AGENTS(?:\.override|\.local)?\.md|CLAUDE(?:\.local)?\.md|(?:GEMINI|QWEN|copilot-instructions|.+\.instructions)\.md)$/iu;
/** Making a checkout writable for us takes no longer. */
const modeMs = 60_000;

/** The agent configuration that a diff touches, each at its topmost path: `docs/.claude` for all below it. */
export function agentFilesIn(diff: string): readonly string[] {
  const paths = parseDiff(diff).flatMap(({ path, oldPath }) => [path, oldPath]);
  return [...new Set(paths.flatMap((path) => configuring(path) ?? []))];
}

function configuring(path: string): string | undefined {
  const steps = path.split("/");
  const at = steps.findIndex((step) => named.test(step));
  return at === -1 ? undefined : steps.slice(0, at + 1).join("/");
}

/** Puts agent configuration back as it is at the base, unless we delivered exactly this head ourselves. */
export async function restoreForeign(workspace: Workspace, facts: WorkFacts, tree: Worktree): Promise<void> {
  // The remote may be ahead of what we heard: then the worktree already holds what somebody else pushed.
  const isOurs = !facts.headIsForeign && tree.head === (facts.published ?? tree.base);
  if (isOurs) return;
  await workspace.restore(tree, [...new Set([...inRoot, ...agentFilesIn(await workspace.diff(tree))])]);
}

/** Puts these paths of a read-only checkout back as they are at its base. */
export async function restoreCold(
  work: TicketWork,
  tree: Worktree,
  paths: readonly string[],
  step: Pick<Step, "run" | "signal">,
): Promise<void> {
  if (paths.length === 0) return;
  const mode = async (command: string): Promise<void> => {
    await work.command({ command, cwd: tree.path, timeoutMs: modeMs, runId: step.run }, step.signal);
  };
  await mode("chmod -R u+w .");
  await work.workspace.restore(tree, paths);
  await mode("chmod -R a-w .");
}

/** What was written in a checkout whose agent configuration had been put back before. */
export async function writtenSince(
  workspace: Workspace,
  tree: Worktree,
  restored: readonly string[],
): Promise<readonly string[]> {
  const isRestored = (name: string): boolean =>
    restored.some((path) => name === path || name.startsWith(`${path}/`));
  const other = (await workspace.written(tree)).filter((name) => !isRestored(name));
  if (restored.length === 0) return other;
  const below = await workspace.written({ ...tree, head: tree.base });
  return [...other, ...below.filter(isRestored)];
}
