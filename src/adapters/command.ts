import { execa } from "execa";
import { follow } from "./descendants.ts";

/** A repository's own command, such as its tests. */
export interface CommandOrder {
  readonly command: string;
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly runId: string;
}
export interface CommandResult {
  /** Undefined when a signal ended it. */
  readonly exit: number | undefined;
  readonly timedOut: boolean;
  /** The end of stdout and stderr as they came. */
  readonly tail: string;
}

const tailLength = 8_000;
const maxOutput = 32 * 1024 * 1024;

/**
 * Runs it in a shell with nothing of ours in its environment: the change under test is somebody else's code. Whatever
 * it leaves behind is found and ended.
 */
export async function runCommand(
  order: CommandOrder,
  host: { readonly searchPath: string; readonly home: string },
  signal: AbortSignal,
): Promise<CommandResult> {
  const running = execa("/bin/sh", ["-c", order.command], {
    cwd: order.cwd,
    env: {
      PATH: host.searchPath,
      HOME: host.home,
      LC_ALL: "C.UTF-8",
      CI: "true",
      TERM: "dumb",
      RUN_ID: order.runId,
    },
    extendEnv: false,
    stdin: "ignore",
    all: true,
    timeout: order.timeoutMs,
    killDescendants: true,
    forceKillAfterDelay: 3_000,
    reject: false,
    maxBuffer: maxOutput,
    cancelSignal: signal,
  });
  const followed = follow({ pid: running.nodeChildProcess.pid, runId: order.runId, folder: order.cwd });
  // A child that left the tree may hold our pipe: it is ended as soon as the shell has, not when it likes.
  running.nodeChildProcess.once("exit", () => void followed.end());
  const done = await running;
  await followed.end();
  followed.leave();
  signal.throwIfAborted();
  return { exit: done.exitCode, timedOut: done.timedOut, tail: done.all.slice(-tailLength) };
}
