import { isDeepStrictEqual } from "node:util";
import { schema as source } from "@octokit/graphql-schema";
import {
  buildSchema,
  executeSync,
  getOperationAST,
  getVariableValues,
  Kind,
  parse,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type GraphQLTypeResolver,
} from "graphql";
import type { Json } from "./published-schema.ts";

let built: GraphQLSchema | undefined;

/** GitHub's own GraphQL schema. */
function schema(): GraphQLSchema {
  built ??= buildSchema(source.idl, { assumeValid: true });
  return built;
}

/** What is wrong with a GraphQL request and its answer by GitHub's schema. */
export function graphqlFaults(asked: unknown, answer: unknown): readonly string[] {
  const { query, variables = {} } = asked as { readonly query: string; readonly variables?: Json };
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (error) {
    return [`the query is none: ${String(error)}`];
  }
  const wrong = validate(schema(), document).map(({ message }) => `the query: ${message}`);
  if (wrong.length > 0) return wrong;
  const definitions = getOperationAST(document)?.variableDefinitions ?? [];
  const unknown = Object.keys(variables).filter((name) =>
    definitions.every(({ variable }) => variable.name.value !== name),
  );
  const given = getVariableValues(schema(), definitions, variables);
  return [
    ...unknown.map((name) => `the variables: $${name} is not declared`),
    ...(given.errors ?? []).map(({ message }) => `the variables: ${message}`),
    ...answerFaults(document, variables, answer as Json),
  ];
}

/** What an object is: what it says of itself, or what the query takes it for; else any that it may be will do. */
const typeResolver: GraphQLTypeResolver<unknown, unknown> = (value, _context, { fieldNodes }, abstract) => {
  const { __typename: said } = value as { readonly __typename?: string };
  const parts = fieldNodes.flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
  const taken = parts.flatMap((part) =>
    part.kind === Kind.INLINE_FRAGMENT ? [part.typeCondition?.name.value] : [],
  );
  return said ?? taken[0] ?? schema().getPossibleTypes(abstract)[0]?.name;
};

/** Runs the query on the answer: what comes out must be the answer itself, neither less nor more than was asked. */
function answerFaults(document: DocumentNode, variables: Json, answer: Json): readonly string[] {
  const { data, errors = [], ...rest } = answer as { readonly data: unknown; readonly errors?: unknown };
  const faults = Object.keys(rest).map((name) => `the answer: ${name} is not GraphQL`);
  for (const error of errors as readonly Json[])
    if (
      typeof error["message"] !== "string" ||
      typeof error["type"] !== "string" ||
      !Array.isArray(error["path"])
    )
      faults.push(`the answer: an error needs message, type and path: ${JSON.stringify(error)}`);
  if (data === null && Array.isArray(answer["errors"])) return faults;
  const ran = executeSync({
    schema: schema(),
    document,
    variableValues: variables,
    rootValue: data,
    typeResolver,
  });
  faults.push(...(ran.errors ?? []).map(({ message }) => `the answer: ${message}`));
  const plain: unknown = JSON.parse(JSON.stringify(ran.data ?? null));
  if (!isDeepStrictEqual(plain, data))
    faults.push(`the answer is ${JSON.stringify(data)}, and what was asked for is ${JSON.stringify(plain)}`);
  return faults;
}
