import type { WorkOrder } from "../ports.ts";

/**
 * The prompt of an order for a runtime that knows no structured output: the form of the answer is asked for in words, and
 * whoever ordered checks it.
 */
export function promptInWords({ prompt, schema }: Pick<WorkOrder, "prompt" | "schema">): string {
  if (schema === undefined) return prompt;
  return [
    prompt,
    "",
    "When the work is done, your last message must be one JSON object and nothing else: no words around it, no code fence. It has to satisfy this JSON schema:",
    JSON.stringify(schema),
  ].join("\n");
}

/** The last whole JSON object in a message: alone, in a fence or after some words; undefined when there is none. */
export function answerInWords(text: string): unknown {
  const whole = tryJson(text.trim());
  if (isObject(whole)) return whole;
  const fenced = [...text.matchAll(/```(?:json)?[^\S\n]*\n([\s\S]*?)\n[^\S\n]*```/gu)].map(
    (found) => found[1] ?? "",
  );
  for (const block of fenced.toReversed()) {
    const inside = tryJson(block);
    if (isObject(inside)) return inside;
  }
  return atTheEnd(text);
}

/** Places at which an object may begin; beyond these nobody wrote an answer. */
const mostStarts = 200;

function atTheEnd(text: string): unknown {
  const end = text.lastIndexOf("}");
  if (end === -1 || text.slice(end + 1).trim() !== "") return undefined;
  const starts = [...text.matchAll(/^[^\S\n]*\{/gmu)].slice(-mostStarts);
  // The first that parses is the outermost: those inside it begin later.
  for (const { index } of starts) {
    const found = tryJson(text.slice(index, end + 1));
    if (isObject(found)) return found;
  }
  return undefined;
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
