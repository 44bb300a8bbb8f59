/** What every command shares: how it answers and its `--json`. Loads nothing else, so that `--help` costs nothing. */
import { Option } from "@commander-js/extra-typings";
import type { Answer } from "./output.ts";

export const jsonOption = () => new Option("--json", "one JSON object {schema, data, error} on stdout");

/** Does a command's work and prints what came of it, or what went wrong. A schema without a number is its first. */
export async function answer(
  schema: string,
  options: { readonly json?: true | undefined },
  work: () => Promise<Answer>,
): Promise<void> {
  const { fail, print } = await import("./output.ts");
  try {
    print(await work(), options);
  } catch (error) {
    fail(error, { ...options, schema: schema.includes("/") ? schema : `${schema}/1` });
  }
}
