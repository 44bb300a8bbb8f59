/** The four shell commands a repository's configuration may run around our work. */
import { Trouble } from "../../ports.ts";
import { runInShell, type CommandHost } from "../processes/command.ts";

export type HookKind = "after_create" | "before_run" | "after_run" | "before_remove";

/** Kept of what a failed hook said. */
const tailLength = 2000;
const never = new AbortController().signal;

/** Runs one hook with nothing of ours in its environment; fatal kinds throw, the others report. */
export async function runHook(
  kind: HookKind,
  command: string | undefined,
  at: CommandHost & { readonly path: string; readonly timeoutMs: number },
  signal?: AbortSignal,
): Promise<{ readonly failed: string | undefined }> {
  if (command === undefined || command.trim() === "") return { failed: undefined };
  // One hook of a kind runs in a worktree at a time, so this names its processes and no others.
  const mark = `hook-${kind}-${at.path}`;
  const order = { command, cwd: at.path, timeoutMs: at.timeoutMs, runId: mark, tailBytes: tailLength };
  const { exit, signal: ender, timedOut, all } = await runInShell(order, at, signal ?? never);
  signal?.throwIfAborted();
  if (exit === 0) return { failed: undefined };
  const how = timedOut
    ? `ran longer than ${at.timeoutMs} ms`
    : `ended with ${exit ?? ender ?? "no start at all"}`;
  const failed = `Hook ${kind} ${how}: ${all.trimEnd()}`;
  if (kind === "after_create" || kind === "before_run")
    throw new Trouble("hook-failed", failed, { permanent: true });
  return { failed };
}
