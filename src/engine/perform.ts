import type { Sql } from "../sql.ts";
import { cachedOutput, type Keep, type SaidLine } from "./attempts.ts";
import { outputFor, type Ended } from "./ends.ts";
import type { Files } from "./files.ts";
import type { Given } from "./given.ts";
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
  /** What a replay takes instead of working. */
  readonly given: Given | undefined;
  readonly files: Files;
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
  const given = bench.given?.to(task, at.iteration);
  if (given !== undefined) return given;
  const keep = keepOf(bench.row, task, at.iteration);
  const since = task.cache?.ttlMs === undefined ? 0 : bench.now() - task.cache.ttlMs;
  const cached = keep && (await bench.read(() => cachedOutput(keep, since)));
  // A cached output of an older shape is as good as none.
  if (cached !== undefined && task.output.safeParse(cached.output).success) return { output: cached.output };
  if (task.worktree !== undefined) await requireWorktree(bench, task, at.iteration);
  const step = stepOf(bench, task, at);
  const files = await bench.files.begin(task, step, at.seq);
  const output = outputFor(task.id, task.output, await task.perform(step));
  return { output, keep, ...(await files?.end()) };
}

/** Under what an output is kept: the task's own name and its key, for those who share it. */
function keepOf(row: RunRow, { id, cache }: TaskNode, iteration: string): Keep | undefined {
  if (cache === undefined) return undefined;
  const scopes = { run: `run:${row.id}`, workflow: `workflow:${row.workflow}`, global: "global" };
  const own = id.slice(id.lastIndexOf("/") + 1);
  const inner = cache.loops === 0 ? "" : `@${iteration.split(".").slice(-cache.loops).join(".")}`;
  return {
    scope: scopes[cache.scope],
    key: `${own}${inner} ${JSON.stringify(cache.key)}`,
    ttlMs: cache.ttlMs,
  };
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
    memoryOf: (leaf) => memoryNear(rows, leaf, iteration),
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

/** What a leaf remembered in this iteration or the nearest around it; else in whichever it last finished. */
function memoryNear(rows: Rows, leaf: string, iteration: string): unknown {
  for (let around = iteration; ; around = around.slice(0, Math.max(0, around.lastIndexOf(".")))) {
    const memory = rows.memoryOf(leaf, around);
    if (memory !== undefined) return memory;
    if (around === "") return rows.latestOf(leaf)?.memory;
  }
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
    `the worktree "${name}" of "${task.id}" is gone: ${path}. \`forgehand retry ${bench.row.id}\` makes it again from its branch, without what was not committed; \`forgehand workflow rewind\` goes back to files that were kept.`,
  );
}

const permanent = (text: string): Error => Object.assign(new Error(text), { permanent: true });
