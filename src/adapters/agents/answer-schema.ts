import type { Agent, Family } from "../../ports-agents.ts";

type Schema = Readonly<Record<string, unknown>>;

/** What a maker refuses, and what is checked when the answer is there. */
const dropped: ReadonlySet<string> = new Set([
  "$schema",
  "additionalProperties",
  "default",
  "examples",
  "format",
  "pattern",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
]);

/**
 * The schema of an answer as this maker's structured output can hold it; undefined where it cannot, and the answer is
 * then found in the text. All want an object; OpenAI wants every field of it required, at every depth.
 */
export function answerSchema(schema: Schema, family: Family): Schema | undefined {
  if (schema["type"] !== "object") return undefined;
  if (family === "openai") return strict(schema);
  const { $schema: _dialect, ...rest } = schema;
  return rest;
}

/** The same agent, asked for its answers by what its maker's structured output can hold. */
export const withinSchemas = (agent: Agent): Agent => ({
  ...agent,
  work: (order, signal) =>
    agent.work({ ...order, schema: order.schema && answerSchema(order.schema, agent.family) }, signal),
});

/** The same with every object closed; undefined when it holds what cannot be said so. */
function strict(schema: unknown): Schema | undefined {
  if (!isSchema(schema)) return undefined;
  const closed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (dropped.has(name)) continue;
    const said = strictPart(name, value);
    if (said === undefined) return undefined;
    closed[said.name] = said.value;
  }
  if (![schema["type"]].flat().includes("object"))
    return Object.keys(closed).length === 0 ? undefined : closed;
  const names = Object.keys(isSchema(schema["properties"]) ? schema["properties"] : {});
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  // A record: its fields have no names that could be required.
  if (isSchema(schema["additionalProperties"]) || !names.every((name) => required.includes(name)))
    return undefined;
  return { ...closed, additionalProperties: false };
}

function strictPart(
  name: string,
  value: unknown,
): { readonly name: string; readonly value: unknown } | undefined {
  switch (name) {
    case "type":
    case "enum":
    case "const":
    case "required":
    case "description":
    case "title":
      return { name, value };
    case "items": {
      const items = strict(value);
      return items && { name, value: items };
    }
    case "anyOf":
    case "oneOf": {
      const options = (Array.isArray(value) ? value : []).map(strict);
      return options.includes(undefined) ? undefined : { name: "anyOf", value: options };
    }
    case "properties": {
      const fields = Object.entries(isSchema(value) ? value : {}).map(
        ([field, inner]) => [field, strict(inner)] as const,
      );
      return fields.some(([, inner]) => inner === undefined)
        ? undefined
        : { name, value: Object.fromEntries(fields) };
    }
    default:
      return undefined;
  }
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
