import type { SimTeam, World } from "../simulator/linear/world.ts";
import { identifierOf } from "../simulator/linear/world.ts";
import { bold, dim } from "./output.ts";

const between = "  ";

/** A team's board as it stands, for a terminal of 80 columns; a column that takes what was given up is shown when it has any. */
export function boardLines(tables: World["tables"], team: SimTeam): readonly string[] {
  const cards = tables.Issue.filter((issue) => issue.team === team && issue.archivedAt === undefined);
  const columns = tables.WorkflowState.filter((state) => state.team === team)
    .toSorted((one, other) => one.position - other.position)
    .map((state) => {
      const [first = "", ...rest] = state.name.split(" ");
      const inside = cards
        .filter((card) => card.state === state)
        .map((card) => `${identifierOf(card)}${isFlagged(card) ? "*" : ""}`);
      const heads = rest.length === 0 ? ["", first] : [first, rest.join(" ")];
      return { heads, inside, width: Math.max(...[...heads, ...inside].map(({ length }) => length)), state };
    })
    .filter(({ state, inside }) => state.type !== "canceled" || inside.length > 0);
  const row = (cell: (column: (typeof columns)[number]) => string): string =>
    `${between}${columns.map((column) => cell(column).padEnd(column.width)).join(between)}`.trimEnd();
  const height = Math.max(1, ...columns.map(({ inside }) => inside.length));
  return [
    ...[0, 1].map((line) => bold(row(({ heads }) => heads[line] ?? ""))),
    dim(row(({ width }) => "─".repeat(width))),
    ...Array.from({ length: height }, (_, line) => row(({ inside }) => inside[line] ?? "")),
    ...(cards.some(isFlagged) ? [dim(`${between}* needs-spec`)] : []),
  ];
}

const isFlagged = ({ labels }: { readonly labels: readonly { readonly name: string }[] }): boolean =>
  labels.some(({ name }) => name === "needs-spec");
