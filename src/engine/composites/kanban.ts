import { z, type ZodType } from "zod";
import { Parallel, Sequence } from "../components.ts";
import { Task } from "../task.ts";
import type { CallNode, Child, Node } from "../node.ts";
import { leaf, type Leaf } from "../workflow.ts";
import { member, part, type Inside } from "./part.ts";

export interface Column<Card> {
  readonly name: string;
  /** Tasks at work in this column at once. */
  readonly wip: number;
  /** What is done to a card here; its output is the card as it leaves. */
  readonly work: (order: { readonly leaf: Leaf<Card>; readonly card: Card; readonly item: string }) => Child;
}

const boardOf = <Card>(card: ZodType<Card>) =>
  z.object({
    done: z.array(z.object({ item: z.string(), card })),
    /** Cards that stayed behind, and in which column they failed. */
    failed: z.array(z.object({ item: z.string(), column: z.string() })),
  });
/** Names the leaf with what came of a board. */
export const boardDone = <Card>(id: string, card: ZodType<Card>) => leaf(id, boardOf(card));

/** Cards pass through columns, each as soon as the column before it is done with it and there is room. A card that fails holds up no other. */
export function Kanban<Card>(props: {
  readonly id: string;
  /** The shape of a card. */
  readonly card: ZodType<Card>;
  /** The cards, by the name of their item. */
  readonly items: Readonly<Record<string, Card>>;
  readonly columns: readonly Column<Card>[];
}): CallNode {
  const { id, card, items, columns } = props;
  for (const { name, wip } of columns)
    if (!Number.isInteger(wip) || wip < 1)
      throw new RangeError(`<Kanban id="${id}"> needs a wip of at least 1 in "${name}", not ${wip}`);
  const opened = leaf("open", z.null());
  const output = boardOf(card);
  const board = (inside: Inside) =>
    Object.entries(items).map(([item, first]) => ({
      item,
      ...walk(inside, { item, first, columns, card, opened }),
    }));
  return part({
    kind: "Kanban",
    id,
    output,
    render: (inside) => {
      const cards = board(inside);
      const lanes = columns.map(({ wip }, index) =>
        Parallel({ max: wip, children: cards.map(({ cells }) => cells[index]) }),
      );
      return Sequence({
        children: [Task({ ...opened, perform: () => null }), Parallel({ children: lanes })],
      });
    },
    result: (inside) => {
      const cards = board(inside);
      return output.parse({
        done: cards.flatMap(({ item, last, failed }) => (failed === undefined ? [{ item, card: last }] : [])),
        failed: cards.flatMap(({ item, failed }) => (failed === undefined ? [] : [{ item, column: failed }])),
      });
    },
  });
}

/**
 * How far a card has come this time. On a board within a loop its leaves hold outputs of earlier times too, so they
 * are counted: a column has been reached as often as the one before it ended well.
 */
function walk<Card>(
  inside: Inside,
  given: {
    readonly item: string;
    readonly first: Card;
    readonly columns: readonly Column<Card>[];
    readonly card: ZodType<Card>;
    readonly opened: Leaf<null>;
  },
): { readonly cells: readonly Node[]; readonly last: Card; readonly failed: string | undefined } {
  const cells: Node[] = [];
  let last = given.first;
  let reached = inside.history(given.opened).length;
  for (const { name, work } of given.columns) {
    const named = leaf(`${name}/${given.item}`, given.card);
    const cell = member(inside, named, work({ leaf: named, card: last, item: given.item }));
    cells.push(cell.node);
    if (cell.ended < reached || reached === 0) break;
    if (cell.answer === undefined) return { cells, last, failed: name };
    last = cell.answer;
    reached = cell.answered;
  }
  return { cells, last, failed: undefined };
}
