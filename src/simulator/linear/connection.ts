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
  const order = orderFor(all, args, asking);
  const { nodes, hasNextPage, hasPreviousPage } = pageOf(found.toSorted(order), args, { all, order });
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

/** Which of two comes first; of equals the one made last, so that pages do not shuffle. */
function orderFor(all: readonly Source[], args: Arguments, asking: Asking): Order {
  const by = args["orderBy"] === "updatedAt" ? "updatedAt" : "createdAt";
  const sorts = (args["sort"] ?? []) as readonly Record<string, { order?: string; nulls?: string } | null>[];
  const made = new Map(all.map((node, at) => [node, at]));
  const orders: readonly Order[] = [
    ...sorts.flatMap((sort) =>
      Object.entries(sort).flatMap(([name, how]) => (how === null ? [] : [orderOf(name, how, asking)])),
    ),
    (one, other) => Number(other[by]) - Number(one[by]),
    (one, other) => Number(made.get(other)) - Number(made.get(one)),
  ];
  return (one, other) => orders.reduce((order, next) => order || next(one, other), 0);
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
  cursors: { readonly all: readonly Source[]; readonly order: Order },
): { readonly nodes: readonly Source[]; readonly hasNextPage: boolean; readonly hasPreviousPage: boolean } {
  const { first, last, after, before } = args;
  for (const size of [first, last])
    if (typeof size === "number" && (size < 1 || size > largestPage))
      throw linearError("invalid", `Argument Validation Error - first and last go from 1 to ${largestPage}`);
  // What a cursor names may have left the list meanwhile; its place is still known.
  const placeOf = (cursor: unknown, side: "before" | "after"): number => {
    const named = cursors.all.find(({ id }) => id === cursor);
    if (named === undefined) throw linearError("invalid", `Invalid cursor ${String(cursor)}`);
    return nodes.filter((node) => cursors.order(node, named) < (side === "after" ? 1 : 0)).length;
  };
  const from = after === undefined || after === null ? 0 : placeOf(after, "after");
  const to = before === undefined || before === null ? nodes.length : placeOf(before, "before");
  const backward = last !== undefined && last !== null;
  const size = Number((backward ? last : first) ?? defaultPage);
  const start = backward ? Math.max(from, to - size) : from;
  const end = backward ? to : Math.min(to, from + size);
  return { nodes: nodes.slice(start, end), hasNextPage: end < nodes.length, hasPreviousPage: start > 0 };
}
