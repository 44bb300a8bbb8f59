/** Two frames of a run side by side: what was given, the tree, and the files where they were kept. */
import {
  filesThatMayDiffer,
  outputsThatDiffer,
  treesThatDiffer,
  type AnyWorkflow,
  type Frame,
  type RunRow,
} from "../../engine/index.ts";
import type { RunComparison } from "../../ports-dashboard-runs.ts";
import { shown } from "../../untrusted.ts";
import type { RunDesk } from "./run-desk.ts";
import { jsonOf } from "./run-task.ts";

/** Shown of what differs. */
const mostOutputs = 200;
const mostFolders = 10;
const longestDiff = 100_000;

export async function compared(
  desk: RunDesk,
  row: RunRow,
  frames: readonly Frame[],
  {
    workflow,
    from,
    to,
  }: { readonly workflow: AnyWorkflow | undefined; readonly from: number; readonly to: number },
): Promise<RunComparison> {
  const [first, second] = [frames.slice(0, from), frames.slice(0, to)];
  const outputs = outputsThatDiffer(first, second);
  const notes: string[] =
    outputs.length > mostOutputs ? [`${outputs.length - mostOutputs} more outputs differ.`] : [];
  let trees: ReturnType<typeof treesThatDiffer> = { onlyFirst: [], onlySecond: [] };
  try {
    if (workflow !== undefined) trees = treesThatDiffer(workflow, row, first, second);
    else notes.push("The trees are not compared: its workflow cannot be rendered here.");
  } catch (error) {
    notes.push(
      `The trees are not compared: ${shown(error instanceof Error ? error.message : String(error))}`,
    );
  }
  const files: { readonly folder: string; readonly diff: string }[] = [];
  const folders = filesThatMayDiffer(frames, { from, to });
  for (const { folder, from: a, to: b } of folders.slice(0, mostFolders)) {
    try {
      const diff = shown(await desk.diff(folder, a, b));
      const left = diff.length - longestDiff;
      if (diff !== "")
        files.push({
          folder,
          diff: left > 0 ? `${diff.slice(0, longestDiff)}\n… ${left} more characters` : diff,
        });
    } catch (error) {
      notes.push(
        `The files in ${folder} cannot be compared: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  if (folders.length > mostFolders)
    notes.push(`${folders.length - mostFolders} more folders are not compared.`);
  return {
    from,
    to,
    outputs: outputs.slice(0, mostOutputs).map(({ place, is, first: one, second: two }) => ({
      place,
      is,
      first: jsonOf(one),
      second: jsonOf(two),
    })),
    onlyFirst: trees.onlyFirst.map(shown),
    onlySecond: trees.onlySecond.map(shown),
    files,
    notes,
  };
}
