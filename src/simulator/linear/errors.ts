import { GraphQLError } from "graphql";

interface Kind {
  /** What the SDK turns into the class of its error. */
  readonly type: string;
  readonly code: string;
  readonly statusCode: number;
  readonly userError: boolean;
}

const kinds = {
  authentication: {
    type: "authentication error",
    code: "AUTHENTICATION_ERROR",
    statusCode: 401,
    userError: true,
  },
  forbidden: { type: "forbidden", code: "FORBIDDEN", statusCode: 403, userError: true },
  invalid: { type: "invalid input", code: "INPUT_ERROR", statusCode: 400, userError: true },
  ratelimited: { type: "ratelimited", code: "RATELIMITED", statusCode: 429, userError: false },
  internal: { type: "internal error", code: "INTERNAL_SERVER_ERROR", statusCode: 500, userError: false },
  graphql: { type: "graphql error", code: "GRAPHQL_VALIDATION_FAILED", statusCode: 400, userError: false },
  missing: { type: "other", code: "NOT_IMPLEMENTED", statusCode: 501, userError: false },
} as const satisfies Record<string, Kind>;

/** An error as Linear's API words it: the SDK reads `extensions.type`. */
export function linearError(kind: keyof typeof kinds, message: string, presentable = message): GraphQLError {
  return new GraphQLError(message, { extensions: { ...kinds[kind], userPresentableMessage: presentable } });
}

export const notFound = (type: string): GraphQLError =>
  linearError("invalid", `Entity not found: ${type}`, `Could not find referenced ${type}.`);

/** Something Linear has and this simulator lacks, said by its name. */
export const notImplemented = (name: string): GraphQLError =>
  linearError("missing", `NOT_IMPLEMENTED: the simulated Linear does not know ${name}`);
