import { canonical } from "../review/canonical.ts";

export interface Difference {
  /** `review.evidence.base`, `checks.list.0.name` */
  readonly field: string;
  readonly said: string;
  readonly found: string;
}

/** Every place where two JSON values differ, in the order of the second's fields. */
export function differences(said: unknown, found: unknown, field = ""): readonly Difference[] {
  if (isRecord(said) && isRecord(found)) {
    const keys = [...new Set([...Object.keys(found), ...Object.keys(said)])];
    return keys.flatMap((key) => differences(said[key], found[key], field === "" ? key : `${field}.${key}`));
  }
  if (Array.isArray(said) && Array.isArray(found) && said.length === found.length)
    return found.flatMap((one, index) => differences(said[index], one, `${field}.${index}`));
  return shown(said) === shown(found) ? [] : [{ field, said: shown(said), found: shown(found) }];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (value === undefined ? "nothing" : canonical(value));
