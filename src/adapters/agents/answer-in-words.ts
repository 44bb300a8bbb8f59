import type { WorkOrder } from "../../ports-agents.ts";

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

/** Read for an answer, from the end. */
const longest = 1024 * 1024;
/** Places at which an answer without a fence is looked for; each try reads to the end. */
const maxStarts = 50;

/**
 * The JSON that an agent ended its message with: the whole of it, the last fenced block that is meant as JSON, or what
 * stands behind its last words. Anything earlier may be a draft or a quotation and is never taken in its place.
 */
export function answerInWords(text: string): object | undefined {
  const message = text.trim().slice(-longest);
  const fenced = lastFenced(message);
  return parsed(message) ?? trailing(message) ?? (fenced === undefined ? undefined : parsed(fenced));
}

/** Blocks in another language, such as a command to try, are no answer. */
function lastFenced(message: string): string | undefined {
  let found: string | undefined;
  let open: { readonly fence: string; readonly isMeant: boolean } | undefined;
  let inside: string[] = [];
  for (const line of message.split(/\r?\n/u)) {
    const [, fence = "", language = ""] = /^ {0,3}(`{3,}|~{3,})[ \t]*(.*)$/u.exec(line) ?? [];
    if (open === undefined) {
      if (fence === "") continue;
      open = { fence, isMeant: language.trim() === "" || language.trim().toLowerCase() === "json" };
      inside = [];
    } else if (fence.startsWith(open.fence) && language.trim() === "") {
      const text = inside.join("\n").trim();
      if (open.isMeant && text.startsWith("{")) found = text;
      open = undefined;
    } else {
      inside.push(line);
    }
  }
  // Cut off in the middle of its answer, an agent has given none.
  return open?.isMeant === true ? "" : found;
}

/** From an opening brace at the start of a line to the very end. */
function trailing(message: string): object | undefined {
  if (!message.endsWith("}")) return undefined;
  for (const { index } of [...message.matchAll(/^[ \t]*\{/gmu)].slice(0, maxStarts)) {
    const value = parsed(message.slice(index));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Objects only: whoever wants another document reads it out of the text. */
function parsed(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
