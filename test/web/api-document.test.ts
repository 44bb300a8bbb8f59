/** The document against the server: whatever it says may be asked is asked, well and badly, and the answers are as it says. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import type { Web } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { places } from "../cli/filled.ts";
import { partOf } from "../share.ts";
import { asking, noon, openStage, type Stage } from "./stage.ts";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
}
interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: { readonly "application/json": { readonly schema: Schema } };
  };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema: Schema }>>;
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly responses: Readonly<Record<string, { readonly content?: Content }>> };
}

const document = JSON.parse(
  readFileSync(new URL("../../schema/openapi.json", import.meta.url), "utf8"),
) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => ({ path, method: method.toUpperCase(), described })),
);
type Operation = (typeof operations)[number];
const operationNamed = (id: string): Operation => {
  const found = operations.find(({ described }) => described.operationId === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
};

const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema(document, "document");
const pointer = (...parts: readonly string[]): string =>
  `document#/${parts.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;
const validatorAt = (...parts: readonly string[]): ValidateFunction =>
  ajv.compile({ $ref: pointer(...parts) });

let stage: Stage;
let app: Web;
const failures: unknown[] = [];
const ask = asking(() => app);
beforeAll(async () => {
  stage = await openStage();
  for (const scope of ["read", "act", "admin"] as const)
    await stage.store.keepApiToken(hashed(`fh_${scope}`), {
      name: scope,
      scope,
      repos: undefined,
      madeBy: "operator:ada",
      madeAt: noon,
      expiresAt: undefined,
    });
});
afterAll(() => stage.close());
beforeEach(() => {
  failures.length = 0;
  app = stage.open({ failed: (error) => void failures.push(error) });
});

const resolved = (schema: Schema): Schema => {
  if (schema.$ref === undefined) return schema;
  const parts = schema.$ref.slice(2).split("/");
  return parts.reduce<unknown>(
    (at, part) => (at as Readonly<Record<string, unknown>>)[part],
    document,
  ) as Schema;
};

/** Whatever its schema takes. */
function arbitraryOf(given: Schema): fc.Arbitrary<unknown> {
  const schema = resolved(given);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  const any = schema.oneOf ?? schema.anyOf;
  if (any !== undefined) return fc.oneof(...any.map(arbitraryOf));
  switch (schema.type) {
    case "string": {
      if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern, "u"));
      const { minLength = 0, maxLength = 40 } = schema;
      const text = (unit: "grapheme" | "binary-ascii") =>
        fc.string({ minLength, maxLength: Math.min(maxLength, 40), unit });
      return fc.oneof(text("grapheme"), text("binary-ascii"), fc.constantFrom(...known));
    }
    case "integer": {
      const { minimum = -1_000, maximum = 1_000 } = schema;
      return fc.oneof(
        fc.integer({ min: minimum, max: Math.min(maximum, minimum + 20) }),
        fc.integer({ min: Math.max(minimum, -1e12), max: Math.min(maximum, 1e12) }),
      );
    }
    case "number":
      return fc.integer({ min: 1, max: 2_000 }).map((quarters) => quarters / 4);
    case "array":
      return fc.array(arbitraryOf(schema.items ?? {}), { minLength: 1, maxLength: 4 });
    case "object": {
      const properties = Object.entries(schema.properties ?? {}).map(
        ([name, one]) => [name, arbitraryOf(one)] as const,
      );
      return fc.record(Object.fromEntries(properties), { requiredKeys: [...(schema.required ?? [])] });
    }
    case undefined:
      return fc.jsonValue();
    default:
      throw new Error(`nothing is made of ${JSON.stringify(schema)}`);
  }
}
/** Names that there are, so that more than refusals are met. */
const known = [
  ...places.map((_, index) => `github:77#${index + 1}`),
  "acme/web#5",
  "7",
  "github:88#1",
  "ENG-42",
  "__proto__",
  "../board",
  "%",
];

/** What its schema does not take: of another type, too long, too large, or something nobody knows. */
const wrongFor = (given: Schema): fc.Arbitrary<unknown> => {
  const schema = resolved(given);
  const validate = ajv.compile({ ...schema, $ref: undefined });
  return fc
    .oneof(
      fc.jsonValue(),
      fc.constantFrom(null, [], {}, "", -1, 1.5, 1e99, "x".repeat(400), { order: "approve" }),
      fc.record({ order: fc.constantFrom("approve", "halt", "explode"), seen: fc.jsonValue() }),
    )
    .filter((value) => !validate(value));
};

interface Made {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly header: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}
function madeFor({ described }: Operation): fc.Arbitrary<Made> {
  const of = (place: Parameter["in"]) => {
    const those = (described.parameters ?? []).filter((one) => one.in === place);
    return fc.record(Object.fromEntries(those.map(({ name, schema }) => [name, arbitraryOf(schema)])), {
      requiredKeys: those.filter(({ required }) => required === true).map(({ name }) => name),
    });
  };
  const body = described.requestBody?.content["application/json"].schema;
  return fc.record({
    // Such a piece never arrives: every client walks up by it before it asks.
    path: of("path").filter((made) => !Object.values(made).some((one) => one === "." || one === "..")),
    query: of("query"),
    header: of("header"),
    body: body === undefined ? fc.constant(undefined) : arbitraryOf(body),
  });
}

