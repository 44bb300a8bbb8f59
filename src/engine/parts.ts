import type { EachNode, Node, ParallelNode, SequenceNode } from "./node.ts";
import { idsIn, type Rows } from "./rows.ts";

/** Where a part stands in the tree. */
interface Spot {
  readonly node: SequenceNode | ParallelNode;
  readonly index: number;
}
/** What is rendered by itself: the whole tree, or the subtree of one item. */
interface Part {
  readonly reads: Set<string>;
  readonly inner: Set<Part>;
  readonly spot: (Spot & { readonly children: Node[]; render(): Node }) | undefined;
}

/** Which parts of a tree read what, so that a change renders those again and no others. */
export interface Parts {
  /** A render reads the outputs of this leaf. */
  note(leaf: string): void;
  /** A render asks which iteration of this loop is under way. */
  noteLoop(loop: string): number;
  whole(render: () => Node): Node;
  each(node: EachNode, inside: (child: Node) => Node): Node;
  stale(): "whole" | "parts" | "nothing";
  /** Renders the stale parts again, in their places; answers these. */
  renderStale(): readonly Spot[];
}

/** Nodes that a render may compare on average: small trees are checked every time, large ones now and then. */
const checkedPerRender = 100;

export function openParts(around: {
  readonly rows: Rows;
  roundOf(loop: string): number;
  twins(id: string): Error;
  /** Throws when two renders of the same rows differ; undefined when nobody asks. */
  readonly checked: ((one: Node, other: Node) => void) | undefined;
}): Parts {
  const readers = openReaders(around.rows);
  const { stale, drop } = readers;
  const loops = new Map<string, number>();
  const ids = new Set<string>();
  let current: Part | undefined;
  const budget = { renders: 0, compared: 0 };

  const within = (part: Part | undefined, render: () => Node): Node => {
    const before = current;
    current = part;
    try {
      return render();
    } finally {
      current = before;
    }
  };
  /** Rendered twice and compared, as often as it costs no more than the work it watches. */
  const renderPart = (part: Part, render: () => Node): Node => {
    const rendered = within(part, render);
    const own = idsIn(rendered);
    for (const id of own) {
      if (ids.has(id)) throw around.twins(id);
      ids.add(id);
    }
    budget.renders += 1;
    if (around.checked === undefined || budget.compared > checkedPerRender * (budget.renders - 1))
      return rendered;
    budget.compared += own.length;
    around.checked(
      rendered,
      within(undefined, () => render()),
    );
    return rendered;
  };
  const again = (part: Part, { children, index, render, node }: NonNullable<Part["spot"]>): Spot => {
    drop(part);
    const before = children[index];
    if (before !== undefined) for (const id of idsIn(before)) ids.delete(id);
    children[index] = renderPart(part, render);
    return { node, index };
  };
  return {
    note: (leaf) => {
      if (current !== undefined) readers.note(current, leaf);
    },
    noteLoop: (loop) => {
      const round = around.roundOf(loop);
      if (current !== undefined) loops.set(loop, round);
      return round;
    },
    whole: (render) => {
      const root = readers.begin();
      loops.clear();
      ids.clear();
      return renderPart(root, render);
    },
    each: ({ items, max, render: renderItem }, inside) => {
      const children: Node[] = [];
      const node: SequenceNode | ParallelNode =
        max === 1 ? { kind: "sequence", children } : { kind: "parallel", max, children };
      for (const [index, item] of items.entries()) {
        const render = (): Node => inside(renderItem(item, index));
        children.push(within(partIn(current, { node, index, children, render }), render));
      }
      return node;
    },
    stale: () => {
      if (stale.has(readers.root()) || [...loops].some(([loop, round]) => around.roundOf(loop) !== round))
        return "whole";
      return stale.size > 0 ? "parts" : "nothing";
    },
    renderStale: () => {
      const spots: Spot[] = [];
      for (const part of stale) {
        const { spot } = part;
        if (spot !== undefined) spots.push(again(part, spot));
      }
      stale.clear();
      return spots;
    },
  };
}

/** Who read which leaf, and who must be rendered again since. */
function openReaders(rows: Rows) {
  const byLeaf = new Map<string, Set<Part>>();
  const stale = new Set<Part>();
  let root = newPart(undefined);
  rows.onOutput((leaf) => {
    if (root.reads.has(leaf)) stale.add(root);
    for (const part of byLeaf.get(leaf) ?? []) stale.add(part);
  });
  /** Nobody asks any more what it read. */
  const drop = (part: Part): void => {
    for (const name of part.reads) byLeaf.get(name)?.delete(part);
    for (const inner of part.inner) drop(inner);
    part.inner.clear();
    part.reads.clear();
    stale.delete(part);
  };
  return {
    stale,
    drop,
    root: () => root,
    /** Another tree: nothing is known of what it reads. */
    begin: (): Part => {
      root = newPart(undefined);
      byLeaf.clear();
      stale.clear();
      return root;
    },
    note: (part: Part, leaf: string): void => {
      part.reads.add(leaf);
      // What the whole tree reads is asked of it directly: it is rendered often, and may read thousands.
      if (part === root) return;
      const known = byLeaf.get(leaf);
      if (known === undefined) byLeaf.set(leaf, new Set([part]));
      else known.add(part);
    },
  };
}

const newPart = (spot: Part["spot"]): Part => ({ reads: new Set(), inner: new Set(), spot });

/** A part within another; where nobody notes what is read, there are none. */
function partIn(outer: Part | undefined, spot: Part["spot"]): Part | undefined {
  if (outer === undefined) return undefined;
  const part = newPart(spot);
  outer.inner.add(part);
  return part;
}
