import { execa } from "execa";
import type { Clock } from "../../ports.ts";
import type { Place } from "../../ports-agents.ts";
import { tail, type ProcessOrder } from "./agent-process.ts";
import { follow } from "./descendants.ts";
import { enterShell, type Premises } from "../sandboxes/premises.ts";
import { watchResources } from "../sandboxes/resource-watch.ts";

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

/** The same with its streams apart, and the signal that ended it. */
type ShellEnd = Omit<CommandResult, "tail"> & {
  readonly signal: string | undefined;
} & Readonly<Record<"stdout" | "stderr" | "all", string>>;

/** Who runs it, and where. */
export interface CommandHost {
  readonly searchPath: string;
  readonly home: string;
  /** On this host as it is when left out. */
  readonly premises?: Premises | undefined;
  /** By which the limits of the premises are watched. */
  readonly clock?: Clock | undefined;
}
const tailLength = 8_000;

/**
 * Runs it in a shell with nothing of ours in its environment: the change under test is somebody else's code. Whatever
 * it leaves behind is found and ended.
 */
export async function runCommand(
  order: CommandOrder,
  host: CommandHost,
  signal: AbortSignal,
): Promise<CommandResult> {
  const { exit, timedOut, all } = await runInShell({ ...order, tailBytes: tailLength }, host, signal);
  signal.throwIfAborted();
  return { exit, timedOut, tail: all };
}

/** The same, its streams apart too; one that was aborted has ended like any other. */
export async function runInShell(
  order: CommandOrder & {
    /** Kept of each stream. */
    readonly tailBytes: number;
    readonly place?: Place;
  },
  host: CommandHost,
  signal: AbortSignal,
): Promise<ShellEnd> {
  const env = {
    PATH: host.searchPath,
    HOME: host.home,
    LC_ALL: "C.UTF-8",
    CI: "true",
    TERM: "dumb",
  };
  const entered = await enterShell(host.premises, { ...order, home: host.home, env });
  try {
    return await runEntered(order, entered.order, host.clock, signal);
  } finally {
    await entered.leave();
  }
}

async function runEntered(
  order: Parameters<typeof runInShell>[0],
  { file, args, cwd, env, allowance }: ProcessOrder,
  clock: Clock | undefined,
  signal: AbortSignal,
): Promise<ShellEnd> {
  const [over, ended] = [new AbortController(), new AbortController()];
  const running = execa(file, [...args], {
    cwd,
    env,
    extendEnv: false,
    stdin: "ignore",
    // However much it writes, only the end is kept, and nothing is ended for it.
    buffer: false,
    timeout: order.timeoutMs,
    killDescendants: true,
    forceKillAfterDelay: 3_000,
    reject: false,
    cancelSignal: AbortSignal.any([signal, over.signal]),
  });
  const kept = { stdout: tail(order.tailBytes), stderr: tail(order.tailBytes), all: tail(order.tailBytes) };
  for (const name of ["stdout", "stderr"] as const)
    running[name].on("data", (bytes: Buffer) => {
      kept[name].push(bytes);
      kept.all.push(bytes);
    });
  const followed = follow({
    pid: running.nodeChildProcess.pid,
    runId: order.runId,
    folder: order.place === "shared" ? undefined : order.cwd,
  });
  if (allowance !== undefined && clock !== undefined)
    void watchResources(allowance, followed.members, clock, ended.signal).then((exceeded) => {
      if (exceeded === undefined) return;
      kept.all.push(Buffer.from(`\nIt was ended: it passed the limit of ${exceeded} that this host sets.\n`));
      over.abort();
    });
  // A child that left the tree may hold our pipe: it is ended as soon as the shell has, not when it likes.
  running.nodeChildProcess.once("exit", () => void followed.end());
  const done = await running;
  ended.abort();
  await followed.end();
  followed.leave();
  const textOf = (name: keyof typeof kept): string => kept[name].text().replace(/^\uFFFD+/u, "");
  return {
    exit: done.exitCode,
    signal: done.signal,
    timedOut: done.timedOut,
    stdout: textOf("stdout"),
    stderr: textOf("stderr"),
    all: textOf("all"),
  };
}
