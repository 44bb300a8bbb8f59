import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import type { ConfigProblem } from "./config.ts";
import { placeOfOffset, placeOfPath } from "./yaml-place.ts";

/** What a text of YAML holds, or everything wrong with it, each at its place. Unlike a repository's configuration it counts as a whole. */
export function readYaml<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  /** Lines that stand above it in its file. */
  above = 0,
): { readonly value: z.infer<Schema> } | { readonly problems: readonly ConfigProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: false });
  const moved = ({ line, column }: { readonly line: number; readonly column: number }, message: string) => ({
    line: line + above,
    column,
    message,
  });
  if (document.errors.length > 0)
    return {
      problems: document.errors.map((error) =>
        moved(
          placeOfOffset(lines, error.pos[0]),
          `This is no YAML: ${error.message.split("\n", 1)[0] ?? ""}`,
        ),
      ),
    };
  let found: unknown;
  try {
    found = document.toJS({ maxAliasCount: 50 });
    // Throws for what holds itself.
    JSON.stringify(found);
  } catch {
    const message = "It nests aliases too deeply, or one of them holds itself.";
    return { problems: [moved({ line: 1, column: 1 }, message)] };
  }
  const parsed = schema.safeParse(found ?? {});
  if (parsed.success) return { value: parsed.data };
  return {
    // What is misspelt comes before what is missing because of it.
    problems: parsed.error.issues.toSorted(misspeltFirst).map((issue) => {
      const extra = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
      const path = [...issue.path, ...extra];
      const name = path.map(String).join(".");
      const why = issue.message.replace(/^Invalid (?:input|option|string): ?/u, "");
      const message =
        extra.length > 0
          ? `Unknown key \`${name}\`.`
          : `Wrong value${name === "" ? "" : ` of \`${name}\``}: ${why}.`;
      return moved(placeOfPath(document, lines, path), message);
    }),
  };
}

const misspeltFirst = (one: z.core.$ZodIssue, other: z.core.$ZodIssue): number =>
  Number(other.code === "unrecognized_keys") - Number(one.code === "unrecognized_keys");
