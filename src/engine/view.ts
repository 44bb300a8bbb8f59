import { createHash } from "node:crypto";
import { z, type ZodType } from "zod";
import { wordsOf } from "./ends.ts";
import {
  mapTasks,
  type CallNode,
  type EachNode,
  type Node,
  type SequenceNode,
  type TaskNode,
} from "./node.ts";
import { openParts } from "./parts.ts";
import { plan, type Outcome, type Plan } from "./plan.ts";
import { newProgress, reopen, roundOf } from "./progress.ts";
import type { Attempt, Rows } from "./rows.ts";
import type { Leave } from "./attempts.ts";
import type { RunRow } from "./store.ts";
import type { AnyWorkflow, Context, Leaf } from "./workflow.ts";

/** A run's tree as of now, and what it says. */
export interface View {
  plan(now: number): Plan;
  result(outcome: Outcome | undefined): Leave;
  /** As it would be rendered now. */
  tree(): Node;
  /** Renders with this from now on. Throws when the input does not fit it; then nothing has changed. */
  use(edited: AnyWorkflow): void;
}

/** The rendered tree, rendered again only when something it read has changed. */
export function openView(
  given: AnyWorkflow,
  row: Pick<RunRow, "id" | "input">,
  rows: Rows,
  checkDeterminism: boolean,
): View {
  let workflow = given;
  // The workflow parses its own input; its type is known only to it.
  let input = inputOf(workflow, row) as never;
  let progress = newProgress();
  const refuseDifference = (one: Node, other: Node): void => {
    if (shapeOf(one) === shapeOf(other)) return;
    throw permanent(
      `workflow "${workflow.name}" renders differently from the same rows; it must be a pure function`,
    );
  };
  const parts = openParts({
    rows,
    roundOf: (loop) => roundOf(progress, loop),
    twins: (id) => permanent(`two nodes are called "${id}"; ids must be unique in a workflow`),
    checked: checkDeterminism ? refuseDifference : undefined,
  });
  /** What a workflow called under this prefix may read: its own leaves. */
  const contextIn = (prefix: string, given: never): Context<never> => {
    const leafOf = <Output>(named: Leaf<Output> | string, schema?: ZodType<Output>): Leaf<Output> => {
      const found = typeof named === "string" ? { id: named, output: schema } : named;
      if (found.output === undefined) throw new TypeError(`reading "${found.id}" needs its schema`);
      parts.note(`${prefix}${found.id}`);
      return { id: `${prefix}${found.id}`, output: found.output };
    };
    const latest = <Output>(named: Leaf<Output> | string, schema?: ZodType<Output>): Output | undefined => {
      const { id, output } = leafOf(named, schema);
      return rows.latest(id, output);
    };
    return {
      run: row.id,
      input: given,
      latest,
      output: (named) => {
        const found = latest(named);
        if (found !== undefined || rows.hasOutput(`${prefix}${named.id}`)) return found as typeof found & {};
        throw new Error(`"${named.id}" has no output yet; read it with \`latest\``);
      },
      history: <Output>(named: Leaf<Output> | string, schema?: ZodType<Output>) => {
        const { id, output } = leafOf(named, schema);
        return rows.history(id, output);
      },
      digest: (...leaves) =>
        createHash("sha256")
          .update(JSON.stringify(leaves.map((named) => judged(rows.latestOf(leafOf(named).id)))))
          .digest("hex"),
      iteration: (loop) => parts.noteLoop(`${prefix}${loop}`),
    };
  };
  let context = contextIn("", input);
  const expansion: Expansion = { contextIn, each: parts.each };
  let tree: Node | undefined;
  const renderNow = (): Node => {
    tree = parts.whole(() => expand(workflow.render(context), "", [workflow.name], expansion));
    progress = newProgress(progress);
    return tree;
  };
  /** Renders again what has read something that has changed since, and no more. */
  const refresh = (): Node => {
    const how = tree === undefined ? "whole" : parts.stale();
    if (tree === undefined || how === "whole") return renderNow();
    if (how === "parts") {
      const places = parts.renderStale();
      if (!places.every(({ node, index }) => reopen(progress, node, index))) progress = newProgress(progress);
    }
    return tree;
  };
  return {
    plan: (now) => {
      for (let rounds = 0; ; rounds += 1) {
        const planned = plan(refresh(), rows, now, progress);
        // Planning may have entered another iteration that the render asked about.
        if (parts.stale() === "nothing" || rounds > 100) return planned;
      }
    },
    tree: renderNow,
    use: (edited) => {
      input = inputOf(edited, row) as never;
      workflow = edited;
      context = contextIn("", input);
      tree = undefined;
    },
    result: (outcome) => {
      const parsed = workflow.output.safeParse(workflow.result(context));
      return parsed.success
        ? { is: "finished", output: parsed.data, outcome }
        : {
            is: "failed",
            outcome: undefined,
            error: `the result of workflow "${workflow.name}" does not fit its schema: ${wordsOf(parsed.error)}`,
          };
    },
  };
}

