/** Answers of a wanted form from agents that know no such thing: asked for in words, found in the text. */

/** The prompt with the form of the answer put behind it. */
export function withSchema(prompt: string, schema: Readonly<Record<string, unknown>> | undefined): string {
  if (schema === undefined) return prompt;
  return `${prompt}

# The form of your answer

End your last message with one JSON document in a fenced block that begins with \`\`\`json, and say nothing behind it. It must fit this JSON Schema:

\`\`\`json-schema
${JSON.stringify(schema, undefined, 2)}
\`\`\``;
}

/** Read for an answer, from the end. */
const longest = 1024 * 1024;
/** Places at which an answer without a fence is looked for; each try reads to the end. */
const maxStarts = 50;

/**
 * The JSON that an agent ended its message with: the whole of it, the last fenced block that is meant as JSON, or what
 * stands behind its last words. Anything earlier may be a draft or a quotation and is never taken in its place.
 */
export function jsonAtTheEnd(text: string): object | undefined {
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
      if (open.isMeant && /^[[{]/u.test(text)) found = text;
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

/** Objects and lists only: a bare word or number is no document. */
function parsed(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
