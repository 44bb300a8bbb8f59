/** The table of the API's routes in docs/api.md. */
import type { Operation } from "../src/web/api/operation.ts";
import { refusals } from "../src/web/api/refusals.ts";
import { cell } from "./regions.ts";

export function routesText(operations: readonly Operation[]): string {
  const rows = operations.map(({ method, path, query, summary, says }) => {
    const asked = Object.keys(query?.shape ?? {}).map((name) => `\`${name}\``);
    return `| \`${method.toUpperCase()} /api/v1${path}\` | ${cell(summary)}. ${cell(says)} | ${asked.join(" ")} |`;
  });
  return ["| Route | Tells or does | Query |", "|---|---|---|", ...rows].join("\n");
}

export const refusalsText = (): string =>
  [
    "| Status | `code` | Means |",
    "|---|---|---|",
    ...Object.entries(refusals).map(
      ([status, [code, says]]) => `| ${status} | \`${code}\` | ${cell(says)} |`,
    ),
  ].join("\n");
