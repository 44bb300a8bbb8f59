/** What pages of runs need of this machine: the engine's rows, logs of what was said, workflow files, and kept files. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { logPath, runLogFolder } from "./adapters/logs/log-paths.ts";
import { readLogPiece } from "./adapters/logs/log-piece.ts";
import { isDead } from "./adapters/owner.ts";
import { loadText, loadWorkflow, readDefinition } from "./adapters/workflows/file.ts";
import { definitionOf, type AnyWorkflow, type RunRow, type Snapshots } from "./engine/index.ts";
import type { RunDesk } from "./shell/pages/run-desk.ts";
import type { Sql } from "./sql.ts";

export interface RunDeskOptions {
  readonly sql: Sql;
  readonly database: string;
  /** The workflows of tickets, by name. */
  readonly workflowNamed: (name: string) => AnyWorkflow | undefined;
  readonly snapshots: Snapshots;
  /** Ends what a dead owner may have left at work. */
  readonly sweep: (runs: readonly string[]) => Promise<unknown>;
  readonly poke: () => void;
  /** A comparison of files is given up after so long. */
  readonly patienceMs?: number;
}

/** Loaded once a version; so many of them. */
const mostLoaded = 50;
const patienceMs = 10_000;

export function openRunDesk(options: RunDeskOptions): RunDesk {
  const { sql, database, workflowNamed, snapshots, sweep, poke } = options;
  const loaded = new Map<string, AnyWorkflow>();
  const keep = (hash: string, workflow: AnyWorkflow): AnyWorkflow => {
    const [oldest] = loaded.keys();
    if (loaded.size >= mostLoaded && oldest !== undefined) loaded.delete(oldest);
    loaded.set(hash, workflow);
    return workflow;
  };
  const fromFile = async (row: RunRow, source: string): Promise<AnyWorkflow> => {
    const kept = await sql.read(() => definitionOf(row.id));
    if (kept === undefined) return await loadWorkflow(source);
    return loaded.get(kept.hash) ?? keep(kept.hash, await loadText(source, kept.text));
  };
  return {
    sql,
    readLog: readLogPiece,
    logOf: ({ run, leaf, iteration, attempt }) =>
      logPath(runLogFolder(database, run), `${run}/${leaf}@${iteration}#${attempt}`),
    workflowOf: async (row) => {
      const found = row.source === undefined ? workflowNamed(row.workflow) : await fromFile(row, row.source);
      if (found === undefined) throw new Error(`no workflow here is called "${row.workflow}"`);
      return found;
    },
    loadFile: async (source) => ({
      workflow: await loadWorkflow(source),
      definition: readDefinition(source),
    }),
    travel: { snapshots, host: hostname(), isDead, sweep },
    diff: (folder, from, to) => patiently(snapshots.diff(folder, from, to), options.patienceMs ?? patienceMs),
    newName: (workflow) => `${workflow}-${randomBytes(3).toString("hex")}`,
    poke,
  };
}

/** A page waits no longer than this; git goes on and ends by itself. */
async function patiently(happens: Promise<string>, ms: number): Promise<string> {
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_resolve, reject) => {
    late = setTimeout(
      () => reject(new Error("that takes too long here; `forgehand workflow diff` shows it")),
      ms,
    );
  });
  return await Promise.race([happens, patience]).finally(() => clearTimeout(late));
}
