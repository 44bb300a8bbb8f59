import { derived, filterOnly, type Asking } from "./derived.ts";

/** An object of the world, or a part of one, as GraphQL reads it. */
export type Source = Readonly<Record<string, unknown>> & { readonly __typename?: string };

type Reader = (node: Source, asking: Asking) => unknown;
const readerOf = (from: object, type: string, field: string): Reader | undefined =>
  // Readers take the very type under whose name they stand.
  (from as Readonly<Record<string, Readonly<Record<string, Reader>> | undefined>>)[type]?.[field];

/** The value of a field; undefined when nobody set it. */
export function readField(source: Source, field: string, asking: Asking): unknown {
  const named = source.__typename ?? "";
  const reader = readerOf(derived, named === "IssueSearchResult" ? "Issue" : named, field);
  if (reader !== undefined) return reader(source, asking);
  if (source[field] !== undefined || field in source) return source[field];
  return relationId(source, field);
}

/** What a filter asks of an object, beyond what its fields say. */
export function readForFilter(
  source: Source,
  key: string,
  asking: Asking,
): { readonly value: unknown } | undefined {
  const reader = readerOf(filterOnly, source.__typename ?? "", key);
  return reader === undefined ? undefined : { value: reader(source, asking) };
}

/** `stateId` of what has a `state`, `labelIds` of what has `labels`. */
function relationId(source: Source, field: string): unknown {
  const idOf = (node: unknown): unknown => (node as { readonly id?: string } | undefined)?.id;
  if (field.endsWith("Ids")) {
    const nodes = source[`${field.slice(0, -3)}s`];
    return Array.isArray(nodes) ? nodes.map(idOf) : undefined;
  }
  return field.endsWith("Id") ? idOf(source[field.slice(0, -2)]) : undefined;
}
