/** The four shell commands a repository's configuration may run around our work. */
import { execa } from "execa";
import { Trouble } from "../ports.ts";
import { follow } from "./descendants.ts";
import { enterShell, type Premises } from "./premises.ts";

export type HookKind = "after_create" | "before_run" | "after_run" | "before_remove";

/** Kept of what a failed hook said. */
const tailLength = 2000;

/** Runs one hook with nothing of ours in its environment; fatal kinds throw, the others report. */
export async function runHook(
  kind: HookKind,
  command: string | undefined,
  at: {
    readonly path: string;
    readonly home: string;
    readonly searchPath: string;
    readonly timeoutMs: number;
    readonly premises?: Premises | undefined;
  },
  signal?: AbortSignal,
): Promise<{ readonly failed: string | undefined }> {
  if (command === undefined || command.trim() === "") return { failed: undefined };
  // One hook of a kind runs in a worktree at a time, so this names its processes and no others.
  const mark = `hook-${kind}-${at.path}`;
  const env = {
    PATH: at.searchPath,
    HOME: at.home,
    LC_ALL: "C.UTF-8",
    CI: "true",
    TERM: "dumb",
    RUN_ID: mark,
  };
  const entered = await enterShell(at.premises, { command, cwd: at.path, home: at.home, env, runId: mark });
  const { order } = entered;
  const running = execa(order.file, [...order.args], {
    cwd: order.cwd,
    env: order.env,
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
  const followed = follow({ pid: running.nodeChildProcess.pid, runId: mark, folder: at.path });
  const done = await running;
  // A child may have left the tree.
  await followed.end();
  followed.leave();
  await entered.leave();
  signal?.throwIfAborted();
  if (!done.failed) return { failed: undefined };
  const how = done.timedOut
    ? `ran longer than ${at.timeoutMs} ms`
    : `ended with ${done.exitCode ?? done.signal ?? done.code}`;
  const failed = `Hook ${kind} ${how}: ${done.all.slice(-tailLength)}`;
  if (kind === "after_create" || kind === "before_run")
    throw new Trouble("hook-failed", failed, { permanent: true });
  return { failed };
}
