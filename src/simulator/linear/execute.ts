import {
  execute,
  Kind,
  parse,
  validate,
  type DocumentNode,
  type GraphQLError,
  type OperationDefinitionNode,
} from "graphql";
import type { Call, Caller, Fault, Linear } from "./context.ts";
import type { Asking } from "./derived.ts";
import { linearError, notImplemented } from "./errors.ts";
import { complexityOf, largestComplexity } from "./limits.ts";
import { resolveField, resolveType } from "./resolve.ts";
import { linearSchema } from "./schema.ts";
import { missingScope } from "./scopes.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}
interface Asked {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly roots: readonly string[];
  readonly variables: Readonly<Record<string, unknown>>;
}

const refuse = (status: number, errors: readonly GraphQLError[], headers = {}): Answer => ({
  status,
  headers,
  body: { errors: errors.map((one) => one.toJSON()) },
});

/** Who a request comes from; undefined for a token that is unknown, expired or revoked. */
export function callerOf(linear: Linear, authorization: string | undefined): Caller | undefined {
  const [, bearer, plain] = /^(Bearer )?(\S+)$/.exec(authorization ?? "") ?? [];
  const token = plain === undefined ? undefined : linear.tokens.get(plain);
  if (token === undefined || token.expiresAt <= linear.world.clock.now() || !token.user.active)
    return undefined;
  // Keys go bare and tokens behind a word; Linear takes no other.
  if ((token.is === "key") !== (bearer === undefined)) return undefined;
  return { user: token.user, organization: token.user.organization, token };
}

export const unauthenticated = (): Answer =>
  refuse(401, [
    linearError(
      "authentication",
      "Authentication required, not authenticated",
      "You need to authenticate to access this operation.",
    ),
  ]);

export const rateLimited = (
  headers: Readonly<Record<string, string>>,
  message = "Rate limit exceeded",
): Answer => refuse(400, [linearError("ratelimited", message)], headers);

/** Reads a request as far as it is GraphQL. */
export function read(body: unknown): Asked | Answer {
  const { query, variables, operationName } = (body ?? {}) as Record<string, unknown>;
  if (typeof query !== "string") return refuse(400, [linearError("graphql", "Must provide query string.")]);
  try {
    const { document, errors } = documentOf(query);
    if (errors.length > 0)
      return refuse(
        400,
        errors.map(({ message }) => linearError("graphql", message)),
      );
    const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    const operation = operations.find(
      (one) => operationName === undefined || operationName === null || one.name?.value === operationName,
    );
    if (operation === undefined) return refuse(400, [linearError("graphql", "Must provide operation name.")]);
    // Scopes are those of named roots.
    if (operation.selectionSet.selections.some((one) => one.kind !== Kind.FIELD))
      return refuse(400, [notImplemented("fragments among the roots of an operation")]);
    const roots = operation.selectionSet.selections.flatMap((one) =>
      one.kind === Kind.FIELD ? [one.name.value] : [],
    );
    return { document, operation, roots, variables: (variables ?? {}) as Asked["variables"] };
  } catch (error) {
    return refuse(400, [linearError("graphql", error instanceof Error ? error.message : String(error))]);
  }
}

// A client sends the same few documents again and again; those of the SDK are long.
const known = new Map<
  string,
  { readonly document: DocumentNode; readonly errors: readonly GraphQLError[] }
>();
const mostKnown = 1_000;
function documentOf(query: string): {
  readonly document: DocumentNode;
  readonly errors: readonly GraphQLError[];
} {
  const seen = known.get(query);
  if (seen !== undefined) return seen;
  const document = parse(query);
  const read = { document, errors: validate(linearSchema(), document) };
  if (known.size < mostKnown) known.set(query, read);
  return read;
}

/** Performs a request that was read, within the caller's scopes and budget. */
export async function perform(
  linear: Linear,
  caller: Caller,
  asked: Asked,
  fault: Fault | undefined,
): Promise<Answer> {
  const { document, operation, roots, variables } = asked;
  const schema = linearSchema();
  const complexity = complexityOf(schema, document, operation, variables);
  const call: Call = {
    at: linear.world.clock.now(),
    by: caller.user,
    roots,
    variables,
    complexity,
    status: 200,
    errors: [],
  };
  linear.calls.push(call);
  const settle = (answer: Answer): Answer => {
    call.status = answer.status;
    call.errors = ((answer.body["errors"] ?? []) as readonly { readonly message: string }[]).map(
      ({ message }) => message,
    );
    return answer;
  };
  if (complexity > largestComplexity)
    return settle(
      refuse(400, [linearError("invalid", `Query too complex: ${complexity} of ${largestComplexity}`)]),
    );
  const { isOver, headers } = linear.limits.take(caller.token, complexity);
  if (isOver) return settle(rateLimited(headers));
  const scope = missingScope(caller.token, operation.operation, roots);
  if (scope !== undefined)
    return settle(refuse(403, [linearError("forbidden", `Invalid scope: \`${scope}\` required`)], headers));
  const asking: Asking = { linear, caller };
  const { data, errors = [] } = await execute({
    schema,
    document,
    contextValue: asking,
    variableValues: variables,
    fieldResolver: resolveField as never,
    typeResolver: resolveType as never,
    ...(operation.name === undefined ? {} : { operationName: operation.name.value }),
  });
  const shown = errors.map((error) => presentable(error).toJSON());
  const body = { ...(data === undefined ? {} : { data }), ...(shown.length === 0 ? {} : { errors: shown }) };
  // Without any data it was not performed at all: its variables did not fit.
  const status = data === undefined ? 400 : 200;
  return settle({ status, headers, body: fault?.is === "partial" ? withHole(body, fault) : body });
}

/** What is no error of Linear's wording is one of the simulator's own, and says so. */
function presentable(error: GraphQLError): GraphQLError {
  if (error.extensions["type"] !== undefined) return error;
  if (error.originalError === undefined || error.originalError.name === "GraphQLError")
    return Object.assign(linearError("invalid", error.message), { path: error.path });
  return linearError("internal", `the simulator broke: ${error.originalError.stack ?? error.message}`);
}

/** An answer that came out incomplete: one field is missing, and an error says which. */
function withHole(body: Readonly<Record<string, unknown>>, fault: Fault): Readonly<Record<string, unknown>> {
  const path = (fault.path ?? "").split(".");
  // A copy: what GraphQL hands out may be shared.
  const holed = JSON.parse(JSON.stringify(body)) as { data?: Record<string, unknown> | null };
  let at: Record<string, unknown> | null | undefined = holed.data;
  for (const name of path.slice(0, -1)) at = at?.[name] as Record<string, unknown> | undefined;
  const last = path.at(-1) ?? "";
  if (at === undefined || at === null || !(last in at))
    throw new Error(
      `a partial answer was ordered without ${fault.path ?? "a path"}, but the answer has no such field`,
    );
  at[last] = null;
  return {
    ...holed,
    errors: [{ ...linearError("internal", fault.message ?? "Internal server error").toJSON(), path }],
  };
}
