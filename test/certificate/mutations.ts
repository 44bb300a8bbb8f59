/** Every way to alter a value at one place, made from its schema. */
import { z } from "zod";

type Schema = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];
export interface Mutant {
  readonly path: Path;
  readonly how: string;
  readonly value: unknown;
}

/** The schema as JSON schema, all in one piece. */
export const jsonSchemaOf = (schema: z.ZodType): Schema => z.toJSONSchema(schema) as Schema;

/** The same value with one place altered, for every place and every kind of alteration. */
export function mutantsOf(schema: Schema, value: unknown): readonly Mutant[] {
  return alterations(schema, value, []).map(({ path, how, to }) => ({
    path,
    how,
    value: to === gone ? without(value, path) : placed(value, path, to),
  }));
}

/** Names of all places of a schema, arrays by `*`. */
export function placesOf(schema: Schema, at = ""): readonly string[] {
  const inner = innerOf(schema);
  // One of a list is there or not, which is the list's own affair.
  const here = at === "" || (inner["type"] === "object" && at.endsWith(".*")) ? [] : [at];
  if (inner["type"] === "object")
    return [
      ...here,
      ...propertiesOf(inner).flatMap(([key, one]) => placesOf(one, at === "" ? key : `${at}.${key}`)),
    ];
  if (inner["type"] === "array") return [...here, ...placesOf(inner["items"] as Schema, `${at}.*`)];
  return here;
}
/** A path as one of those names. */
export const placeOf = (path: Path): string =>
  path.map((step) => (typeof step === "number" ? "*" : step)).join(".");

interface Alteration {
  readonly path: Path;
  readonly how: string;
  readonly to: unknown;
}
const gone = Symbol("gone");

function alterations(schema: Schema, value: unknown, path: Path): readonly Alteration[] {
  const inner = innerOf(schema);
  const here = (how: string, to: unknown): Alteration => ({ path, how, to });
  const nullable = inner !== schema;
  if (value === null) return nullable ? [here("is something", sample(inner))] : [];
  const none = nullable ? [here("is nothing", null)] : [];
  if ("const" in inner) return [here("another word", `${String(inner["const"])}x`)];
  if (Array.isArray(inner["enum"]))
    return [...none, ...inner["enum"].filter((one) => one !== value).map((one) => here("another word", one))];
  switch (inner["type"]) {
    case "string":
      return [...none, ...otherTexts(value as string, inner).map((text) => here("another text", text))];
    case "integer":
    case "number":
      return [...none, here("more", Number(value) + 1), here("less", Number(value) - 1)];
    case "boolean":
      return [...none, here("the opposite", value !== true)];
    case "array":
      return [...none, ...inArray(inner["items"] as Schema, value as readonly unknown[], path)];
    case "object":
      return [...none, ...inObject(inner, value as Readonly<Record<string, unknown>>, path)];
    default:
      throw new Error(`no mutations of ${JSON.stringify(inner)}`);
  }
}

function otherTexts(text: string, schema: Schema): readonly string[] {
  if (typeof schema["pattern"] !== "string") return [`${text}x`, ...(text === "" ? [] : [""])];
  const flipped = text.startsWith("0") ? `1${text.slice(1)}` : `0${text.slice(1)}`;
  return [flipped, text.slice(1)];
}

function inArray(items: Schema, value: readonly unknown[], path: Path): readonly Alteration[] {
  const here = (how: string, to: unknown): Alteration => ({ path, how, to });
  return [
    here("one more", [...value, sample(items)]),
    ...(value.length === 0
      ? []
      : [here("one less", value.slice(0, -1)), here("twice", [...value, value[0]])]),
    ...(value.length > 1 ? [here("another order", value.toReversed())] : []),
    ...value.flatMap((one, index) => alterations(items, one, [...path, index])),
  ];
}

function inObject(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  path: Path,
): readonly Alteration[] {
  return [
    { path: [...path, "surplus"], how: "a key too many", to: "surplus" },
    ...propertiesOf(schema).flatMap(([key, one]) => [
      { path: [...path, key], how: "left out", to: gone },
      ...alterations(one, value[key], [...path, key]),
    ]),
  ];
}

/** What may be null, without the null. */
function innerOf(schema: Schema): Schema {
  const types = schema["type"];
  if (Array.isArray(types)) {
    const [type, ...others] = types.filter((one) => one !== "null");
    if (others.length > 0) throw new Error(`no mutations of ${JSON.stringify(schema)}`);
    return { ...schema, type };
  }
  const kinds = schema["anyOf"];
  if (!Array.isArray(kinds)) return schema;
  const [inner, ...more] = (kinds as Schema[]).filter((one) => one["type"] !== "null");
  if (inner === undefined || more.length > 0) throw new Error(`no mutations of ${JSON.stringify(schema)}`);
  return inner;
}
const propertiesOf = (schema: Schema): readonly (readonly [string, Schema])[] =>
  Object.entries(schema["properties"] as Readonly<Record<string, Schema>>);

/** Some value that fits. */
function sample(schema: Schema): unknown {
  const inner = innerOf(schema);
  if ("const" in inner) return inner["const"];
  if (Array.isArray(inner["enum"])) return inner["enum"][0];
  switch (inner["type"]) {
    case "string":
      return typeof inner["pattern"] !== "string"
        ? "word"
        : "a".repeat(inner["pattern"].includes("{40}") ? 40 : 64);
    case "integer":
    case "number":
      return 7;
    case "boolean":
      return true;
    case "array":
      return [sample(inner["items"] as Schema)];
    default:
      return Object.fromEntries(propertiesOf(inner).map(([key, one]) => [key, sample(one)]));
  }
}

function placed(value: unknown, [step, ...rest]: Path, to: unknown): unknown {
  if (step === undefined) return to;
  if (Array.isArray(value)) return value.map((one, index) => (index === step ? placed(one, rest, to) : one));
  return { ...(value as object), [step]: placed(Reflect.get(value as object, step), rest, to) };
}

function without(value: unknown, path: Path): unknown {
  const [step, ...rest] = path;
  if (Array.isArray(value)) return value.map((one, index) => (index === step ? without(one, rest) : one));
  const entries = Object.entries(value as object);
  return Object.fromEntries(
    rest.length === 0
      ? entries.filter(([key]) => key !== step)
      : entries.map(([key, one]) => [key, key === step ? without(one, rest) : one]),
  );
}
