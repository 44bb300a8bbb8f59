import { z } from "zod";

export type Read =
  | { readonly is: "fits"; readonly value: unknown }
  | { readonly is: "wrong"; readonly why: string };

/** Finds the answer of the asked form in what a model said, and says what is wrong with it. */
export function answerReader(schema: Readonly<Record<string, unknown>>): (text: string) => Read {
  const form = formOf(schema);
  return (text) => {
    const value = candidates(text)
      .map(tryJson)
      .find((one) => one !== undefined);
    if (value === undefined) return { is: "wrong", why: "it holds no JSON" };
    const parsed = form.safeParse(value);
    return parsed.success ? { is: "fits", value } : { is: "wrong", why: z.prettifyError(parsed.error) };
  };
}

function formOf(schema: Readonly<Record<string, unknown>>): z.ZodType {
  try {
    return z.fromJSONSchema(schema);
  } catch {
    // A schema with words nobody here knows: whoever asked judges the answer.
    return schema["type"] === "object" ? z.looseObject({}) : z.unknown();
  }
}

/** The whole, else what is fenced last, else what is in braces: the first that is JSON is the answer, and no earlier draft. */
function candidates(text: string): readonly string[] {
  const fenced = [...text.matchAll(/```(?:json)?\s*\n([\s\S]*?)```/gu)].at(-1)?.[1] ?? "";
  const braces = text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
  return [text.trim(), fenced, braces];
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
