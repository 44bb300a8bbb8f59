import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

const tableSchema = z.object({
  versions: z.record(z.string(), z.string().optional()),
  rows: z.array(z.object({ title: z.string(), cells: z.record(z.string(), z.string()) })),
});

const begin = "<!-- results of npm run test:agents -->";
const end = "<!-- end of results -->";

/** Writes what came of the cases between the marks of a document. */
export function writeTable(results: unknown, path: string): void {
  const { versions, rows } = tableSchema.parse(results);
  const names = Object.keys(versions);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const lines = [
    line(["Case", ...names.map((name) => `${name} ${versions[name] ?? "?"}`)]),
    line(["---", ...names.map(() => "---")]),
    ...rows.map(({ title, cells }) => line([title, ...names.map((name) => cells[name] ?? "")])),
  ];
  const text = readFileSync(path, "utf8");
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1)
    throw new Error(`${path} has no place for the results: write "${begin}" and "${end}" into it`);
  writeFileSync(path, `${text.slice(0, from)}${begin}\n\n${lines.join("\n")}\n\n${text.slice(to)}`);
}
