import { parse as tomlIn } from "smol-toml";
import { parseDocument } from "yaml";
import type { Text } from "./text.ts";

/** What a file says, read for what it may hold. Nothing throws: a manifest is whatever somebody wrote. */
export type Parsed = { readonly value: Fields } | { readonly fault: string };

export type Fields = Readonly<Record<string, unknown>>;

export const jsonOf = (text: Text): Parsed =>
  attempt(() => {
    try {
      return JSON.parse(text.all) as unknown;
    } catch (fault) {
      const plain = withoutComments(text.all);
      if (plain === text.all) throw fault;
      return JSON.parse(plain) as unknown;
    }
  });

export const tomlOf = (text: Text): Parsed => attempt(() => tomlIn(text.all));

/** Longest YAML that is parsed: its parser takes long over what was built to take long. */
const maxYaml = 100_000;

/** Aliases that multiply are refused as the parser counts them. */
export const yamlOf = (text: Text): Parsed =>
  attempt(() => {
    if (text.all.length > maxYaml) throw new Error("it is too large");
    const document = parseDocument(text.all, { logLevel: "silent", uniqueKeys: false, prettyErrors: false });
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  });

function attempt(read: () => unknown): Parsed {
  try {
    const value = read();
    return isFields(value) ? { value } : { fault: "it holds no keys" };
  } catch (fault) {
    const said = fault instanceof Error ? (fault.message.split("\n")[0] ?? "") : "";
    return { fault: said.replaceAll(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 200) || "it cannot be parsed" };
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The field, where it holds fields itself; else none. */
export function fieldsOf(value: unknown, ...keys: readonly string[]): Fields {
  let now = value;
  for (const key of keys) now = isFields(now) && Object.hasOwn(now, key) ? now[key] : undefined;
  return isFields(now) ? now : {};
}

/** The field, where it holds text; a number as it is written. */
export function wordOf(value: unknown, ...keys: readonly string[]): string | undefined {
  const last = keys.at(-1);
  const found = last === undefined ? value : own(fieldsOf(value, ...keys.slice(0, -1)), last);
  return typeof found === "string" ? found : typeof found === "number" ? `${found}` : undefined;
}

export const own = (fields: Fields, key: string): unknown =>
  Object.hasOwn(fields, key) ? fields[key] : undefined;

/** The texts of a list, or the one text. */
export const wordsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? (value as readonly unknown[]) : [value]).filter(
    (item): item is string => typeof item === "string",
  );

/** JSON as editors keep it: comments and commas before a closing bracket are taken out, outside of strings. */
function withoutComments(text: string): string {
  const keep = (_: string, kept?: string): string => kept ?? "";
  return text
    .replaceAll(/("(?:[^"\\\n]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/gu, keep)
    .replaceAll(/("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])/gu, keep);
}
