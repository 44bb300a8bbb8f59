import { z } from "zod";

export type Read =
  | { readonly is: "fits"; readonly value: unknown }
  | { readonly is: "wrong"; readonly why: string };

/** Finds the answer of the asked form in what a model said, and says what is wrong with it. */
export function answerReader(schema: Readonly<Record<string, unknown>>): (text: string) => Read {
  const form = formOf(schema);
  return (text) => {
    let why = "it holds no JSON";
    for (const candidate of candidates(text)) {
      const value = tryJson(candidate);
      if (value === undefined) continue;
      const parsed = form.safeParse(value);
      if (parsed.success) return { is: "fits", value };
      why = z.prettifyError(parsed.error);
    }
    return { is: "wrong", why };
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

/** The whole, what is fenced, last first, and what is in braces. */
function candidates(text: string): readonly string[] {
  const fenced = [...text.matchAll(/```(?:json)?\s*\n([\s\S]*?)```/gu)].map((match) => match[1] ?? "");
  const braces = text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
  return [text.trim(), ...fenced.toReversed(), braces];
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
