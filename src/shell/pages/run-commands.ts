/** The lines to type for a run. Pure. */
import type { OpenAsk, RunRow } from "../../engine/index.ts";
import { isOwnRun } from "./run-may.ts";

/** As a shell takes it for one word. */
export const word = (text: string): string =>
  /^[\w./:=@-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** The line that answers what is asked. */
export function lineFor(run: string, { leaf, ask }: Pick<OpenAsk, "leaf" | "ask">): string {
  const where = `${word(run)} ${word(leaf)}`;
  if (ask.is === "approve") return `forgehand approve ${where}`;
  if (ask.is === "choose")
    return `forgehand answer ${where} ${word(JSON.stringify({ choice: ask.options[0] ?? "" }))}`;
  return `forgehand answer ${where} 'JSON'`;
}

export function commandsFor(row: RunRow, asks: readonly OpenAsk[]): readonly string[] {
  const run = word(row.id);
  const looks = [`forgehand inspect ${run}`, `forgehand why ${run}`, `forgehand logs ${run}`];
  if (row.settledAt !== undefined)
    return isOwnRun(row) && row.status === "failed" ? [...looks, `forgehand retry ${run}`] : looks;
  const answers = asks.flatMap((ask) => [
    lineFor(row.id, ask),
    ...(ask.ask.is === "approve" ? [`forgehand deny ${run} ${word(ask.leaf)}`] : []),
  ]);
  return [...looks, ...answers, ...(isOwnRun(row) ? [`forgehand resume ${run}`] : [])];
}
