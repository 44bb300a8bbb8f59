/** The workflow files that runs in this process come from: loaded once a version, watched while runs are at work. */
import { watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import type { AnyWorkflow, Definition, Engine, RunRow } from "../engine/index.ts";
import type { Sql } from "../sql.ts";
import { accept, editOf, editText, isHarmless } from "./workflow-definition.ts";
import { loadWorkflow, readDefinition } from "../adapters/workflows/file.ts";

export interface Library {
  /** The workflow a run goes on with; undefined while its file is gone, broken, or edited and not accepted: `why` tells. */
  workflowOf(row: RunRow): Promise<AnyWorkflow | undefined>;
  why(run: string): string | undefined;
  /** Runs at work go on with edits of their files from now on. */
  reloadInto(engine: Engine): void;
  close(): void;
}
/** What one save of an editor stirs up is read once. */
const settleMs = 50;

export function openLibrary(sql: Sql, tell: (line: string) => void): Library {
  const loaded = new Map<string, AnyWorkflow>();
  const held = new Map<string, string>();
  const open = new Map<string, Opened>();
  let engine: Engine | undefined;

  const load = async (source: string, { hash }: Definition): Promise<AnyWorkflow> => {
    const known = loaded.get(hash);
    if (known !== undefined) return known;
    const workflow = await loadWorkflow(source);
    loaded.set(hash, workflow);
    return workflow;
  };
  const hold = (run: string, why: string): undefined => {
    if (held.get(run) !== why) tell(`${run} is held: ${why}`);
    held.set(run, why);
  };
  const workflowOf = async (row: RunRow): Promise<AnyWorkflow | undefined> => {
    if (row.source === undefined) return undefined;
    try {
      const definition = readDefinition(row.source);
      const workflow = await load(row.source, definition);
      if (workflow.name !== row.workflow)
        return hold(
          row.id,
          `${row.source} now holds workflow "${workflow.name}", and it is a run of "${row.workflow}"`,
        );
      const edit = await editOf(sql, row, workflow);
      if (edit !== undefined && !isHarmless(edit))
        return hold(
          row.id,
          `its file was edited; see and accept it: forgehand workflow resume ${row.id} --accept`,
        );
      await accept(sql, row.id, definition);
      held.delete(row.id);
      attend(row, definition);
      return workflow;
    } catch (error) {
      return hold(row.id, error instanceof Error ? error.message : String(error));
    }
  };
  /** Watches the files of a run that is at work. */
  const attend = (row: RunRow, definition: Definition): void => {
    const source = row.source ?? "";
    const known = open.get(source);
    if (known !== undefined) known.runs.set(row.id, row);
    else
      open.set(source, {
        runs: new Map([[row.id, row]]),
        watchers: watchAll(source, definition, reload),
        hash: definition.hash,
      });
  };
  const reload = async (source: string): Promise<void> => {
    const opened = open.get(source);
    if (opened === undefined || engine === undefined) return;
    try {
      const definition = readDefinition(source);
      if (definition.hash === opened.hash) return;
      opened.hash = definition.hash;
      const workflow = await load(source, definition);
      const atWork = new Set(engine.atWork());
      for (const [run, row] of opened.runs) {
        if (!atWork.has(run)) opened.runs.delete(run);
        else
          await goOnWith(engine, row, workflow, definition).catch((error: unknown) =>
            tell(
              `${run}: ${source} goes on as it was: ${error instanceof Error ? error.message : String(error)}`,
            ),
          );
      }
    } catch (error) {
      tell(`${source} goes on as it was: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const goOnWith = async (
    to: Engine,
    row: RunRow,
    workflow: AnyWorkflow,
    definition: Definition,
  ): Promise<void> => {
    if (workflow.name !== row.workflow)
      throw new Error(
        `it now holds workflow "${workflow.name}", and ${row.id} is a run of "${row.workflow}"`,
      );
    const edit = await editOf(sql, row, workflow);
    to.use(row.id, workflow);
    await accept(sql, row.id, definition);
    if (edit !== undefined && !isHarmless(edit))
      tell(`${row.id} goes on with the edited file:\n${editText(edit)}`);
  };
  return {
    workflowOf,
    why: (run) => held.get(run),
    reloadInto: (to) => {
      engine = to;
    },
    close: () => {
      for (const { watchers } of open.values()) for (const watcher of watchers) watcher.close();
    },
  };
}

interface Opened {
  readonly runs: Map<string, RunRow>;
  readonly watchers: readonly FSWatcher[];
  hash: string;
}

/** Editors replace files, so it is their folders that are watched. */
function watchAll(
  source: string,
  { imports }: Definition,
  reload: (source: string) => Promise<void>,
): readonly FSWatcher[] {
  let soon: NodeJS.Timeout | undefined;
  const stirred = (): void => {
    clearTimeout(soon);
    soon = setTimeout(() => void reload(source), settleMs);
  };
  const files = [source, ...Object.keys(imports)];
  return [...new Set(files.map((file) => dirname(file)))].map((folder) => {
    const names = new Set(files.filter((file) => dirname(file) === folder).map((file) => basename(file)));
    const watcher = watch(folder, { persistent: false }, (_event, file) => {
      if (file === null || names.has(file)) stirred();
    });
    watcher.on("error", () => watcher.close());
    return watcher;
  });
}