/** What expanding a tree needs. */
interface Expansion {
  contextIn(prefix: string, input: never): Context<never>;
  each(node: EachNode, inside: (child: Node) => Node): Node;
}

/**
 * Renders the workflows that this tree calls, each in its own context and with its ids under the call's, and puts a
 * leaf with their result behind them. Throws for a workflow that calls itself, by whatever detour.
 */
function expand(node: Node, prefix: string, chain: readonly string[], expansion: Expansion): Node {
  const inside = (child: Node): Node => expand(child, prefix, chain, expansion);
  const sequence = (part: SequenceNode): SequenceNode => ({ ...part, children: part.children.map(inside) });
  const id = "id" in node ? `${prefix}${node.id}` : "";
  switch (node.kind) {
    case "task": {
      if (prefix === "") return node;
      const worktree = node.worktree === undefined ? undefined : `${prefix}${node.worktree}`;
      return { ...node, id, worktree };
    }
    case "wait":
    case "timer":
    case "result":
      return prefix === "" ? node : { ...node, id };
    case "sequence":
      return sequence(node);
    case "parallel":
      return { ...node, children: node.children.map(inside) };
    case "loop":
      return { ...node, id, body: sequence(node.body) };
    case "try":
      return {
        ...node,
        body: sequence(node.body),
        rescue: node.rescue && sequence(node.rescue),
        ensure: node.ensure && sequence(node.ensure),
      };
    case "saga":
      return {
        ...node,
        id,
        steps: node.steps.map(({ act, undo }) => ({ act: inside(act), undo: undo && inside(undo) })),
      };
    case "call":
      return called(node, prefix, chain, expansion);
    case "each":
      return expansion.each(node, inside);
  }
}

function called(
  { id: own, of, input, adapt }: CallNode,
  prefix: string,
  chain: readonly string[],
  expansion: Expansion,
): Node {
  const id = `${prefix}${own}`;
  if (of.isPart !== true && chain.includes(of.name))
    throw permanent(`a workflow may not call itself: ${[...chain, of.name].join(" → ")}`);
  const parsed = of.input.safeParse(input);
  if (!parsed.success)
    throw permanent(`the input of "${id}" does not fit workflow "${of.name}": ${wordsOf(parsed.error)}`);
  // The workflow parsed its own input; its type is known only to it.
  const context = expansion.contextIn(`${id}/`, parsed.data as never) as never;
  const inner = expand(of.render(context), `${id}/`, of.isPart ? chain : [...chain, of.name], expansion);
  const tree =
    adapt === undefined ? inner : mapTasks(inner, (task, loops) => around(task, adapt(task, loops), prefix));
  const result: Node = { kind: "result", id, output: of.output, compute: () => of.result(context) };
  return { kind: "sequence", children: [tree, result] };
}

/** What a digest is taken of: the output, and the files as they were then. */
const judged = (attempt: Attempt | undefined): unknown =>
  attempt === undefined ? null : [attempt.output, attempt.snapshot ?? null];

/** What was put around a call names its own leaves as its own workflow does. */
const around = (before: TaskNode, after: TaskNode, prefix: string): TaskNode =>
  after.worktree === before.worktree ? after : { ...after, worktree: `${prefix}${after.worktree ?? ""}` };

const permanent = (text: string): Error => Object.assign(new Error(text), { permanent: true });

function inputOf(workflow: AnyWorkflow, row: Pick<RunRow, "input">): unknown {
  const parsed = workflow.input.safeParse(row.input);
  if (parsed.success) return parsed.data;
  throw new Error(
    `the input of workflow "${workflow.name}" does not fit its schema: ${wordsOf(parsed.error)}`,
  );
}

const shapeOf = (node: Node): string =>
  JSON.stringify(node, (_key, value: unknown) =>
    typeof value === "function" || value instanceof z.ZodType ? undefined : value,
  );
