import { one, run as exec, type Verb } from "../sql.ts";

/** The file a run's workflow came from, as it was when the run last went on with it. */
export interface Definition {
  /** Of the text and of everything it imports from beside it. */
  readonly hash: string;
  readonly text: string;
  /** The hash of each imported file, by path. */
  readonly imports: Readonly<Record<string, string>>;
}

/** The run goes on with this from now on. */
export function* keepDefinition(run: string, { hash, text, imports }: Definition): Verb<void> {
  yield* exec(
    "insert into definition (hash, text, imports) values (?, ?, ?) on conflict (hash) do nothing",
    hash,
    text,
    JSON.stringify(imports),
  );
  yield* exec("update run set definition = ? where id = ?", hash, run);
}

/** What a run last went on with; undefined when nobody kept it. */
export function* definitionOf(run: string): Verb<Definition | undefined> {
  const row = yield* one<{ hash: string; text: string; imports: string }>(
    "select hash, text, imports from definition where hash = (select definition from run where id = ?)",
    run,
  );
  return row && { ...row, imports: JSON.parse(row.imports) as Definition["imports"] };
}
