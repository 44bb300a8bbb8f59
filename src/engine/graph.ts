import { childrenOf, isLeaf, type Leaf, type Node } from "./node.ts";
import { openRows } from "./rows.ts";
import { openView } from "./view.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** The tree a workflow begins with, as a Mermaid flowchart. Throws what a run would fail with. */
export function graphOf(workflow: AnyWorkflow, input: unknown): string {
  const tree = openView(workflow, { id: "", input }, openRows(), true).tree();
  const pen = openPen();
  const ends = draw(pen, tree, [pen.box(`([${textOf(workflow.name)}])`)]);
  pen.arrows(ends, pen.box("((end))"));
  return ["flowchart TD", ...pen.lines].join("\n");
}

interface Pen {
  readonly lines: readonly string[];
  /** Draws a shape and answers its name. */
  box(shape: string): string;
  arrows(from: readonly string[], to: string, label?: string): void;
  /** Draws what is inside in a frame. */
  frame<Result>(title: string, inside: () => Result): Result;
}
function openPen(): Pen {
  const lines: string[] = [];
  let count = 0;
  let depth = 1;
  const put = (line: string): void => void lines.push(`${"  ".repeat(depth)}${line}`);
  const next = (): string => `n${(count += 1)}`;
  return {
    lines,
    box: (shape) => {
      const id = next();
      put(`${id}${shape}`);
      return id;
    },
    arrows: (from, to, label) => {
      for (const one of from) put(`${one} -->${label === undefined ? "" : `|${textOf(label)}|`} ${to}`);
    },
    frame: (title, inside) => {
      put(`subgraph ${next()} [${textOf(title)}]`);
      depth += 1;
      const result = inside();
      depth -= 1;
      put("end");
      return result;
    },
  };
}

/** Draws a node after those it follows; answers what the next one follows. */
function draw(pen: Pen, node: Node, after: readonly string[]): readonly string[] {
  if (isLeaf(node)) {
    const id = pen.box(shapeOf(node));
    pen.arrows(after, id);
    return [id];
  }
  const inOrder = (nodes: readonly Node[], from: readonly string[]): readonly string[] =>
    nodes.reduce((ends, child) => draw(pen, child, ends), from);
  switch (node.kind) {
    case "sequence":
      return inOrder(node.children, after);
    case "parallel":
      return node.children.length === 0 ? after : node.children.flatMap((child) => draw(pen, child, after));
    case "loop":
      return pen.frame(`loop ${node.id}, at most ${node.max}`, () => {
        const start = pen.box("(( ))");
        pen.arrows(after, start);
        const ends = inOrder(node.body.children, [start]);
        pen.arrows(ends, start, "again");
        return ends;
      });
    case "try":
      return pen.frame("try", () => {
        const done = inOrder(node.body.children, after);
        const rescued = inOrder(node.rescue?.children ?? [], done.length === 0 ? after : done);
        const ends = node.rescue === undefined ? done : [...new Set([...done, ...rescued])];
        return inOrder(node.ensure?.children ?? [], ends);
      });
    case "saga":
      return pen.frame(`saga ${node.id}`, () =>
        node.steps.reduce((ends, { act, undo }) => {
          const acted = draw(pen, act, ends);
          if (undo !== undefined) draw(pen, undo, acted);
          return acted;
        }, after),
      );
    case "each":
      return childrenOf(node).flatMap((child) => draw(pen, child, after));
    case "call": {
      const id = pen.box(`[[${textOf(node.of.name)}]]`);
      pen.arrows(after, id);
      return [id];
    }
  }
}

function shapeOf(leaf: Leaf): string {
  const text = textOf(leaf.id);
  if (leaf.kind === "wait") return `{{${text}}}`;
  return leaf.kind === "task" ? `[${text}]` : `(${text})`;
}

/** Quoted, so that no name is read as a shape. */
const textOf = (text: string): string => `"${text.replaceAll('"', "'")}"`;
