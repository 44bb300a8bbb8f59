import { graphqlFaults } from "./published-graphql.ts";
import { answersLike, anywhere, excused, judgedBy } from "./published-policy.ts";
import { faultsIn, published, resolved, type Json } from "./published-schema.ts";

/** One request and its answer, as they went over the wire. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly sent: Headers;
  readonly body: unknown;
  readonly status: number;
  readonly type: string;
  readonly answer: unknown;
}
export interface Recorder {
  readonly exchanges: readonly Exchange[];
  stop(): void;
}

/** Listens to everything this process fetches: what we ask of the forge, and what the forge delivers to us. */
export function record(): Recorder {
  const real = globalThis.fetch;
  const exchanges: Exchange[] = [];
  globalThis.fetch = async (...args) => {
    const request = new Request(...args);
    const body = await request.clone().text();
    const response = await real(request);
    const text = await response.clone().text();
    const type = response.headers.get("content-type") ?? "";
    exchanges.push({
      method: request.method,
      url: request.url,
      sent: request.headers,
      body: body === "" ? undefined : JSON.parse(body),
      status: response.status,
      type,
      answer: text === "" ? undefined : type.includes("json") ? JSON.parse(text) : text,
    });
    return response;
  };
  return { exchanges, stop: () => void (globalThis.fetch = real) };
}

/** What exchanges break of GitHub's published descriptions, each finding once. */
export function faultsOf(exchanges: readonly Exchange[]): readonly string[] {
  return [...new Set(exchanges.flatMap(findingsOf))].filter(
    (text) => !excused.some(({ finding }) => finding.test(text)),
  );
}

function findingsOf(exchange: Exchange): readonly string[] {
  const name = exchange.sent.get("x-github-event");
  if (name !== null)
    return deliveryFaults(exchange, name).map((fault) => `webhook ${wordOf(exchange, name)}: ${fault}`);
  const { method, url, body, answer } = exchange;
  const { pathname } = new URL(url);
  if (pathname.endsWith("/graphql"))
    return graphqlFaults(body, answer).map((fault) => `GraphQL ${JSON.stringify(body)}: ${fault}`);
  const found = operationOf(method, pathname);
  if (found === undefined) return [`${method} ${pathname} is no operation of GitHub's`];
  return restFaults(exchange, found).map((fault) => `${method} ${found.path} ${exchange.status}: ${fault}`);
}

const actionOf = ({ body }: Exchange): string => {
  const action = (body as Json | undefined)?.["action"];
  return typeof action === "string" ? action : "";
};
const wordOf = (exchange: Exchange, name: string): string =>
  actionOf(exchange) === "" ? name : `${name}.${actionOf(exchange)}`;

function deliveryFaults(exchange: Exchange, name: string): readonly string[] {
  const key = [name, ...(actionOf(exchange) === "" ? [] : [actionOf(exchange)])]
    .join("-")
    .replaceAll("_", "-");
  const event = published["x-webhooks"][key]?.post;
  if (event === undefined) return ["GitHub publishes no such event and action"];
  const headers = (event["parameters"] as readonly Json[]).filter((one) => one["in"] === "header");
  const missing = headers.filter((header) => !exchange.sent.has(String(header["name"])));
  return [
    ...missing.map((header) => `the header ${String(header["name"])} is missing`),
    ...faultsIn(exchange.body, schemaIn(resolved(event["requestBody"] as Json)) ?? {}),
  ];
}

interface Operation {
  readonly path: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly spec: Json;
}
const operations = new Map<string, Operation[]>();
const paths = {
  ...published.paths,
  ...Object.fromEntries(
    [...answersLike].map(([path, like]) => {
      const spec = published.paths[like]?.["get"] ?? {};
      const parameters = [{ in: "path", name: "id", required: true, schema: { type: "integer" } }];
      return [path, { get: { ...spec, parameters } }];
    }),
  ),
};
for (const [path, methods] of Object.entries(paths))
  for (const [method, spec] of Object.entries(methods)) {
    // A ref, a path or a comparison may have slashes, encoded or not.
    const source = path.replaceAll(/\{(ref|path|basehead)\}$/g, "(.+)").replaceAll(/\{\w+\}/g, "([^/]+)");
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
    const made = { path, pattern: new RegExp(`^${source}$`), names, spec };
    operations.set(method, [...(operations.get(method) ?? []), made]);
  }