async function send(
  { path, method }: Operation,
  made: Made,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const filled = path.replaceAll(/\{(\w+)\}/gu, (_, name: string) =>
    encodeURIComponent(String(made.path[name]).toWellFormed()),
  );
  const query = new URLSearchParams(
    Object.entries(made.query).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, String(one)]),
    ),
  );
  const ascii = Object.entries(made.header).map(([name, value]) => [name, String(value)]);
  return await ask(`${filled}${query.size === 0 ? "" : `?${query.toString()}`}`, {
    method,
    headers: {
      authorization: "Bearer fh_admin",
      ...Object.fromEntries(ascii),
      ...(made.body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(made.body === undefined ? {} : { body: JSON.stringify(made.body) }),
  });
}

/** The answer is one that the document names, of the shape it names. */
async function expectDescribed(operation: Operation, answer: Response): Promise<unknown> {
  const { path, method, described } = operation;
  const status = String(answer.status);
  expect(failures).toEqual([]);
  expect(Object.keys(described.responses), `${described.operationId} answered ${status}`).toContain(status);
  expect(answer.status).toBeLessThan(500);
  const type = answer.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) {
    await answer.body?.cancel();
    return undefined;
  }
  const ref = described.responses[status]?.$ref;
  const validate = validatorAt(
    ...(ref === undefined
      ? ["paths", path, method.toLowerCase(), "responses", status]
      : ref.slice(2).split("/")),
    "content",
    "application/json",
    "schema",
  );
  const body: unknown = await answer.json();
  if (!validate(body))
    throw new Error(`${described.operationId} ${status}: ${ajv.errorsText(validate.errors)}`);
  return body;
}
interface Refused {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly details?: readonly { readonly at: string }[];
  };
}

