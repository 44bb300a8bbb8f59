/** The API as OpenAPI 3.1 has it, made from the schemas by which its requests are judged. */
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponseObject } from "zod-openapi";
import { z } from "zod";
import type { Operation } from "./operation.ts";
import { ledgerLine } from "./schemas.ts";
import { envelope, refusals, type RefusalStatus } from "./refusals.ts";

/** Of the API, not of the program: it grows when something that was there changes. */
const version = "1.0.0";

const refusalsOf = (operation: Operation): readonly RefusalStatus[] => {
  const judges: RefusalStatus[] = operation.body === undefined ? [] : [413, 415];
  const all: RefusalStatus[] = [400, 401, 403, 429, 500, 503, ...judges, ...operation.refuses];
  return [...new Set(all)].toSorted((one, other) => one - other);
};

export function documentOf(operations: readonly Operation[]): object {
  const refused = refusedResponses();
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const operation of operations)
    paths[`/api/v1${operation.path}`] = {
      ...paths[`/api/v1${operation.path}`],
      [operation.method]: described(operation, refused),
    };
  return createDocument(
    {
      openapi: "3.1.1",
      info: {
        title: "forgehand",
        version,
        summary: "Tickets on their way to merged pull requests, and what forgehand does for them.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      security: [{ token: [] }, { session: [] }],
      tags: [
        { name: "tickets", description: "Tickets, and orders to them" },
        { name: "runs", description: "Runs of workflows, what their agents say, and orders to them" },
        { name: "repositories", description: "Where forgehand works" },
        { name: "ledger", description: "Every change, and whether all of it holds" },
        { name: "house", description: "Who asks, the board, what waits, the past, costs, and the stream" },
        { name: "host", description: "The host as a whole, for its operators" },
        { name: "symphony", description: "What clients of Symphony ask" },
      ],
      paths,
      components: {
        schemas: { LedgerLine: ledgerLine },
        securitySchemes: {
          token: { type: "http", scheme: "bearer", description: "`forgehand token new`" },
          session: {
            type: "apiKey",
            in: "cookie",
            name: "forgehand",
            description:
              "As a browser has it; a POST needs the header `x-csrf-token` besides (`/api/v1/me`).",
          },
        },
      },
    },
    // Something may be added to any answer; whoever reads one passes over what they do not know.
    {
      override: ({ jsonSchema, io }) => {
        if (io === "output" && jsonSchema.additionalProperties === false)
          delete jsonSchema.additionalProperties;
      },
    },
  );
}

const keyHeader = z.object({
  "Idempotency-Key": z
    .string()
    .regex(/^[\u0021-\u007e]{1,200}$/u)
    .optional()
    .meta({
      description: "A name for this order that is given to no other; repeated, nothing more is done.",
    }),
});
const lastHeader = z.object({
  "Last-Event-ID": z
    .string()
    .regex(/^\d{1,15}$/u)
    .optional()
    .meta({ description: "The number of the last line that was told." }),
});

/** One for each status, referred to by all operations. */
const refusedResponses = (): ReadonlyMap<string, ZodOpenApiResponseObject> =>
  new Map(
    Object.entries(refusals).map(([status, [id, description]]) => [
      status,
      { id, description, content: json(envelope) },
    ]),
  );
const json = (schema: z.ZodType) => ({ "application/json": { schema } });

function described(
  operation: Operation,
  refused: ReturnType<typeof refusedResponses>,
): ZodOpenApiOperationObject {
  const { status: done, says, body } = operation.answer;
  const isStream = body === undefined;
  const header = operation.takesKey === true ? keyHeader : isStream ? lastHeader : undefined;
  const responses: Record<`${2 | 4 | 5}${string}`, ZodOpenApiResponseObject> = {
    [`${done}` as const]: {
      description: says,
      content: body === undefined ? { "text/event-stream": { schema: z.string() } } : json(body),
    },
  };
  for (const status of refusalsOf(operation)) {
    const response = refused.get(`${status}`);
    if (response !== undefined) responses[`${status}` as `4${string}`] = response;
  }
  return {
    operationId: operation.id,
    summary: operation.summary,
    description: operation.says,
    tags: [operation.tag],
    requestParams: {
      ...(operation.params === undefined ? {} : { path: operation.params }),
      ...(operation.query === undefined ? {} : { query: operation.query }),
      ...(header === undefined ? {} : { header }),
    },
    ...(operation.body === undefined
      ? {}
      : { requestBody: { required: operation.bodyIsOptional !== true, content: json(operation.body) } }),
    responses,
  };
}