/** The operation a path means: of several, the one that says most of it literally. */
function operationOf(method: string, pathname: string): Operation | undefined {
  const fitting = (operations.get(method.toLowerCase()) ?? []).filter(({ pattern }) =>
    pattern.test(pathname),
  );
  const literal = ({ path }: Operation): number => path.replaceAll(/\{\w+\}/g, "").length;
  return fitting.toSorted((one, other) => literal(other) - literal(one))[0];
}

function restFaults(
  { method, url, body, sent, status, type, answer }: Exchange,
  found: Operation,
): readonly string[] {
  const { pathname, searchParams } = new URL(url);
  const texts = (found.pattern.exec(pathname) ?? []).slice(1).map((text) => decodeURIComponent(text));
  const inPath = Object.fromEntries(found.names.map((name, index) => [name, texts[index] ?? ""]));
  return [
    ...parameterFaults(found.spec, "path", inPath),
    ...parameterFaults(found.spec, "query", Object.fromEntries(searchParams)),
    ...requestFaults(found.spec, body),
    ...answerFaults(`${method} ${found.path}`, found.spec, {
      status,
      type,
      answer,
      accept: sent.get("accept") ?? "",
    }),
  ];
}

function parameterFaults(spec: Json, where: string, given: Json): readonly string[] {
  const declared = ((spec["parameters"] ?? []) as readonly Json[])
    .map(resolved)
    .filter((one) => one["in"] === where);
  const schema = {
    type: "object",
    properties: Object.fromEntries(declared.map((one) => [one["name"], one["schema"]])),
    required: declared.filter((one) => one["required"] === true).map((one) => one["name"]),
  };
  return faultsIn({ ...given }, schema, "text").map((fault) => `${where} ${fault}`);
}

function requestFaults(spec: Json, body: unknown): readonly string[] {
  const wanted = spec["requestBody"] as Json | undefined;
  if (wanted === undefined) return body === undefined ? [] : ["a body is sent that is not published"];
  const { required } = resolved(wanted);
  if (body === undefined) return required === true ? ["the body is missing"] : [];
  return faultsIn(body, schemaIn(resolved(wanted)) ?? {}).map((fault) => `sent ${fault}`);
}

function answerFaults(
  name: string,
  spec: Json,
  given: {
    readonly status: number;
    readonly type: string;
    readonly answer: unknown;
    readonly accept: string;
  },
): readonly string[] {
  const { status, type, answer, accept } = given;
  const listed = (spec["responses"] as Readonly<Record<string, Json>>)[String(status)];
  if (listed === undefined && !anywhere.has(status)) return [`the status ${status} is not published`];
  const content = listed === undefined ? undefined : resolved(listed);
  const schema = (content && schemaIn(content)) ?? (status >= 400 ? anyError : undefined);
  if (schema === undefined) return answer === undefined ? [] : ["an answer is given that is not published"];
  // Asked for by its media type, a diff or a file comes as it is.
  if (!type.includes("json") && /\b(diff|raw)\b/.test(accept)) return [];
  const better = status === 200 ? (judgedBy.get(name)?.schema as Json | undefined) : undefined;
  return faultsIn(answer, better ?? schema).map((fault) => `answers ${fault}`);
}

/** What GitHub says of a refusal whose body it does not describe. */
const anyError: Json = {
  anyOf: ["basic-error", "validation-error", "validation-error-simple"].map((name) => ({
    $ref: `#/components/schemas/${name}`,
  })),
};

function schemaIn(part: Json): Json | undefined {
  const content = (part["content"] ?? {}) as Readonly<Record<string, Json>>;
  const json = Object.entries(content).find(([type]) => type.includes("json"));
  return json?.[1]["schema"] as Json | undefined;
}

/** Did this exchange go to that route of the forge? */
export function isAt(
  { method, url }: Exchange,
  route: { readonly method: string; readonly path: string },
): boolean {
  const source = route.path.replaceAll(/:\w+(?:\{(.+?)\})?/g, (_, pattern?: string) => pattern ?? "[^/]+");
  const path = new URL(url).pathname.replaceAll(/%2F/gi, "/").replace(/^\/api/, "");
  return method === route.method && new RegExp(`^${source}$`).test(path);
}
