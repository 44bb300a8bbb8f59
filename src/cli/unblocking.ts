import type { Waits } from "../engine/lookup.ts";
import { plain } from "./output.ts";
import { quoted, shellWord } from "./shell-word.ts";

/** The line to type for each thing that waits for somebody. */
export function unblocking(run: string, waits: readonly Waits[]): readonly string[] {
  return waits.flatMap(({ leaf, ask }) => {
    const where = `${run} ${shellWord(leaf)}`;
    const to = `forgehand answer ${where}`;
    switch (ask?.is) {
      case undefined:
        return [];
      case "approve":
        return [`forgehand approve ${where}`, `forgehand deny ${where}`];
      case "choose":
        return [`${to} ${quoted(JSON.stringify({ choice: ask.options[0] ?? "" }))}`];
      case "rank":
        return [`${to} ${quoted(JSON.stringify({ order: ask.options }))}`];
      case "question":
      case "signal":
        return [`${to} 'JSON'   # ${plain(JSON.stringify(ask.schema))}`];
    }
  });
}
