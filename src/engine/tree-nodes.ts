/** A rendered tree as nodes that a page can draw. Pure. */
import type { Frame } from "./frames.ts";
import { childrenOf, isLeaf, type Ask, type Node } from "./node.ts";
import { openRows } from "./rows.ts";
import type { RunRow } from "./store.ts";
import { openView } from "./view.ts";
import type { AnyWorkflow } from "./workflow.ts";

export type TreeKind =
  | "task"
  | "approval"
  | "choice"
  | "ranking"
  | "question"
  | "signal"
  | "timer"
  | "result"
  | "sequence"
  | "parallel"
  | "loop"
  | "try"
  | "catch"
  | "finally"
  | "saga"
  | "undo";
export interface TreeNode {
  readonly kind: TreeKind;
  /** Of leaves, loops and sagas. */
  readonly id: string | undefined;
  /** Iterations of a loop, or leaves at work at once. */
  readonly max: number | undefined;
  readonly children: readonly TreeNode[];
}

/** The tree as it was rendered from these frames. Throws what the render throws. */
export function treeNodes(
  workflow: AnyWorkflow,
  row: Pick<RunRow, "id" | "input">,
  frames: readonly Frame[],
): TreeNode {
  const view = openView(workflow, row, openRows(frames), false);
  // Planning finds which iteration each loop is in, which the render may ask.
  view.plan(frames.at(-1)?.endedAt ?? 0);
  return nodeOf(view.tree());
}

const asks: Readonly<Record<Ask["is"], TreeKind>> = {
  approve: "approval",
  choose: "choice",
  rank: "ranking",
  question: "question",
  signal: "signal",
};
const part = (kind: TreeKind, children: readonly TreeNode[]): TreeNode => ({
  kind,
  id: undefined,
  max: undefined,
  children,
});

function nodeOf(node: Node): TreeNode {
  if (isLeaf(node)) {
    const kind = node.kind === "wait" ? asks[node.ask.is] : node.kind;
    return { kind, id: node.id, max: undefined, children: [] };
  }
  const inside = (): readonly TreeNode[] => childrenOf(node).map(nodeOf);
  switch (node.kind) {
    case "sequence": {
      const children = inside();
      const [only] = children;
      return children.length === 1 && only !== undefined ? only : part("sequence", children);
    }
    case "parallel":
      return { ...part("parallel", inside()), max: Number.isFinite(node.max) ? node.max : undefined };
    case "loop":
      return { kind: "loop", id: node.id, max: node.max, children: node.body.children.map(nodeOf) };
    case "try":
      return part("try", [
        nodeOf(node.body),
        ...(node.rescue === undefined ? [] : [part("catch", [nodeOf(node.rescue)])]),
        ...(node.ensure === undefined ? [] : [part("finally", [nodeOf(node.ensure)])]),
      ]);
    case "saga":
      return {
        ...part(
          "saga",
          node.steps.flatMap(({ act, undo }) =>
            undo === undefined ? [nodeOf(act)] : [nodeOf(act), part("undo", [nodeOf(undo)])],
          ),
        ),
        id: node.id,
      };
    case "each":
    case "call":
      return part("sequence", inside());
  }
}
