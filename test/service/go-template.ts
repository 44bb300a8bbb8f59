import { stringify } from "yaml";

/**
 * As much of Go's templates, and of Helm's functions, as our chart uses; anything else throws. Helm itself is no program that
 * every machine has, and a chart that nobody renders is not tested.
 */
export function render(text: string, root: Scope): string {
  const tokens = tokensOf(text);
  const state = { tokens, at: 0 };
  const nodes = parse(state, []);
  if (state.at < tokens.length) throw new Error("an {{ end }} or {{ else }} too many");
  return run(nodes, { dot: root, root, variables: new Map() });
}

export type Scope = Readonly<Record<string, unknown>>;
type Token = { readonly is: "text" | "action"; readonly text: string };
type Node =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "say"; readonly words: string }
  | {
      readonly is: "if" | "with" | "range";
      readonly words: string;
      readonly inside: readonly Node[];
      readonly otherwise: readonly Node[];
    };
interface Frame {
  readonly dot: unknown;
  readonly root: unknown;
  readonly variables: ReadonlyMap<string, unknown>;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: { is: "text" | "action"; text: string }[] = [];
  let trims = false;
  for (const [index, part] of text
    .split(/(\{\{-? [\s\S]*? -?\}\}|\{\{-? ?\/\*[\s\S]*?\*\/ ?-?\}\})/u)
    .entries()) {
    if (index % 2 === 0) {
      tokens.push({ is: "text", text: trims ? part.trimStart() : part });
      continue;
    }
    const before = tokens.at(-1);
    if (part.startsWith("{{-") && before !== undefined) before.text = before.text.trimEnd();
    trims = part.endsWith("-}}");
    tokens.push({ is: "action", text: part.replace(/^\{\{-?\s*|\s*-?\}\}$/gu, "") });
  }
  return tokens;
}

function parse(state: { readonly tokens: readonly Token[]; at: number }, ends: readonly string[]): Node[] {
  const nodes: Node[] = [];
  for (; state.at < state.tokens.length; state.at += 1) {
    const token = state.tokens[state.at];
    if (token === undefined) break;
    if (token.is === "text") {
      if (token.text.includes("{{")) throw new Error(`not understood: ${token.text}`);
      nodes.push({ is: "text", text: token.text });
      continue;
    }
    if (token.text.startsWith("/*")) continue;
    const [verb = ""] = token.text.split(" ");
    if (ends.includes(verb)) return nodes;
    if (verb !== "if" && verb !== "with" && verb !== "range") {
      nodes.push({ is: "say", words: token.text });
      continue;
    }
    state.at += 1;
    const inside = parse(state, ["else", "end"]);
    const hasElse = state.tokens[state.at]?.text === "else";
    if (hasElse) state.at += 1;
    const otherwise = hasElse ? parse(state, ["end"]) : [];
    nodes.push({ is: verb, words: token.text.slice(verb.length + 1), inside, otherwise });
  }
  if (ends.length > 0) throw new Error("an {{ end }} is missing");
  return nodes;
}

const run = (nodes: readonly Node[], frame: Frame): string =>
  nodes.map((node) => runOne(node, frame)).join("");

function runOne(node: Node, frame: Frame): string {
  switch (node.is) {
    case "text":
      return node.text;
    case "say":
      return String(evaluate(node.words, frame));
    case "if":
      return run(isTrue(evaluate(node.words, frame)) ? node.inside : node.otherwise, frame);
    case "with": {
      const dot = evaluate(node.words, frame);
      return isTrue(dot) ? run(node.inside, { ...frame, dot }) : run(node.otherwise, frame);
    }
    case "range": {
      const [, name = "", value = "", of = ""] = /^(\$\w+), (\$\w+) := (.+)$/u.exec(node.words) ?? [];
      const entries = Object.entries(evaluate(of, frame) as Scope).toSorted(([a], [b]) => (a < b ? -1 : 1));
      return entries
        .map(([key, dot]) => {
          const variables = new Map([...frame.variables, [name, key] as const, [value, dot] as const]);
          return run(node.inside, { ...frame, dot, variables });
        })
        .join("");
    }
  }
}

const isTrue = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length > 0
    : typeof value === "object" && value !== null
      ? Object.keys(value).length > 0
      : Boolean(value);

const functions: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
  add: (one, other) => Number(one) + Number(other),
  mul: (one, other) => Number(one) * Number(other),
  not: (value) => !isTrue(value),
  quote: (value) => JSON.stringify(String(value)),
  default: (usual, value) => (isTrue(value) ? value : usual),
  toYaml: (value) => stringify(value).trimEnd(),
  nindent: (count, text) =>
    `\n${String(text)
      .split("\n")
      .map((line) => " ".repeat(Number(count)) + line)
      .join("\n")}`,
  required: (message, value) => {
    if (value === undefined || value === "") throw new Error(String(message));
    return value;
  },
};

/** A pipeline: what a command gives is the last argument of the next one. */
function evaluate(words: string, frame: Frame): unknown {
  const parts = words.match(/"(?:[^"\\]|\\.)*"|[()|]|[^\s()|]+/gu) ?? [];
  let at = 0;
  const pipeline = (): unknown => {
    let given: readonly unknown[] = [];
    for (;;) {
      given = [command(given)];
      if (parts[at] !== "|") return given[0];
      at += 1;
    }
  };
  const command = (given: readonly unknown[]): unknown => {
    const call = functions[parts[at] ?? ""];
    if (call !== undefined) at += 1;
    const args: unknown[] = [];
    while (at < parts.length && parts[at] !== "|" && parts[at] !== ")") args.push(operand());
    if (call !== undefined) return call(...args, ...given);
    if (args.length + given.length !== 1) throw new Error(`not understood: ${words}`);
    return args[0];
  };
  const operand = (): unknown => {
    const part = parts[at] ?? "";
    at += 1;
    if (part === "(") {
      const value = pipeline();
      at += 1;
      return value;
    }
    if (part.startsWith('"')) return JSON.parse(part) as unknown;
    if (/^\d+$/u.test(part)) return Number(part);
    if (part === ".") return frame.dot;
    if (part.startsWith(".")) return field(frame.dot, part.slice(1));
    if (part.startsWith("$.")) return field(frame.root, part.slice(2));
    if (frame.variables.has(part)) return frame.variables.get(part);
    throw new Error(`not understood: ${part} in ${words}`);
  };
  return pipeline();
}

/** A name that is not there is nothing; below nothing there is no name. */
const field = (value: unknown, path: string): unknown =>
  path.split(".").reduce((at, name) => {
    if (typeof at !== "object" || at === null) throw new Error(`nil pointer: ${path}`);
    return (at as Scope)[name];
  }, value);
