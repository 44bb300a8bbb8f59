import {
  getNamedType,
  type GraphQLInputObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from "graphql";
import { sees } from "./context.ts";
import type { Asking } from "./derived.ts";
import { linearError, notImplemented } from "./errors.ts";
import { matches } from "./filter.ts";
import { readField, type Source } from "./read-field.ts";
import type { SimNode } from "./world.ts";

type Arguments = Readonly<Record<string, unknown>>;
type Order = (one: Source, other: Source) => number;

const defaultPage = 50;
const largestPage = 250;

/** One page of what the asker may see: filtered, newest first unless told otherwise, archived ones only when asked for. */
export function connection(
  type: GraphQLObjectType,
  all: readonly Source[],
  args: Arguments,
  filterType: GraphQLInputObjectType | undefined,
  given: { readonly schema: GraphQLSchema; readonly asking: Asking },
): Source {
  const { asking } = given;
  const wanted = args["filter"] as Arguments | null | undefined;
  const found = all
    .filter((node) => sees(asking.caller, node as unknown as SimNode))
    .filter((node) => args["includeArchived"] === true || node["archivedAt"] === undefined)
    .filter(
      (node) =>
        wanted === null ||
        wanted === undefined ||
        filterType === undefined ||
        matches(node, wanted, filterType, given),
    );
  const { nodes, hasNextPage, hasPreviousPage } = pageOf(ordered(found, args, asking), args);
  const edge = getNamedType(type.getFields()["edges"]?.type);
  const edges = nodes.map((node) => ({
    __typename: edge?.name,
    cursor: node["id"],
    node,
  }));
  return {
    __typename: type.name,
    nodes,
    edges,
    totalCount: found.length,
    pageInfo: {
      __typename: "PageInfo",
      hasNextPage,
      hasPreviousPage,
      startCursor: nodes[0]?.["id"],
      endCursor: nodes.at(-1)?.["id"],
    },
  };
}

/** The type of a field's filter, if it takes one. */
export const filterTypeOf = (
  args: readonly { readonly name: string; readonly type: unknown }[],
): GraphQLInputObjectType | undefined => {
  const type = args.find(({ name }) => name === "filter")?.type;
  return type === undefined ? undefined : (getNamedType(type as never) as unknown as GraphQLInputObjectType);
};

function ordered(nodes: readonly Source[], args: Arguments, asking: Asking): readonly Source[] {
  const by = args["orderBy"] === "updatedAt" ? "updatedAt" : "createdAt";
  // Of equals the one made last comes first, so pages do not shuffle.
  const newestFirst = nodes.toReversed().toSorted((one, other) => Number(other[by]) - Number(one[by]));
  const sorts = (args["sort"] ?? []) as readonly Record<string, { order?: string; nulls?: string } | null>[];
  const orders = sorts.flatMap((sort) =>
    Object.entries(sort).flatMap(([name, how]) => (how === null ? [] : [orderOf(name, how, asking)])),
  );
  return orders.length === 0
    ? newestFirst
    : newestFirst.toSorted((one, other) => orders.reduce((order, next) => order || next(one, other), 0));
}

/** What each sort compares; Linear knows more of them. */
const sortKeys: Readonly<Record<string, (node: Source, asking: Asking) => unknown>> = {
  createdAt: (node) => node["createdAt"],
  updatedAt: (node) => node["updatedAt"],
  completedAt: (node) => node["completedAt"],
  title: (node) => node["title"],
  estimate: (node) => node["estimate"],
  dueDate: (node) => node["dueDate"],
  manual: (node) => node["sortOrder"],
  // No priority is the least of all, not the highest.
  priority: (node) => (node["priority"] === 0 ? undefined : -Number(node["priority"])),
  workflowState: (node, asking) =>
    (readField(node, "state", asking) as { position?: number } | undefined)?.position,
};

function orderOf(name: string, how: { order?: string; nulls?: string }, asking: Asking): Order {
  const key = sortKeys[name];
  if (key === undefined) throw notImplemented(`the sort by ${name}`);
  const sign = how.order === "Descending" ? -1 : 1;
  const unset = how.nulls === "first" ? -1 : 1;
  return (one, other) => {
    const [left, right] = [key(one, asking), key(other, asking)];
    if (left === right) return 0;
    if (left === undefined) return unset;
    if (right === undefined) return -unset;
    // Both are of the kind that this key holds: two numbers, or two texts.
    const isLess = (left as string) < (right as string);
    return isLess ? -sign : sign;
  };
}

function pageOf(
  nodes: readonly Source[],
  args: Arguments,
): { readonly nodes: readonly Source[]; readonly hasNextPage: boolean; readonly hasPreviousPage: boolean } {
  const { first, last, after, before } = args;
  for (const size of [first, last] as readonly unknown[])
    if (typeof size === "number" && (size < 1 || size > largestPage))
      throw linearError("invalid", `Argument Validation Error - first and last go from 1 to ${largestPage}`);
  const indexOf = (cursor: unknown): number => {
    const at = nodes.findIndex(({ id }) => id === cursor);
    if (at === -1) throw linearError("invalid", `Invalid cursor ${String(cursor)}`);
    return at;
  };
  const from = after === undefined || after === null ? 0 : indexOf(after) + 1;
  const to = before === undefined || before === null ? nodes.length : indexOf(before);
  const backward = last !== undefined && last !== null;
  const size = Number((backward ? last : first) ?? defaultPage);
  const start = backward ? Math.max(from, to - size) : from;
  const end = backward ? to : Math.min(to, from + size);
  return { nodes: nodes.slice(start, end), hasNextPage: end < nodes.length, hasPreviousPage: start > 0 };
}
