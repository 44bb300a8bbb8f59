import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv, type ErrorObject } from "ajv";
import addFormats from "ajv-formats";
import { mayBeMissing } from "./published-policy.ts";

export type Json = Readonly<Record<string, unknown>>;
interface Published {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly "x-webhooks": Readonly<Record<string, { readonly post: Json }>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

// Kept apart from what every install brings; `npm run test:published` puts it there.
const require = createRequire(new URL("../../.published-descriptions/package.json", import.meta.url));

/** GitHub's own description of its REST API and its webhooks, as Octokit publishes it. */
export const published = JSON.parse(
  readFileSync(require.resolve("@octokit/openapi/generated/api.github.com.json"), "utf8"),
) as Published;

/** Follows a reference inside the published document. */
export function resolved(schema: Json): Json {
  const ref = schema["$ref"];
  if (typeof ref !== "string") return schema;
  const [, , kind = "", name = ""] = ref.split("/");
  const found = published.components[kind]?.[name];
  if (found === undefined) throw new Error(`the published description refers to ${ref}, which it lacks`);
  return resolved(found);
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
const branchNames = ["allOf", "anyOf", "oneOf"] as const;

/** Keywords that say something about values; the rest is prose and Octokit's own. */
const kept = new Set(
  "type format enum pattern minimum maximum minLength maxLength minItems maxItems maxProperties".split(" "),
);

/** OpenAPI 3.0 as JSON Schema. Alternatives need not exclude each other, because what may be missing tells some of them apart. */
function asJsonSchema(schema: Json): Json {
  const ref = schema["$ref"];
  if (typeof ref === "string") return { $ref: `github${ref}` };
  const made: Record<string, unknown> = {};
  for (const [word, value] of Object.entries(schema)) {
    if (kept.has(word)) made[word] = value;
    else if (word === "properties" && isObject(value))
      made[word] = Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, asJsonSchema(one as Json)]),
      );
    else if (word === "required" && Array.isArray(value))
      made[word] = value.filter((name) => !mayBeMissing(String(name)));
    else if (word === "items" || word === "not") made[word] = asJsonSchema(value as Json);
    else if (word === "additionalProperties") made[word] = isObject(value) ? asJsonSchema(value) : value;
    else if (word === "allOf") made[word] = listOf(value).map(asJsonSchema);
    else if (word === "anyOf" || word === "oneOf")
      made["allOf"] = [...listOf(made["allOf"]), { anyOf: listOf(value).map(asJsonSchema) }];
  }
  return schema["nullable"] === true ? orNull(made) : made;
}

function orNull(schema: Json): Json {
  const { type, enum: values, ...rest } = schema;
  if (typeof type !== "string" || Object.keys(rest).some((word) => word === "allOf" || word === "not"))
    return { anyOf: [{ type: "null" }, schema] };
  return { ...rest, type: [type, "null"], ...(Array.isArray(values) ? { enum: [...values, null] } : {}) };
}

const plugFormats = addFormats as unknown as (ajv: Ajv) => Ajv;

function openAjv(coerceTypes: boolean): Ajv {
  const ajv = plugFormats(new Ajv({ strict: false, allErrors: true, coerceTypes, verbose: true }));
  for (const format of ["repo.nwo", "timestamp"]) ajv.addFormat(format, true);
  // GitHub's own bots have brackets in theirs.
  ajv.addFormat("email", /^[^@\s]+@[^@\s]+$/);
  const schemas = Object.fromEntries(
    Object.entries(published.components["schemas"] ?? {}).map(([name, one]) => [name, asJsonSchema(one)]),
  );
  return ajv.addSchema({ $id: "github", components: { schemas } });
}
/** Bodies are judged as they are; queries and paths are text, and numbers in them are read first. */
const judges = { body: openAjv(false), text: openAjv(true) };
const compiled = { body: new WeakMap<Json, ReturnType<Ajv["compile"]>>(), text: new WeakMap() };

/** What is wrong with a value by its published schema: types, formats, enums, what must be there, and names it does not know. */
export function faultsIn(value: unknown, schema: Json, how: "body" | "text" = "body"): readonly string[] {
  const check = compiled[how].get(schema) ?? judges[how].compile(asJsonSchema(schema));
  compiled[how].set(schema, check);
  check(value);
  return [...told(check.errors ?? []), ...undeclared(value, [schema], "")];
}

function told(errors: readonly ErrorObject[]): readonly string[] {
  return errors
    .filter(({ keyword }) => keyword !== "anyOf" || errors.length === 1)
    .map(({ instancePath, message, params, data }) => {
      const more = "allowedValues" in params ? ` ${JSON.stringify(params["allowedValues"])}` : "";
      const is = isObject(data) ? "" : `: ${JSON.stringify(data)?.slice(0, 80)}`;
      return `${instancePath === "" ? "/" : instancePath} ${message}${more}${is}`;
    });
}

/** The schema and all its alternatives and parts, without references. */
function shapesOf(schema: Json): readonly Json[] {
  const shape = resolved(schema);
  return [shape, ...branchNames.flatMap((word) => listOf(shape[word]).flatMap(shapesOf))];
}

/** Names in a value that no part of its schema declares: GitHub never said that it sends or takes them. */
function undeclared(value: unknown, schemas: readonly Json[], at: string): readonly string[] {
  const shapes = schemas.flatMap(shapesOf);
  if (Array.isArray(value)) {
    const items = shapes.flatMap(({ items: one }) => (isObject(one) ? [one] : []));
    return items.length === 0 ? [] : value.flatMap((one, index) => undeclared(one, items, `${at}/${index}`));
  }
  if (!isObject(value)) return [];
  const declaring = shapes.filter((shape) => isObject(shape["properties"]));
  const isOpen = declaring.length === 0 || shapes.some(isFree);
  return Object.entries(value).flatMap(([name, one]) => {
    const known = declaring.flatMap((shape) => {
      const found = (shape["properties"] as Json)[name];
      return isObject(found) ? [found] : [];
    });
    if (known.length > 0) return undeclared(one, known, `${at}/${name}`);
    return isOpen ? [] : [`${at}/${name} is not published`];
  });
}

/** Takes any name: a map, or an object of which nothing is said. */
function isFree(shape: Json): boolean {
  const more = shape["additionalProperties"];
  if (more === true || isObject(more)) return true;
  return (
    shape["type"] === "object" &&
    more !== false &&
    shape["properties"] === undefined &&
    branchNames.every((word) => shape[word] === undefined)
  );
}
