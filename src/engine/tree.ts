import { childrenOf, isLeaf, type Ask, type Leaf, type Node } from "./node.ts";
import { openRows } from "./rows.ts";
import { agentsOf } from "./task.ts";
import { openView } from "./view.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** The tree a workflow begins with, as lines of text. Throws what a run would fail with: twins, circles, a bad input. */
export function treeOf(workflow: AnyWorkflow, input: unknown): string {
  const row = { id: "", workflow: workflow.name, input };
  return linesOf(openView(workflow, row, openRows(), true).tree(), 0).join("\n");
}

/** The leaves of the tree a workflow begins with that need an agent, each with those that may do it. Throws like `treeOf`. */
export function agentsNeeded(
  workflow: AnyWorkflow,
  input: unknown,
): readonly { readonly leaf: string; readonly agents: readonly string[] }[] {
  const needed = (node: Node): ReturnType<typeof agentsNeeded> => {
    if (!isLeaf(node)) return childrenOf(node).flatMap(needed);
    const agents = node.kind === "task" ? agentsOf(node.made) : [];
    return agents.length === 0 ? [] : [{ leaf: node.id, agents }];
  };
  return needed(openView(workflow, { id: "", input }, openRows(), true).tree());
}

/** A tree as lines of text; `mark` says more about a leaf. */
export function linesOf(
  node: Node,
  depth: number,
  mark: (leaf: Leaf) => string = () => "",
): readonly string[] {
  const at = (text: string, deeper: readonly Node[] = []): readonly string[] => [
    `${"  ".repeat(depth)}${text}`,
    ...deeper.flatMap((child) => linesOf(child, depth + 1, mark)),
  ];
  if (isLeaf(node)) return at(`${kindOf(node)} ${node.id}${mark(node)}`);
  switch (node.kind) {
    case "sequence":
      return node.children.length === 1 && node.children[0] !== undefined
        ? linesOf(node.children[0], depth, mark)
        : at("sequence", node.children);
    case "parallel":
      return at(node.max === Infinity ? "parallel" : `parallel, at most ${node.max}`, node.children);
    case "loop":
      return at(`loop ${node.id}, at most ${node.max}`, node.body.children);
    case "try":
      return [
        ...at("try", [node.body]),
        ...(node.rescue === undefined ? [] : at("catch", [node.rescue])),
        ...(node.ensure === undefined ? [] : at("finally", [node.ensure])),
      ];
    case "saga":
      return node.steps.reduce<readonly string[]>(
        (lines, { act, undo }) => [
          ...lines,
          ...linesOf(act, depth + 1, mark),
          ...(undo === undefined
            ? []
            : linesOf(undo, depth + 2, mark).map((line, index) =>
                index === 0 ? `${line} (undoes it)` : line,
              )),
        ],
        at(`saga ${node.id}`),
      );
    case "each":
      return at("for each", childrenOf(node));
    case "call":
      return at(`workflow ${node.of.name}`);
  }
}

const kindOf = (leaf: Extract<Node, { readonly id: string }>): string =>
  leaf.kind === "wait" ? waits[leaf.ask.is] : leaf.kind;
const waits: Readonly<Record<Ask["is"], string>> = {
  approve: "approval",
  choose: "choice",
  rank: "ranking",
  question: "question",
  signal: "signal",
};
