/** The four shell commands a repository's configuration may run around our work. */
import { execa } from "execa";
import { Trouble } from "../ports.ts";

export type HookKind = "after_create" | "before_run" | "after_run" | "before_remove";

/** Runs one hook with nothing of ours in its environment; fatal kinds throw, the others report. */
export async function runHook(
  kind: HookKind,
  command: string | undefined,
  at: { readonly path: string; readonly searchPath: string; readonly timeoutMs: number },
  signal?: AbortSignal,
): Promise<{ readonly failed: string | undefined }> {
  if (command === undefined || command.trim() === "") return { failed: undefined };
  const done = await execa("/bin/sh", ["-c", command], {
    cwd: at.path,
    env: { PATH: at.searchPath, HOME: at.path, LC_ALL: "C" },
    extendEnv: false,
    stdin: "ignore",
    all: true,
    timeout: at.timeoutMs,
    killDescendants: true,
    forceKillAfterDelay: 3000,
    reject: false,
    maxBuffer: 4 * 1024 * 1024,
    ...(signal ? { cancelSignal: signal } : {}),
  });
  signal?.throwIfAborted();
  if (!done.failed) return { failed: undefined };
  const failed = `Hook ${kind} ${done.timedOut ? `ran longer than ${at.timeoutMs} ms` : `ended with ${done.exitCode ?? done.signal}`}: ${done.all.slice(-2000)}`;
  if (kind === "after_create" || kind === "before_run")
    throw new Trouble("hook-failed", failed, { permanent: true });
  return { failed };
}
