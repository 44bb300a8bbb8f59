/** The lines to type for a run. Pure. */
import type { OpenAsk, RunRow } from "../../engine/index.ts";
import { isOwnRun } from "./run-may.ts";

/** As a shell takes it for one word. */
const word = (text: string): string =>
  /^[\w./:=@-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

export function commandsFor(row: RunRow, asks: readonly OpenAsk[]): readonly string[] {
  const run = word(row.id);
  const looks = [`forgehand inspect ${run}`, `forgehand why ${run}`, `forgehand logs ${run}`];
  if (row.settledAt !== undefined)
    return isOwnRun(row) && row.status === "failed" ? [...looks, `forgehand retry ${run}`] : looks;
  const answers = asks.flatMap(({ leaf, ask }) => {
    const where = `${run} ${word(leaf)}`;
    if (ask.is === "approve") return [`forgehand approve ${where}`, `forgehand deny ${where}`];
    if (ask.is === "choose")
      return [`forgehand answer ${where} ${word(JSON.stringify({ choice: ask.options[0] ?? "" }))}`];
    return [`forgehand answer ${where} 'JSON'`];
  });
  return [...looks, ...answers, ...(isOwnRun(row) ? [`forgehand resume ${run}`] : [])];
}
