import { resolve } from "node:path";
import { createJiti } from "jiti";

/** What of a file is run: its text without comments and types. The text itself where it cannot be read. */
export function codeOf(file: string, text: string): string {
  const code = createJiti(import.meta.url, { fsCache: false }).transform({
    source: text,
    filename: resolve(file),
    ts: true,
    jsx: { runtime: "automatic", importSource: "forgehand" },
    babel: { comments: false },
  });
  return code.includes("__JITI_ERROR__") ? text : code;
}
