/** Whether a request is as its operation wants it; what is not is named, each place. */
import type { Context } from "hono";
import { z } from "zod";
import type { Operation } from "./operation.ts";
import { refuse, type Refusal } from "./refusals.ts";

/** No body of ours is longer. */
export const maxBodyBytes = 64 * 1024;

interface Judged {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly key: string | undefined;
}
interface Fault {
  readonly at: string;
  readonly message: string;
}
const nothing = z.strictObject({});

export async function judge(context: Context, operation: Operation): Promise<Judged | Refusal> {
  const faults: Fault[] = [];
  const read = (place: string, schema: z.ZodType, value: unknown): unknown => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues)
      faults.push({ at: [place, ...path].join("."), message });
    return undefined;
  };
  const sent = await bodyOf(context, operation);
  if (isRefusal(sent)) return sent;
  const params = read("path", operation.params ?? nothing, context.req.param());
  const query = read("query", operation.query ?? nothing, queryOf(context, operation.query));
  const body = operation.body === undefined ? undefined : read("body", operation.body, sent.body);
  const key = operation.takesKey === true ? context.req.header("idempotency-key") : undefined;
  // Signs that are seen, so that two keys that look alike are alike.
  if (key !== undefined && !/^[\u0021-\u007e]{1,200}$/u.test(key))
    faults.push({
      at: "header.Idempotency-Key",
      message: "1 to 200 signs of ASCII that are no spaces are taken",
    });
  const [first] = faults;
  return first === undefined
    ? { params, query, body, key }
    : refuse(400, `${first.at}: ${first.message}`, { details: faults.slice(0, 20) });
}

export const isRefusal = (one: object): one is Refusal => "refused" in one;

async function bodyOf(context: Context, operation: Operation): Promise<{ readonly body: unknown } | Refusal> {
  if (operation.body === undefined) return { body: undefined };
  const type = context.req.header("content-type");
  const isJson = type !== undefined && /^\s*application\/json\s*(?:;|$)/iu.test(type);
  const notJson = refuse(415, "the body has to be JSON, told so by `Content-Type: application/json`");
  if (type !== undefined && !isJson) return notJson;
  const text = await context.req.text();
  if (text.trim() === "")
    return operation.bodyIsOptional === true ? { body: {} } : refuse(400, "body: nothing was sent");
  if (!isJson) return notJson;
  try {
    return { body: JSON.parse(text) as unknown };
  } catch {
    return refuse(400, "body: this is no JSON");
  }
}

/** As its schema wants it: numbers are numbers there, and what may come several times is a list. */
function queryOf(context: Context, schema: z.ZodObject | undefined): Readonly<Record<string, unknown>> {
  const shape = schema?.shape ?? {};
  const said = Object.entries(context.req.queries()).map(([name, values]) => {
    const inner = Object.hasOwn(shape, name) ? innermost(shape[name]) : undefined;
    const read = (value: string): unknown =>
      inner instanceof z.ZodNumber && /^-?\d{1,15}$/u.test(value) ? Number(value) : value;
    const isOne = values.length === 1 && !(inner instanceof z.ZodArray);
    return [name, isOne ? read(values[0] ?? "") : values.map(read)] as const;
  });
  return Object.fromEntries(said);
}
function innermost(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? innermost(schema.unwrap())
    : schema;
}
