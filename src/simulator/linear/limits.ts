import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import type { Clock } from "../../ports.ts";
import type { Budget, RateLimits, SimToken } from "./context.ts";
import { isPage } from "./schema.ts";

interface Bucket {
  readonly limit: Budget;
  left: { requests: number; complexity: number };
  at: number;
}

const hourMs = 3_600_000;
/** No single query may cost more. */
export const largestComplexity = 10_000;
const defaults = {
  app: { requests: 5_000, complexity: 2_000_000 },
  key: { requests: 2_500, complexity: 3_000_000 },
} as const satisfies Record<string, Budget>;

/** An app has one budget for each workspace, a person one for all keys. */
export function rateLimits(clock: Clock, limits: Partial<Record<"app" | "key", Budget>> = {}): RateLimits {
  const buckets = new Map<string, Bucket>();
  const bucketOf = ({ install, app, user }: SimToken): Bucket => {
    const name =
      install === undefined
        ? `${app?.clientId ?? ""}:${user.id}`
        : `${install.app.clientId}:${install.organization.id}`;
    const limit = app === undefined ? (limits.key ?? defaults.key) : (limits.app ?? defaults.app);
    const bucket = buckets.get(name) ?? { limit, left: { ...limit }, at: clock.now() };
    buckets.set(name, bucket);
    const share = (clock.now() - bucket.at) / hourMs;
    for (const what of ["requests", "complexity"] as const)
      bucket.left[what] = Math.min(limit[what], bucket.left[what] + limit[what] * share);
    bucket.at = clock.now();
    return bucket;
  };
  /** When that much would be there again, or the bucket full. */
  const when = ({ limit, left, at }: Bucket, what: keyof Budget, wanted: number): number =>
    at + Math.ceil((Math.max(0, wanted - left[what]) / limit[what]) * hourMs);
  return {
    take: (token, complexity) => {
      const bucket = bucketOf(token);
      const { limit, left } = bucket;
      const isOver = left.requests < 1 || left.complexity < complexity;
      if (!isOver) {
        left.requests -= 1;
        left.complexity -= complexity;
      }
      const waitMs =
        Math.max(when(bucket, "requests", 1), when(bucket, "complexity", complexity)) - bucket.at;
      return {
        isOver,
        headers: {
          "x-complexity": String(complexity),
          "x-ratelimit-requests-limit": String(limit.requests),
          "x-ratelimit-requests-remaining": String(Math.floor(left.requests)),
          "x-ratelimit-requests-reset": String(when(bucket, "requests", limit.requests)),
          "x-ratelimit-complexity-limit": String(limit.complexity),
          "x-ratelimit-complexity-remaining": String(Math.floor(left.complexity)),
          "x-ratelimit-complexity-reset": String(when(bucket, "complexity", limit.complexity)),
          ...(isOver ? { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1_000))) } : {}),
        },
      };
    },
    leave: (token, left) => void Object.assign(bucketOf(token).left, left),
    statusOf: (token) => {
      const bucket = bucketOf(token);
      return {
        __typename: "RateLimitPayload",
        kind: "request",
        limits: (["requests", "complexity"] as const).map((type) => ({
          __typename: "RateLimitResultPayload",
          type,
          allowedAmount: bucket.limit[type],
          period: hourMs,
          remainingAmount: Math.floor(bucket.left[type]),
          requestedAmount: 0,
          reset: when(bucket, type, bucket.limit[type]),
        })),
      };
    },
  };
}

/** What a query costs: a tenth a field, one an object, a connection as often as it may have nodes. */
export function complexityOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): number {
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
    ),
  );
  const costOf = (set: SelectionSetNode, type: GraphQLNamedType | undefined): number =>
    set.selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        return fragment === undefined
          ? sum
          : sum + costOf(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value));
      }
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const name = selection.typeCondition?.name.value;
        return sum + costOf(selection.selectionSet, name === undefined ? type : schema.getType(name));
      }
      const field =
        isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
      const below = field === undefined ? undefined : getNamedType(field.type);
      if (selection.selectionSet === undefined || !isCompositeType(below)) return sum + 0.1;
      const inner = 1 + costOf(selection.selectionSet, below);
      return sum + (isPage(below) ? inner * pageSize(selection.arguments ?? [], variables) : inner);
    }, 0);
  const root = operation.operation === "mutation" ? schema.getMutationType() : schema.getQueryType();
  return Math.ceil(costOf(operation.selectionSet, root ?? undefined));
}

function pageSize(
  given: readonly { readonly name: { readonly value: string }; readonly value: { readonly kind: string } }[],
  variables: Readonly<Record<string, unknown>>,
): number {
  for (const { name, value } of given) {
    if (name.value !== "first" && name.value !== "last") continue;
    const node = value as {
      readonly kind: string;
      readonly value?: string;
      readonly name?: { readonly value: string };
    };
    const size = node.kind === Kind.VARIABLE ? variables[node.name?.value ?? ""] : node.value;
    if (size !== undefined && size !== null) return Number(size);
  }
  return 50;
}
