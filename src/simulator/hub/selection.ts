/** What a GraphQL query asks for, by name; a leaf asks for nothing below it. */
export interface Selection {
  readonly [name: string]: Selection | undefined;
}

/** Reads the fields of a query's one operation. Arguments, variables and types of fragments are somebody else's. */
export function selectionOf(query: string): Selection {
  const tokens: readonly string[] = query.replaceAll(/\([^()]*\)/g, " ").match(/[{}:]|\.\.\.|@?\w+/g) ?? [];
  let at = tokens.indexOf("{") + 1;
  const fields = (): Selection => {
    const found: Record<string, Selection | undefined> = {};
    while (at < tokens.length && tokens[at] !== "}") {
      if (tokens[at] === "...") {
        at = tokens.indexOf("{", at) + 1;
        Object.assign(found, fields());
        continue;
      }
      const name = tokens[at++] ?? "";
      if (tokens[at] === "{") {
        at += 1;
        found[name] = fields();
      } else found[name] = undefined;
    }
    at += 1;
    return found;
  };
  return fields();
}

/** Exactly what was asked for of an answer; a field it has not is named. */
export function pick(
  answer: unknown,
  asked: Selection,
): { readonly data?: unknown; readonly lacks?: string } {
  if (typeof answer !== "object" || answer === null) return { data: answer };
  if (Array.isArray(answer)) {
    const all = answer.map((one: unknown) => pick(one, asked));
    return all.find(({ lacks }) => lacks !== undefined) ?? { data: all.map(({ data }) => data) };
  }
  const data: Record<string, unknown> = {};
  for (const [name, below] of Object.entries(asked)) {
    if (!(name in answer)) return { lacks: name };
    const one: unknown = (answer as Readonly<Record<string, unknown>>)[name];
    const picked = below === undefined ? { data: one } : pick(one, below);
    if (picked.lacks !== undefined) return picked;
    data[name] = picked.data;
  }
  return { data };
}
