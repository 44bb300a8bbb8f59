import { sets, table, type Row } from "../src/state-machine/table.ts";

const from = (row: Row): string => (typeof row.from === "string" ? `*${row.from}*` : row.from.join(", "));
const dash = (names: readonly string[]): string => (names.length === 0 ? "–" : names.join(" "));

/** The table as people read it: `src/state-machine/table.md`. */
export function tableText(): string {
  return [
    "# The table",
    "",
    "Generated from `table.ts` by `node scripts/check-generated.ts --write`; do not edit.",
    "",
    "Rows are tried in order and the first that matches decides. An event without a row changes nothing, and a report",
    "of a run that is not the ticket's current one matches no row. A word under *Do* is a maker in `effect.ts`, a name",
    "under *When* a question in `guard.ts`; what an event teaches stands in `learn.ts`.",
    "",
    ...Object.entries(sets).map(([name, states]) => `- *${name}*: ${states.join(", ")}`),
    "",
    "| From | On | When | To | Do | Why |",
    "|---|---|---|---|---|---|",
    ...table.map(
      (row) =>
        `| ${from(row)} | \`${row.on}\` | ${dash(row.when)} | ${row.to} | ${dash(row.do)} | ${row.why} |`,
    ),
    "",
  ].join("\n");
}
