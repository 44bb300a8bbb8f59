/** Finds an agent's answer in what it said, and tells it what does not fit. */
import type { ZodError, ZodType } from "zod";

/** The answer as the agent gave it, not yet parsed; or every thing wrong with it, with its place and value. */
export type Found =
  | { readonly is: "fit"; readonly answer: unknown }
  | { readonly is: "unfit"; readonly why: string };
type JsonSchema = Readonly<Record<string, unknown>>;

/** Wrong things told at once. */
const mostIssues = 5;
/** Kept of a value in words. */
const longestValue = 300;

/**
 * What was given as structure is the answer. In text, the whole of it or the last fenced part that is meant as an answer:
 * an earlier one may be a draft or a quotation, and is never taken in its place.
 */
export function answerIn(
  said: { readonly text: string; readonly structured: unknown },
  output: ZodType,
  schema: JsonSchema,
): Found {
  const judge = (answer: unknown): Found => {
    const parsed = output.safeParse(answer);
    return parsed.success ? { is: "fit", answer } : { is: "unfit", why: whyNot(parsed.error, answer) };
  };
  if (said.structured !== undefined && said.structured !== null) return judge(said.structured);
  const text = said.text.trim();
  if (isText(schema)) {
    const plain = judge(text);
    if (plain.is === "fit") return plain;
    return [jsonOf(text), ...jsonIn(text)].map((json) => judge(json?.value)).find(isFit) ?? plain;
  }
  const whole = jsonOf(text);
  const meant = [...(whole === undefined ? [] : [whole]), ...jsonIn(text)].filter(({ value }) =>
    isMeant(value, schema),
  );
  const [json] = meant;
  if (json !== undefined) return judge(json.value);
  const plain = judge(text);
  if (plain.is === "fit") return plain;
  if (whole !== undefined) return judge(whole.value);
  return { is: "unfit", why: `there is no JSON that fits in the answer; it was: ${inWords(text)}` };
}

const isFit = (found: Found): boolean => found.is === "fit";

/** Does an answer of this shape consist of plain text? */
export const isText = ({ type }: JsonSchema): boolean => type === "string";

/** An object that shares no field with the shape wanted is about something else. */
function isMeant(value: unknown, schema: JsonSchema): boolean {
  const { type, properties } = schema;
  if (type === "array") return Array.isArray(value);
  if (type === "object" && (typeof value !== "object" || value === null || Array.isArray(value)))
    return false;
  if (typeof properties !== "object" || properties === null || Object.keys(properties).length === 0)
    return true;
  if (typeof value !== "object" || value === null) return true;
  return Object.keys(value).some((name) => Object.hasOwn(properties, name));
}

interface Read {
  readonly value: unknown;
}
function jsonOf(text: string): Read | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** The fenced parts that are JSON, last first. */
function jsonIn(text: string): readonly Read[] {
  const found: Read[] = [];
  let fence: string | undefined;
  let inside: string[] = [];
  for (const line of text.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})(.*)$/u.exec(line.replace(/\r$/u, ""));
    if (fence === undefined) {
      fence = mark?.[1];
      inside = [];
    } else if (mark?.[1]?.startsWith(fence) === true && mark[2]?.trim() === "") {
      const json = jsonOf(inside.join("\n"));
      if (json !== undefined) found.unshift(json);
      fence = undefined;
    } else {
      inside.push(line);
    }
  }
  return found;
}

/** Every thing wrong, with its place and the value there. */
function whyNot({ issues }: ZodError, answer: unknown): string {
  const told = issues.slice(0, mostIssues).map(({ path, message }) => {
    const place = path.length === 0 ? "the answer" : `\`${placeOf(path)}\``;
    return `${place}: ${message}; the value is ${inWords(valueAt(answer, path))}`;
  });
  const more = issues.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((soFar, part) => {
    if (typeof part === "number") return `${soFar}[${part}]`;
    return soFar === "" ? String(part) : `${soFar}.${String(part)}`;
  }, "");

function valueAt(answer: unknown, path: readonly PropertyKey[]): unknown {
  let value = answer;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return value;
}

function inWords(value: unknown): string {
  if (value === undefined) return "missing";
  // What came out of JSON goes back into it.
  const text = JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