test("the document is one of OpenAPI 3.1, and says of each operation who asks, what and what for", async () => {
  const validated = await new Validator().validate({ ...structuredClone(document) });
  expect(validated.errors).toBeUndefined();
  expect(validated.valid).toBe(true);
  const ids = operations.map(({ described }) => described.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test("what is served is the document that lies in schema/", async () => {
  const served = await ask("/api/v1/openapi.json", { headers: { authorization: "Bearer fh_read" } });
  expect(await served.json()).toEqual(document);
});

test("every route below /api is in the document, and the other way round", () => {
  const mounted = app.app.routes
    .filter(({ path, method }) => path.startsWith("/api/") && method !== "ALL")
    .map(({ path, method }) => `${method} ${path.replaceAll(/:(\w+)/gu, "{$1}")}`);
  expect([...new Set(mounted)].toSorted()).toEqual(
    operations.map(({ path, method }) => `${method} ${path}`).toSorted(),
  );
});

test("no name of ours reads as an identifier: those have a digit or a #", () => {
  const names = Object.keys(document.paths).flatMap((path) => path.split("/").slice(3, 4));
  for (const name of names.filter((one) => one !== "{identifier}")) expect(name).not.toMatch(/[\d#]/u);
});

describe.each(operations.map((operation) => [operation.described.operationId, operation] as const))(
  "%s",
  (_, operation) => {
    test("whatever is asked as the document says is answered as the document says", async () => {
      await fc.assert(
        fc.asyncProperty(madeFor(operation), async (made) => {
          const answer = await send(operation, made);
          const body = (await expectDescribed(operation, answer)) as Refused | undefined;
          // The document took it, so nothing of it may be called malformed.
          if (answer.status === 400) throw new Error(`refused: ${JSON.stringify(body)}`);
        }),
        { numRuns: partOf(40) },
      );
    });

    test("a parameter that is nobody's, or not as described, is named in a refusal", async () => {
      const query = (operation.described.parameters ?? []).filter((one) => one.in === "query");
      const wrong = fc.oneof(
        fc
          .string({ minLength: 1, maxLength: 12, unit: "grapheme-ascii" })
          .filter((name) => query.every((one) => one.name !== name))
          .map((name) => ({ [name]: "1" })),
        ...query.map(({ name, schema }) => {
          const isNumber = resolved(schema).type === "integer";
          const bad = isNumber ? ["", "x", "-1", "1.5", "1e3", "0x10", " 1", "99999999999999999999"] : [""];
          return fc.constantFrom(...bad).map((value) => ({ [name]: value }));
        }),
      );
      await fc.assert(
        fc.asyncProperty(madeFor(operation), wrong, async (made, bad) => {
          const answer = await send(operation, { ...made, query: bad });
          const body = (await expectDescribed(operation, answer)) as Refused;
          expect([answer.status, body.error.code]).toEqual([400, "invalid_request"]);
          expect(body.error.message).toMatch(/^query/u);
          expect(body.error.details?.[0]?.at).toMatch(/^query/u);
        }),
        { numRuns: partOf(30) },
      );
    });

    test("whoever comes without session and token is told nothing", async () => {
      await fc.assert(
        fc.asyncProperty(madeFor(operation), async (made) => {
          const answer = await send(operation, made, { authorization: "" });
          const body = (await expectDescribed(operation, answer)) as Refused;
          expect([answer.status, body.error.code]).toEqual([401, "unauthorized"]);
          expect(answer.headers.get("www-authenticate")).toContain("Bearer");
        }),
        { numRuns: 5 },
      );
    });

    test("other methods are refused, and those that are possible are named", async () => {
      const possible = Object.keys(document.paths[operation.path] ?? {}).map((name) => name.toUpperCase());
      const others = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].filter(
        (method) => !possible.includes(method),
      );
      for (const method of others) {
        const path = operation.path.replaceAll(/\{\w+\}/gu, "7");
        const answer = await ask(path, { method, headers: { authorization: "Bearer fh_admin" } });
        const body = (await answer.json()) as Refused;
        expect([answer.status, body.error.code]).toEqual([405, "method_not_allowed"]);
        expect(answer.headers.get("allow")).toContain(operation.method);
      }
    });
  },
);

describe.each(
  operations
    .filter(({ described }) => described.requestBody !== undefined)
    .map((operation) => [operation.described.operationId, operation] as const),
)("the body of %s", (_, operation) => {
  test("is refused by name where it is none of those described", async () => {
    const schema = operation.described.requestBody?.content["application/json"].schema ?? {};
    await fc.assert(
      fc.asyncProperty(madeFor(operation), wrongFor(schema), async (made, body) => {
        const answer = await send(operation, { ...made, body });
        const told = (await expectDescribed(operation, answer)) as Refused;
        expect([answer.status, told.error.code]).toEqual([400, "invalid_request"]);
        expect(told.error.message).toMatch(/^body/u);
      }),
      { numRuns: partOf(60) },
    );
  });

  test.each([
    ["no JSON", "{", "application/json", 400],
    ["a form", "order=halt", "application/x-www-form-urlencoded", 415],
    ["of no type", new Blob(["{}"]), undefined, 415],
    ["too long", JSON.stringify({ order: "x".repeat(70_000) }), "application/json", 413],
  ] as const)("is refused when it is %s", async (_name, body, type, status) => {
    const path = operation.path.replaceAll(/\{\w+\}/gu, "7");
    const answer = await ask(path, {
      method: "POST",
      body,
      headers: { authorization: "Bearer fh_admin", ...(type === undefined ? {} : { "content-type": type }) },
    });
    expect(answer.status).toBe(status);
    await expectDescribed(operation, answer);
  });
});

/** Of the ticket in review, whose agents have sessions. */
const ticketRun = `github:77#${places.indexOf("In Review") + 1}/2`;

test("every field that is told stands in the document", async () => {
  const asked: readonly (readonly [string, Partial<Made>])[] = [
    ["getMe", {}],
    ["getBoard", {}],
    ["getWaiting", {}],
    ["getState", {}],
    ["listTickets", {}],
    ["findTickets", { query: { q: "acme/web#3" } }],
    ["listLedger", {}],
    ["listRepositories", {}],
    ["getRepository", { path: { id: "77" } }],
    ["listHistory", {}],
    ["getCosts", { query: { by: "runtime" } }],
    ["getLedgerLine", { path: { seq: "3" } }],
    ["getVerification", {}],
    ["listDeeds", {}],
    ["getHealth", {}],
    ["listWebhooks", {}],
    ["listChannels", {}],
    ["listRuns", {}],
    ["getRun", { path: { id: ticketRun } }],
    ["getRunTree", { path: { id: ticketRun } }],
    ["listRunFrames", { path: { id: ticketRun } }],
    ["getSessionLog", { path: { name: "1" } }],
    ...places.flatMap((_, index) => [
      ["getTicket", { path: { id: `github:77#${index + 1}` } }] as const,
      ["getTicketDiff", { path: { id: `github:77#${index + 1}` } }] as const,
      ["getIssue", { path: { identifier: `acme/web#${index + 1}` } }] as const,
    ]),
  ];
  for (const [id, made] of asked) {
    const operation = operationNamed(id);
    const answer = await send(operation, { path: {}, query: {}, header: {}, body: undefined, ...made });
    expect(answer.status, id).toBe(200);
    const body = await expectDescribed(operation, answer);
    const schema = operation.described.responses["200"]?.content?.["application/json"]?.schema ?? {};
    expect(undescribed(body, schema, id)).toEqual([]);
  }
});
function undescribed(value: unknown, given: Schema, at: string): readonly string[] {
  const schema = resolved(given);
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) {
    const found = options.map((one) => undescribed(value, one, at));
    return found.reduce((least, one) => (one.length < least.length ? one : least));
  }
  if (Array.isArray(value))
    return value.flatMap((one, index) => undescribed(one, schema.items ?? {}, `${at}[${index}]`));
  if (typeof value !== "object" || value === null || schema.properties === undefined) return [];
  // What a step of the machine wrote may carry anything; it is said to.
  if ("additionalProperties" in schema) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    const inner = schema.properties?.[name];
    return inner === undefined ? [`${at}.${name}`] : undescribed(one, inner, `${at}.${name}`);
  });
}
