import { z } from "zod";
import { wordsOf } from "./ends.ts";
import type { Node } from "./node.ts";
import { newProgress, plan, type Plan } from "./plan.ts";
import { idsIn, type Rows } from "./rows.ts";
import type { Leave, RunRow } from "./store.ts";
import type { AnyWorkflow, Context } from "./workflow.ts";

/** A run's tree as of now, and what it says. */
export interface View {
  plan(now: number): Plan;
  result(): Leave;
}

/** The rendered tree, rendered again only when something it read has changed. */
export function openView(workflow: AnyWorkflow, row: RunRow, rows: Rows, checkDeterminism: boolean): View {
  // The workflow parses its own input; its type is known only to it.
  const input = inputOf(workflow, row) as never;
  let progress = newProgress();
  let tree: Node | undefined;
  let reads = new Map<string, string>();
  const readOf = (name: string): string => {
    if (name.startsWith("loop:")) return String(iterationOf(name.slice(5)));
    return String(rows.outputsOf(name));
  };
  const iterationOf = (loop: string): number => {
    const open = [...progress.iterations].findLast(([key]) => key.slice(0, key.lastIndexOf("@")) === loop);
    return open?.[1] ?? 0;
  };
  const context: Context<never> = {
    run: row.id,
    input,
    latest: (id, schema) => (reads.set(id, readOf(id)), rows.latest(id, schema)),
    history: (id, schema) => (reads.set(id, readOf(id)), rows.history(id, schema)),
    iteration: (loop) => (reads.set(`loop:${loop}`, readOf(`loop:${loop}`)), iterationOf(loop)),
  };
  const render = (): Node => {
    reads = new Map();
    const rendered = workflow.render(context);
    refuseTwins(rendered);
    if (checkDeterminism && shapeOf(rendered) !== shapeOf(workflow.render(context))) {
      throw Object.assign(
        new Error(
          `workflow "${workflow.name}" renders differently from the same rows; it must be a pure function`,
        ),
        { permanent: true },
      );
    }
    return rendered;
  };
  const isStale = (): boolean => [...reads].some(([name, read]) => readOf(name) !== read);
  return {
    plan: (now) => {
      for (let rounds = 0; ; rounds += 1) {
        if (tree === undefined || isStale()) {
          tree = render();
          progress = { cursors: new Map(), iterations: progress.iterations };
        }
        const planned = plan(tree, rows, now, progress);
        // Planning may have entered another iteration that the render asked about.
        if (!isStale() || rounds > 100) return planned;
      }
    },
    result: () => {
      const parsed = workflow.output.safeParse(workflow.result(context));
      return parsed.success
        ? { is: "finished", output: parsed.data }
        : {
            is: "failed",
            error: `the result of workflow "${workflow.name}" does not fit its schema: ${wordsOf(parsed.error)}`,
          };
    },
  };
}

function inputOf(workflow: AnyWorkflow, row: RunRow): unknown {
  const parsed = workflow.input.safeParse(row.input);
  if (parsed.success) return parsed.data;
  throw new Error(
    `the input of workflow "${workflow.name}" does not fit its schema: ${wordsOf(parsed.error)}`,
  );
}

function refuseTwins(tree: Node): void {
  const seen = new Set<string>();
  for (const id of idsIn(tree)) {
    if (seen.has(id))
      throw Object.assign(new Error(`two nodes are called "${id}"; ids must be unique in a workflow`), {
        permanent: true,
      });
    seen.add(id);
  }
}
const shapeOf = (node: Node): string =>
  JSON.stringify(node, (_key, value: unknown) =>
    typeof value === "function" || value instanceof z.ZodType ? undefined : value,
  );
