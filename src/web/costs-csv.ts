/** Costs as a file for spreadsheets. Names in it are anybody's words, and a spreadsheet computes what begins like a formula. */
import type { CostRow, CostsView } from "../ports-dashboard-costs.ts";

const columns = [
  "usd",
  "guessedUsd",
  "inputTokens",
  "cachedTokens",
  "outputTokens",
  "sessions",
  "failed",
  "failedUsd",
] as const satisfies readonly (keyof CostRow)[];

export const costsCsv = ({ by, rows }: CostsView): string =>
  [[by, ...columns], ...rows.map((row) => [row.name, ...columns.map((column) => String(row[column]))])]
    .map((cells) => `${cells.map(csvCell).join(",")}\r\n`)
    .join("");

/** What begins like a formula is led by an apostrophe, which makes it text; everything is within quotes that needs it. */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/u.test(text) ? `'${text}` : text;
  return /[",\r\n\t']/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
