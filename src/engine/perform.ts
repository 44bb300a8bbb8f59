import type { Sql } from "../sql.ts";
import { cachedOutput, type Keep, type SaidLine } from "./attempts.ts";
import { outputFor, type Ended } from "./ends.ts";
import type { Host } from "./host.ts";
import type { Json, Step, TaskNode } from "./node.ts";
import { type Rows } from "./rows.ts";
import type { RunRow } from "./store.ts";

/** What performing a task needs of the run around it. */
export interface Bench {
  readonly row: RunRow;
  readonly rows: Rows;
  readonly host: Host | undefined;
  readonly now: () => number;
  readonly read: Sql["read"];
  /** Writes down what an attempt remembers. */
  remember(seq: number, memory: Json): Promise<void>;
  /** Writes down a line of a transcript, soon. */
  say(line: SaidLine): void;
}
/** The attempt at hand. */
export interface Try {
  readonly seq: number;
  readonly iteration: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** Works on a task, unless what it gives is known already. Throws what the task throws. */
export async function performTask(bench: Bench, task: TaskNode, at: Try): Promise<Ended["result"]> {
  const keep = keepOf(bench.row, task);
  const since = task.cache?.ttlMs === undefined ? 0 : bench.now() - task.cache.ttlMs;
  const cached = keep && (await bench.read(() => cachedOutput(keep, since)));
  // A cached output of an older shape is as good as none.
  if (cached !== undefined && task.output.safeParse(cached.output).success) return { output: cached.output };
  if (task.worktree !== undefined) await requireWorktree(bench, task, at.iteration);
  const output = outputFor(task.id, task.output, await task.perform(stepOf(bench, task, at)));
  return { output, keep };
}

/** Under what an output is kept: the task's own name and its key, for those who share it. */
function keepOf(row: RunRow, { id, cache }: TaskNode): Keep | undefined {
  if (cache === undefined) return undefined;
  const scopes = { run: `run:${row.id}`, workflow: `workflow:${row.workflow}`, global: "global" };
  const own = id.slice(id.lastIndexOf("/") + 1);
  return { scope: scopes[cache.scope], key: `${own} ${JSON.stringify(cache.key)}` };
}

function stepOf(bench: Bench, task: TaskNode, { seq, iteration, attempt, signal }: Try): Step {
  const { row, rows, host } = bench;
  let lines = 0;
  return {
    run: row.id,
    leaf: task.id,
    iteration,
    attempt,
    key: `${row.id}/${task.id}@${iteration}`,
    signal:
      task.timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(task.timeoutMs)]),
    memory: rows.memoryOf(task.id, iteration),
    remember: (memory) => bench.remember(seq, memory),
    get folder() {
      return folderOf(bench, task, iteration);
    },
    get host() {
      if (host === undefined)
        throw permanent(`"${task.id}" needs agents or a shell, and this engine was opened without a host`);
      return host;
    },
    say: ({ kind, text }) => {
      bench.say({ attempt: seq, n: lines, at: bench.now(), kind, text: host?.redact(text) ?? text });
      lines += 1;
    },
  };
}

/** Where a task's files are. A worktree was opened in the task's own iteration or in one around it. */
function folderOf({ row, rows, host }: Bench, { id, worktree }: TaskNode, iteration: string): string {
  const own = row.folder ?? host?.folder;
  if (worktree === undefined) {
    if (own === undefined) throw permanent(`"${id}" asks for its folder, and this run has none`);
    return own;
  }
  for (let around = iteration; ; around = around.slice(0, Math.max(0, around.lastIndexOf(".")))) {
    const opened = rows.newest(worktree, around);
    if (opened?.status === "finished") return (opened.output as { readonly path: string }).path;
    if (around === "") throw new Error(`the worktree "${worktree}" around "${id}" is not open`);
  }
}

/** Working on in an empty place would look like success. */
async function requireWorktree(bench: Bench, task: TaskNode, iteration: string): Promise<void> {
  const { worktree = "" } = task;
  const path = folderOf(bench, task, iteration);
  if ((await bench.host?.worktrees?.isThere(path)) !== false) return;
  const name = worktree.replace(/\/open$/u, "");
  throw permanent(
    `the worktree "${name}" of "${task.id}" is gone: ${path}. Make it again from its branch with \`forgehand workflow retry ${bench.row.id} ${worktree}\`, or go back with \`forgehand workflow rewind ${bench.row.id}\``,
  );
}

const permanent = (text: string): Error => Object.assign(new Error(text), { permanent: true });
