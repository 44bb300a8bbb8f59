/** Keeps the files a run's tasks write, so that they can go where its rows go. */
import { one, type Sql } from "../sql.ts";
import { placeOf } from "./frames.ts";
import type { Snapshots } from "./host.ts";
import type { Step, TaskNode } from "./node.ts";
import type { RunRow } from "./store.ts";

export interface Files {
  /** Before a task that writes: the first in its folder keeps what is there. Answers how its own work is kept. */
  begin(
    task: TaskNode,
    step: Step,
    seq: number,
  ): Promise<
    { end(): Promise<{ readonly folder: string; readonly snapshot: string | undefined }> } | undefined
  >;
}

/** Every snapshot of a run lies under this; two databases may call two runs the same. */
export const refsOf = ({ id, createdAt }: Pick<RunRow, "id" | "createdAt">): string =>
  `refs/forgehand/${id.replace(/[^\w-]/gu, (sign) => `=${sign.codePointAt(0)?.toString(16) ?? ""}=`)}-${createdAt.toString(36)}/`;

export function openFiles(run: {
  readonly row: RunRow;
  readonly snapshots: Snapshots | undefined;
  readonly read: Sql["read"];
  /** Writes down where an attempt works, and what the files there were before. */
  keep(at: {
    readonly seq: number;
    readonly folder: string;
    readonly baseline: string | undefined;
  }): Promise<void>;
}): Files {
  const { row, snapshots, read, keep } = run;
  /** Folders this run has written in; whoever comes second waits until the first has kept what was there. */
  const begun = new Map<string, Promise<void>>();
  const save = async (step: Step, folder: string, name: string): Promise<string | undefined> => {
    try {
      return await snapshots?.save(folder, `${refsOf(row)}${name}`, `${row.id} ${placeOf(step)}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      step.say({ kind: "output", text: `the files in ${folder} could not be kept: ${why}` });
      return undefined;
    }
  };
  const first = async (step: Step, folder: string, seq: number): Promise<void> => {
    const known = await read(() =>
      one("select 1 from attempt where run = ? and cut = 0 and folder = ? limit 1", row.id, folder),
    );
    if (known !== undefined) return;
    await keep({ seq, folder, baseline: await save(step, folder, `baseline/${seq}`) });
  };
  return {
    begin: async (task, step, seq) => {
      if (snapshots === undefined || !task.writes) return undefined;
      const { folder } = step;
      const kept = begun.get(folder) ?? first(step, folder, seq);
      begun.set(folder, kept);
      await kept;
      return { end: async () => ({ folder, snapshot: await save(step, folder, `attempt/${seq}`) }) };
    },
  };
}
