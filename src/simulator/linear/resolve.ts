import {
  getNamedType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type GraphQLFieldResolver,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type GraphQLTypeResolver,
} from "graphql";
import { connection, filterTypeOf } from "./connection.ts";
import type { Asking } from "./derived.ts";
import { notImplemented } from "./errors.ts";
import { mutations } from "./mutations.ts";
import { queries } from "./queries.ts";
import { readField, type Source } from "./read-field.ts";
import { isPage } from "./schema.ts";

/** A root of the API: what a query looks up or a mutation does. */
export type Root = (args: Readonly<Record<string, unknown>>, asking: Asking) => unknown;

/** Answers every field: roots by name, all else from the objects of the world or by its declared type. */
export const resolveField: GraphQLFieldResolver<Source | undefined, Asking> = (
  source,
  args,
  asking,
  info,
) => {
  const { parentType, fieldName, returnType, schema } = info;
  const isRoot = parentType === schema.getQueryType() || parentType === schema.getMutationType();
  const value = isRoot
    ? rootOf(parentType.name, fieldName)(args, asking)
    : readField(source ?? {}, fieldName, asking);
  const named = getNamedType(returnType);
  if (isPage(named)) {
    const nodes = Array.isArray(value) ? (value as Source[]) : [];
    const takes = parentType.getFields()[fieldName]?.args ?? [];
    return connection(named, nodes, args, filterTypeOf(takes), { schema, asking });
  }
  return present(value, returnType, schema);
};

/** Which of several types an object is: each says so itself. */
export const resolveType: GraphQLTypeResolver<Source, Asking> = (value) => value.__typename;

function rootOf(parent: string, field: string): Root {
  const found = (parent === "Mutation" ? mutations : queries)[field];
  if (found === undefined) throw notImplemented(`${parent}.${field}`);
  return found;
}

function present(value: unknown, type: GraphQLOutputType, schema: GraphQLSchema): unknown {
  if (value === undefined || value === null) return blank(type, schema);
  const inner = isNonNullType(type) ? type.ofType : type;
  if (isListType(inner))
    return Array.isArray(value) ? value.map((one) => present(one, inner.ofType, schema)) : [];
  if (inner.name === "DateTime" && typeof value === "number") return new Date(value).toISOString();
  // Of Linear's two JSON scalars this one travels as a text, and the SDK parses it.
  return inner.name === "JSON" && typeof value !== "string" ? JSON.stringify(value) : value;
}

/** What a field says that nobody set: nothing where the schema lets it, else the least its type allows. */
function blank(type: GraphQLOutputType, schema: GraphQLSchema): unknown {
  if (!isNonNullType(type)) return null;
  return isListType(type.ofType) ? [] : blankOf(type.ofType, schema);
}

const blankScalars: Readonly<Record<string, unknown>> = {
  Boolean: false,
  Int: 0,
  Float: 0,
  DateTime: new Date(0).toISOString(),
  JSON: "{}",
  JSONObject: {},
  TimelessDate: "1970-01-01",
};
function blankOf(type: GraphQLNamedType, schema: GraphQLSchema): unknown {
  if (isEnumType(type)) return type.getValues()[0]?.value;
  if (isObjectType(type)) return { __typename: type.name };
  if (isUnionType(type)) return { __typename: type.getTypes()[0]?.name };
  if (isInterfaceType(type)) return { __typename: schema.getPossibleTypes(type)[0]?.name };
  return blankScalars[type.name] ?? "";
}
