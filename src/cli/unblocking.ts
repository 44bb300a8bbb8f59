import type { Waits } from "../engine/lookup.ts";

/** The line to type for each thing that waits for somebody. */
export function unblocking(run: string, waits: readonly Waits[]): readonly string[] {
  return waits.flatMap(({ leaf, ask }) => {
    const to = `forgehand answer ${run} ${leaf}`;
    switch (ask?.is) {
      case undefined:
        return [];
      case "approve":
        return [`forgehand approve ${run} ${leaf}`, `forgehand deny ${run} ${leaf}`];
      case "choose":
        return [`${to} '${JSON.stringify({ choice: ask.options[0] ?? "" })}'`];
      case "rank":
        return [`${to} '${JSON.stringify({ order: ask.options })}'`];
      case "question":
      case "signal":
        return [`${to} 'JSON'   # ${JSON.stringify(ask.schema)}`];
    }
  });
}
